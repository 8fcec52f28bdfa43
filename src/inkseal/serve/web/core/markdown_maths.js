/** Rules for the Markdown parser that find TeX: `$…$`, `\(…\)`, `$$…$$`, `\[…\]` and named environments. */

const MAX_CHARS = 10_000;
const DOLLAR = 0x24;
const BACKSLASH = 0x5c;
const BACKTICK = 0x60;
const OPENING = { "$$": "$$", "\\[": "\\]" };
const ENVIRONMENT = /^\\begin\{((?:equation|align|alignat|gather|multline|cases|matrix|[bpvV]matrix|split)\*?)\}/;

/** Adds the rules to a parser. @param {any} parser */
export function addMaths(parser) {
  parser.inline.ruler.before("escape", "maths", inline);
  parser.block.ruler.before("fence", "maths_block", block, { alt: ["paragraph", "reference", "blockquote", "list"] });
}

function inline(state, silent) {
  const code = state.src.charCodeAt(state.pos);
  if (code !== DOLLAR && code !== BACKSLASH) return false;
  const found = code === DOLLAR ? betweenDollars(state.src, state.pos, state.posMax) : betweenBrackets(state.src, state.pos, state.posMax);
  if (!found) return false;
  if (!silent) {
    const token = state.push("maths", "", 0);
    token.content = found.tex;
    token.meta = { display: found.display };
  }
  state.pos = found.end;
  return true;
}

/** A single dollar opens before no blank and closes after none and before no digit, so that prices stay prices; code between them is code. */
function betweenDollars(text, start, limit) {
  const display = text.charCodeAt(start + 1) === DOLLAR;
  const width = display ? 2 : 1;
  const begin = start + width;
  if (begin >= limit || (!display && /\s/.test(text[begin]))) return null;
  for (let at = begin; at < Math.min(limit, begin + MAX_CHARS); at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === BACKTICK) return null;
    else if (code === DOLLAR) {
      if (display ? text.charCodeAt(at + 1) !== DOLLAR : /\s/.test(text[at - 1]) || /\d/.test(text[at + 1] ?? "")) {
        if (!display) return null;
        continue;
      }
      if (at === begin) return null;
      return { tex: text.slice(begin, at), end: at + width, display };
    }
  }
  return null;
}

function betweenBrackets(text, start, limit) {
  const kind = text[start + 1];
  if (kind !== "(" && kind !== "[") return null;
  const closing = kind === "(" ? "\\)" : "\\]";
  const end = text.indexOf(closing, start + 2);
  if (end < 0 || end + 2 > limit || end - start > MAX_CHARS || end === start + 2) return null;
  return { tex: text.slice(start + 2, end), end: end + 2, display: kind === "[" };
}

function block(state, startLine, endLine, silent) {
  const begin = state.bMarks[startLine] + state.tShift[startLine];
  const first = state.src.slice(begin, state.eMarks[startLine]);
  const environment = ENVIRONMENT.exec(first)?.[1];
  const opening = environment ? "" : first.slice(0, 2);
  const closing = environment ? `\\end{${environment}}` : OPENING[opening];
  if (!closing) return false;
  const found = until(state, startLine, endLine, begin + opening.length, closing);
  if (!found) return false;
  if (silent) return true;
  const token = state.push("maths_block", "", 0);
  token.block = true;
  token.content = environment ? found.tex + closing : found.tex;
  token.map = [startLine, found.line + 1];
  state.line = found.line + 1;
  return true;
}

/** What stands up to the closing words, which must end their line. */
function until(state, startLine, endLine, begin, closing) {
  let tex = "";
  for (let line = startLine; line < endLine; line += 1) {
    if (line > startLine && state.sCount[line] < state.blkIndent) return null;
    const from = line === startLine ? begin : state.bMarks[line] + state.tShift[line];
    const text = state.src.slice(from, state.eMarks[line]);
    const end = text.indexOf(closing);
    if (end >= 0) return text.slice(end + closing.length).trim() ? null : { tex: tex + text.slice(0, end), line };
    tex += `${text}\n`;
    if (tex.length > MAX_CHARS) return null;
  }
  return null;
}
