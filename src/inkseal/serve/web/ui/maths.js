/** Shows TeX as MathML. Until the reader of TeX is here, and where it cannot read something, the TeX itself is shown. */
import { h, html, useEffect, useMemo, useState } from "../core/html.js";
import { say } from "../core/language.js";

const TAGS = new Set(
  ("math mrow mi mo mn ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom msub msup msubsup munder mover " +
    "munderover mmultiscripts mprescripts none mtable mtr mtd menclose semantics").split(" "),
);
const ATTRIBUTES = new Set(
  ("accent accentunder columnalign columnlines columnspacing columnspan depth display displaystyle fence form height largeop " +
    "linethickness lspace mathvariant maxsize minsize movablelimits notation rowspacing rspace scriptlevel separator stretchy " +
    "symmetric voffset width xml:space").split(" "),
);
const STYLES = new Set(
  ("color backgroundColor paddingLeft paddingRight paddingTop paddingBottom padding marginLeft marginRight textAlign fontSize fontWeight " +
    "fontStyle borderTop borderBottom borderLeft borderRight border width height verticalAlign mathDepth display").split(" "),
);
const OPTIONS = { throwOnError: true, trust: false, maxExpand: 500, maxSize: [40, 40], strict: false, annotate: false, wrap: "none" };
const MAX_CHARS = 5_000;

let reader = null;
let loading = null;

const load = () => (loading ??= import("../vendor/temml.js").then((module) => (reader = module.default)));

/** @param {{tex: string, display?: boolean}} props */
export function Maths({ tex, display = false }) {
  const [, drawn] = useState(0);
  useEffect(() => {
    if (!reader) load().then(() => drawn(1), () => {});
  }, []);
  const node = useMemo(() => (reader ? mathOf(tex, display) : null), [reader, tex, display]);
  if (!node) return html`<code class="maths-tex" lang="und" title=${reader ? say("This TeX cannot be read", "无法解析此 TeX") : undefined}>${tex}</code>`;
  return display ? html`<div class="maths" tabindex="0" role="group" aria-label=${say("Formula", "公式")}>${node}</div>` : node;
}

/** Returns the formula as a node, or null when it cannot be read. */
function mathOf(tex, display) {
  if (tex.length > MAX_CHARS) return null;
  try {
    return drawnOf(reader.__renderToMathMLTree(tex, { ...OPTIONS, displayMode: display }), 0);
  } catch {
    return null;
  }
}

/** Takes over only what MathML is made of: the tree comes from what a model wrote. */
function drawnOf(node, key) {
  if (typeof node.text === "string" && !node.children) return node.text;
  const children = (node.children ?? []).map(drawnOf);
  if (!TAGS.has(node.type)) return children;
  const given = { key };
  for (const [name, value] of Object.entries(node.attributes ?? {})) if (ATTRIBUTES.has(name)) given[name] = String(value);
  const style = Object.entries(node.style ?? {}).filter(([name, value]) => STYLES.has(name) && !/url\(|expression/i.test(String(value)));
  if (style.length) given.style = Object.fromEntries(style);
  const names = (node.classes ?? []).filter((name) => /^tml-[a-z-]+$/.test(name));
  if (names.length) given.class = names.join(" ");
  return h(node.type, given, ...children);
}
