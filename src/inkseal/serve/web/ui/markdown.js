/** Shows what a model wrote: Markdown with code, charts and mathematics, as nodes. While it grows, only the last block is drawn again. */
import { Component } from "preact";
import { html, useEffect, useMemo, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { GrowingText, isSafeLink, loadParser } from "../core/markdown.js";
import { Button } from "./button.js";
import { Chart, readChart } from "./chart.js";
import { Code } from "./code.js";
import { Maths } from "./maths.js";

const MAX_ROWS = 100;
/** Headings of an answer stand below the page's own. */
const HEADINGS = { h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6", h6: "h6" };
const PLAIN_TAGS = new Set(["p", "blockquote", "ul", "ol", "li", "strong", "em", "s", "thead", "tbody", "tr"]);

let parser = null;

/**
 * @param {object} props
 * @param {string} props.text
 * @param {boolean} [props.isWhole] nothing more will come
 */
export function Markdown({ text, isWhole = true }) {
  const [, drawn] = useState(0);
  useEffect(() => {
    if (!parser) loadParser().then((found) => ((parser = found), drawn(1)));
  }, []);
  const growing = useMemo(() => parser && new GrowingText(parser), [parser]);
  const blocks = useMemo(() => growing?.take(text, isWhole) ?? [], [growing, text, isWhole]);
  if (!growing) return html`<div class="prose prose-plain">${text}</div>`;
  return html`<div class="prose" dir="auto">
    ${blocks.map((block, index) => html`<${Block} key=${index} block=${block} isWhole=${isWhole || index < blocks.length - 1} />`)}
  </div>`;
}

class Block extends Component {
  shouldComponentUpdate(next) {
    const { block, isWhole } = this.props;
    return next.block.source !== block.source || next.block.refs !== block.refs || next.isWhole !== isWhole;
  }

  render({ block, isWhole }) {
    return draw(block.node, { isWhole }, 0);
  }
}

const all = (nodes, context) => nodes.map((node, index) => draw(node, context, index));

/** Returns the node of a piece; what is not known is shown as the text that it is. */
function draw(node, context, key) {
  const special = SPECIAL[node.type];
  if (special) return special(node, context, key);
  const tag = HEADINGS[node.tag] ?? node.tag;
  if (node.type === "heading") return html`<${tag} key=${key}>${all(node.children, context)}<//>`;
  if (!PLAIN_TAGS.has(tag)) return node.children.length ? all(node.children, context) : node.content;
  if (tag === "p" && node.isTight) return all(node.children, context);
  return html`<${tag} key=${key} start=${tag === "ol" ? node.attrs.start : undefined}>${all(node.children, context)}<//>`;
}

const SPECIAL = {
  text: (node) => node.content,
  inline: (node, context) => all(node.children, context),
  softbreak: () => "\n",
  hardbreak: (node, context, key) => html`<br key=${key} />`,
  hr: (node, context, key) => html`<hr key=${key} />`,
  code_inline: (node, context, key) => html`<code key=${key}>${node.content}</code>`,
  code_block: (node, context, key) => html`<${Code} key=${key} text=${node.content} isWhole=${context.isWhole} />`,
  fence: (node, context, key) => {
    const language = node.info.trim().split(/\s/)[0];
    const chart = language === "chart" && context.isWhole ? readChart(node.content) : null;
    if (chart) return html`<${Chart} key=${key} chart=${chart} />`;
    return html`<${Code} key=${key} text=${node.content} language=${language} isWhole=${context.isWhole} />`;
  },
  maths: (node, context, key) => html`<${Maths} key=${key} tex=${node.content} display=${node.meta.display} />`,
  maths_block: (node, context, key) => html`<${Maths} key=${key} tex=${node.content} display />`,
  link: (node, context, key) => html`<${Link} key=${key} address=${node.attrs.href}>${all(node.children, context)}<//>`,
  image: (node, context, key) => html`<${Elsewhere} key=${key} node=${node} />`,
  table: (node, context, key) => html`<${Table} key=${key} node=${node} context=${context} />`,
  th: (node, context, key) => html`<th key=${key} scope="col" class=${alignment(node)}>${all(node.children, context)}</th>`,
  td: (node, context, key) => html`<td key=${key} class=${alignment(node)}>${all(node.children, context)}</td>`,
};

const alignment = (node) => /text-align:(left|center|right)/.exec(node.attrs.style ?? "")?.[1] ?? "";

/** A link that says where it leads, since its words may say something else. */
function Link({ address, children }) {
  if (!isSafeLink(address ?? "")) return children;
  const place = placeOf(address);
  const words = textOf(children);
  return html`<a href=${address} target="_blank" rel="noopener noreferrer nofollow" title=${address}>${children}</a>${!words.includes(place) &&
    html`<span class="prose-place"> (${place})</span>`}`;
}

/** A picture that would have to be fetched: whoever put its address there would learn that it was read. */
function Elsewhere({ node }) {
  const address = node.attrs.src ?? "";
  const words = node.content || say("picture", "图片");
  return html`<span class="prose-elsewhere"
    >${say("Picture not loaded", "图片未加载")}: ${words}${isSafeLink(address) && html` <${Link} address=${address}>${placeOf(address)}<//>`}</span
  >`;
}

function placeOf(address) {
  try {
    const url = new URL(address);
    return url.protocol === "mailto:" ? decodeURIComponent(url.pathname) : url.host;
  } catch {
    return address;
  }
}

const textOf = (children) =>
  (Array.isArray(children) ? children.flat(9) : [children]).map((child) => (typeof child === "string" ? child : child?.props ? textOf(child.props.children) : "")).join("");

function Table({ node, context }) {
  const [isOpen, setOpen] = useState(false);
  const head = node.children.find((part) => part.type === "thead");
  const rows = node.children.find((part) => part.type === "tbody")?.children ?? [];
  const shown = isOpen ? rows : rows.slice(0, MAX_ROWS);
  return html`<div class="prose-table" role="region" aria-label=${say("Table", "表格")} tabindex="0">
    <table>
      ${head && html`<thead>${all(head.children, context)}</thead>`}
      <tbody>${all(shown, context)}</tbody>
    </table>
    ${shown.length < rows.length &&
    html`<${Button} small onClick=${() => setOpen(true)}>${say(`Show all ${rows.length} rows`, `显示全部 ${rows.length} 行`)}<//>`}
  </div>`;
}
