/** A piece of code with its language, a copy button, and its words coloured once it is whole. */
import { html, useEffect, useState } from "../core/html.js";
import { colour, languageOf } from "../core/highlight.js";
import { say } from "../core/language.js";
import { Copy } from "./copy.js";

/** @param {{text: string, language?: string, isWhole?: boolean}} props */
export function Code({ text, language = "", isWhole = true }) {
  const [pieces, setPieces] = useState(null);
  const shown = text.replace(/\n$/, "");
  const known = languageOf(language);
  useEffect(() => {
    let isWanted = true;
    setPieces(null);
    if (isWhole && known) colour(shown, known.name).then((found) => isWanted && setPieces(found), () => {});
    return () => (isWanted = false);
  }, [shown, known?.name, isWhole]);
  const title = known?.title ?? language.slice(0, 30);
  return html`<figure class="code">
    <figcaption class="code-head"><span>${title || say("Text", "文本")}</span><${Copy} text=${shown} label=${say("Copy the code", "复制代码")} /></figcaption>
    <pre tabindex="0" role="region" aria-label=${say(`Code: ${title || "text"}`, `代码：${title || "文本"}`)}><code
      dir="ltr">${pieces ? drawn(pieces) : shown}</code></pre>
  </figure>`;
}

const drawn = (pieces) =>
  pieces.map((piece, index) => (typeof piece === "string" ? piece : html`<span key=${index} class=${piece.kind}>${drawn(piece.children)}</span>`));
