/**
 * Markdown as a tree of plain objects, never as markup. What a model writes is not trusted: HTML stays text, links go to
 * http, https and mailto only, and pictures are never fetched.
 */
import { addMaths } from "./markdown_maths.js";

/**
 * @typedef {object} Node
 * @property {string} type as the parser calls it, without `_open`
 * @property {string} tag
 * @property {string} content
 * @property {string} info
 * @property {Record<string, string>} attrs
 * @property {any} meta
 * @property {Node[]} children
 *
 * @typedef {{source: string, node: Node, refs: number}} Block one block of the text and what it became
 */

const MAX_DEPTH = 48;
const SAFE = /^(https?:\/\/|mailto:)/i;

/** @type {Promise<any> | null} */
let loading = null;

/** Returns the parser, which is fetched when the first text needs it. */
export const loadParser = () => (loading ??= import("../vendor/markdown-it.js").then((module) => makeParser(module.default)));

/** @param {any} MarkdownIt the library's class */
function makeParser(MarkdownIt) {
  const parser = new MarkdownIt("default", { html: false, linkify: true, breaks: false, typographer: false, maxNesting: MAX_DEPTH + 1 });
  parser.validateLink = isSafeLink;
  parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  addMaths(parser);
  return parser;
}

/** True for an address that a person may be led to. @param {string} address */
export const isSafeLink = (address) => SAFE.test(address.trim()) && !/[\u0000-\u0020\u007f]/.test(address.trim());

/** A text that grows: blocks that can change no more are kept as they are, so that only the last is read again. */
export class GrowingText {
  /** @param {any} parser */
  constructor(parser) {
    this.parser = parser;
    this.forget();
  }

  forget() {
    this.settled = /** @type {Block[]} */ ([]);
    this.length = 0;
    this.head = "";
    this.env = {};
  }

  /**
   * Returns the blocks of the text.
   * @param {string} text
   * @param {boolean} isWhole nothing more will come: links may be defined after their use
   * @returns {Block[]}
   */
  take(text, isWhole) {
    if (isWhole || !text.startsWith(this.head)) this.forget();
    const tail = text.slice(this.length);
    const blocks = this.read(tail);
    if (isWhole) return blocks.map(({ block }) => block);
    if (blocks.length > 1) {
      this.settled.push(...blocks.slice(0, -1).map(({ block }) => block));
      this.length += blocks.at(-1).start;
      this.head = text.slice(0, this.length);
    }
    return blocks.length ? [...this.settled, blocks.at(-1).block] : [...this.settled];
  }

  read(text) {
    const tokens = this.parser.parse(text, this.env);
    const starts = lineStarts(text);
    const refs = Object.keys(this.env.references ?? {}).length;
    return grouped(tokens).map((group) => {
      const [first, last] = group[0].map ?? [0, starts.length - 1];
      const start = starts[first] ?? text.length;
      const source = text.slice(start, starts[last] ?? text.length);
      return { start, block: { source, refs, node: treeOf(group) ?? plain(source) } };
    });
  }
}

function lineStarts(text) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  starts.push(text.length);
  return starts;
}

/** The tokens of each block at the top. */
function grouped(tokens) {
  const groups = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) groups.push([]);
    groups.at(-1).push(token);
    depth += token.nesting;
  }
  return groups;
}

/** The tree of one block; null where it is nested so deeply that the parser gave up on the rest. */
function treeOf(tokens) {
  if (tokens.some((token) => token.level >= MAX_DEPTH)) return null;
  return nested(tokens)[0];
}

const plain = (source) => ({ type: "fence", tag: "code", content: source, info: "", attrs: {}, meta: null, children: [] });

function nested(tokens) {
  const root = { children: [] };
  const open = [root];
  for (const token of tokens) {
    if (token.nesting < 0) open.pop();
    else {
      const node = nodeOf(token);
      open.at(-1).children.push(node);
      if (token.nesting > 0) open.push(node);
    }
  }
  return root.children;
}

const nodeOf = (token) => ({
  type: token.type.replace(/_open$/, ""),
  tag: token.tag,
  content: token.content,
  info: token.info,
  attrs: Object.fromEntries(token.attrs ?? []),
  meta: token.meta,
  isTight: token.hidden,
  children: token.children ? nested(token.children) : [],
});
