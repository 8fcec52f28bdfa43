/** Two results side by side, with what only one of them says marked: by colour and by how it is underlined. */
import { dateTime, duration, number, percent } from "../../core/format.js";
import { difference, shared } from "../../core/diff.js";
import { html, useMemo, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { go, href } from "../../core/route.js";
import { Button } from "../../ui/button.js";
import { SwitchField } from "../../ui/field.js";
import { Label } from "../../ui/label.js";
import { Markdown } from "../../ui/markdown.js";
import { Facts, Head } from "../../ui/panel.js";
import { Picture, isPicture } from "../../ui/picture.js";
import { Seal } from "../../ui/seal.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { titleOf } from "./words.js";
import { loadArtifact } from "./view.js";

/** @param {{left: string, right: string, query: Record<string, string>}} props ids; query: what the gallery goes back to */
export function Compare({ left, right, query }) {
  const { value, error, again } = useLoad((signal) => Promise.all([loadArtifact(left, signal), loadArtifact(right, signal)]), [left, right]);
  const [isMarked, setMarked] = useState(true);
  const pieces = useMemo(() => (value ? difference(value[0].text, value[1].text) : []), [value]);
  return html`<div class="compare">
    <${Head} title=${say("Compare two results", "比较两个作品")}>
      <${Button} icon="left" href=${href("gallery", [], query)}>${say("Back", "返回")}<//>
      <${Button} icon="compare" onClick=${() => go("gallery", ["compare", right, left], query)}>${say("Swap", "对调")}<//>
    <//>
    ${error ? html`<${Failure} error=${error} again=${again} />` : !value ? html`<${Waiting} />` : null}
    ${value &&
    html`<div class="compare-legend">
        <${SwitchField} label=${say("Mark what differs", "标出不同之处")} value=${isMarked} onChange=${setMarked} />
        <p class="faint">${say(`${percent(shared(pieces))} of the words are the same.`, `${percent(shared(pieces))} 的文字相同。`)}</p>
        ${isMarked && html`<p class="compare-key"><del>${say("only on the left", "仅在左侧")}</del> <ins>${say("only on the right", "仅在右侧")}</ins></p>`}
      </div>
      <div class="compare-sides">
        <${Side} ...${value[0]} pieces=${isMarked ? pieces.filter((piece) => piece.kind !== "right") : null} name=${say("Left", "左侧")} />
        <${Side} ...${value[1]} pieces=${isMarked ? pieces.filter((piece) => piece.kind !== "left") : null} name=${say("Right", "右侧")} />
      </div>`}
  </div>`;
}

function Side({ item, report, text, pieces, name }) {
  const made = report.manifest?.manifest;
  return html`<section class="panel compare-side" aria-label=${name}>
    <header class="compare-head">
      <div>
        <h2>${titleOf(item)}</h2>
        <p class="faint">${[item.app || item.model, dateTime(item.created_at)].filter(Boolean).join(" · ")}</p>
        ${report.label && html`<${Label} text=${report.label} />`}
      </div>
      <${Seal} artifactId=${item.id} />
    </header>
    ${item.state !== "active" && html`<${Note} kind="warn">${titleOf(item)}<//>`}
    ${isPicture(item) && item.state === "active" ? html`<${Picture} key=${item.id} id=${item.id} title=${titleOf(item)} />` : pieces ? html`<div class="compare-words">${pieces.map(pieceOf)}</div>` : html`<${Markdown} text=${text} />`}
    ${made &&
    html`<${Facts}
      facts=${[
        [say("Seed", "随机种子"), made.seed === null ? "" : html`<code>${made.seed}</code>`],
        [say("Temperature", "温度"), made.request?.sampling?.temperature],
        [say("Tokens", "词元"), number(made.usage.completion_tokens)],
        [say("Time", "用时"), duration(made.usage.total_seconds)],
      ]}
    />`}
  </section>`;
}

const pieceOf = (piece, index) =>
  piece.kind === "both" ? piece.text : piece.kind === "left" ? html`<del key=${index}>${piece.text}</del>` : html`<ins key=${index}>${piece.text}</ins>`;
