/** Colours code: the grammar of a language is fetched when code of it is first shown. Gives pieces, never markup. */

/** @typedef {string | {kind: string, children: Piece[]}} Piece */

const MAX_CHARS = 40_000;
const GRAMMARS = new Set(
  "bash c cpp csharp css diff go ini java javascript json kotlin latex markdown python r rust sql typescript xml yaml".split(" "),
);
const OTHER_NAMES = {
  sh: "bash", shell: "bash", zsh: "bash", console: "bash", "c++": "cpp", "c#": "csharp", cs: "csharp", patch: "diff", golang: "go",
  toml: "ini", js: "javascript", jsx: "javascript", mjs: "javascript", jsonc: "json", kt: "kotlin", tex: "latex", md: "markdown",
  py: "python", python3: "python", rs: "rust", ts: "typescript", tsx: "typescript", html: "xml", svg: "xml", vue: "xml", yml: "yaml",
};
const TITLES = {
  bash: "Shell", c: "C", cpp: "C++", csharp: "C#", css: "CSS", go: "Go", ini: "TOML", java: "Java", javascript: "JavaScript", json: "JSON",
  kotlin: "Kotlin", latex: "LaTeX", python: "Python", r: "R", rust: "Rust", sql: "SQL", typescript: "TypeScript", xml: "HTML", yaml: "YAML",
};

let loading = null;
const loaded = new Map();

/**
 * Returns the language of a fence, or null when it is not known.
 * @param {string} given
 * @returns {{name: string, title: string} | null}
 */
export function languageOf(given) {
  const asked = given.toLowerCase();
  const name = OTHER_NAMES[asked] ?? asked;
  if (!GRAMMARS.has(name)) return null;
  return { name, title: TITLES[name] ?? name[0].toUpperCase() + name.slice(1) };
}

/**
 * Returns the code in pieces.
 * @param {string} text
 * @param {string} name a language's
 * @returns {Promise<Piece[]>}
 */
export async function colour(text, name) {
  if (text.length > MAX_CHARS) return [text];
  const highlighter = await load(name);
  return highlighter.highlight(text, { language: name, ignoreIllegals: true })._emitter.pieces;
}

async function load(name) {
  loading ??= import("../vendor/highlight/core.js").then((module) => {
    module.default.configure({ __emitter: Pieces, classPrefix: "code-" });
    return module.default;
  });
  const highlighter = await loading;
  if (!loaded.has(name)) loaded.set(name, import(`../vendor/highlight/${name}.js`));
  highlighter.registerLanguage(name, (await loaded.get(name)).default);
  return highlighter;
}

/** Takes what the highlighter finds, in the place of its writer of markup. */
class Pieces {
  constructor() {
    this.pieces = /** @type {Piece[]} */ ([]);
    this.open = [this.pieces];
  }

  addText(text) {
    if (text) this.open.at(-1).push(text);
  }

  openNode(scope) {
    const piece = { kind: `code-${scope.split(".")[0]}`, children: [] };
    this.open.at(-1).push(piece);
    this.open.push(piece.children);
  }

  closeNode() {
    if (this.open.length > 1) this.open.pop();
  }

  startScope(scope) {
    this.openNode(scope);
  }

  endScope() {
    this.closeNode();
  }

  __addSublanguage(emitter) {
    this.open.at(-1).push(...emitter.pieces);
  }

  finalize() {}

  closeAllNodes() {
    this.open = [this.pieces];
  }

  toHTML() {
    return "";
  }
}
