/** What can be done with the chosen artifacts; stands at the foot of the window while there are any. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { href } from "../../core/route.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Export } from "./export.js";

const FORMATS = { text: ["markdown", "txt", "html", "pdf"], image: ["png", "jpeg", "webp"] };

/** Returns the files that all of the chosen can be saved as. @param {Map<string, import("./types.js").Item>} chosen */
function formatsOf(chosen) {
  const kinds = new Set([...chosen.values()].map((item) => item?.modality));
  return kinds.size === 1 ? (FORMATS[[...kinds][0]] ?? []) : [];
}

/**
 * @param {object} props
 * @param {Map<string, import("./types.js").Item>} props.chosen
 * @param {Record<string, string>} props.query
 * @param {() => void} props.onClear
 * @param {(kind: "collect" | "delete") => void} props.onWork
 */
export function Choosing({ chosen, query, onClear, onWork }) {
  const ids = [...chosen.keys()];
  const canCompare = ids.length === 2;
  return html`<section class="choosing" aria-label=${say("With the chosen ones", "对所选作品")}>
    <p class="choosing-count" role="status">${say(`${ids.length} chosen`, `已选 ${ids.length} 个`)}</p>
    <${Button}
      kind="quiet"
      icon="compare"
      href=${canCompare ? href("gallery", ["compare", ...ids], query) : undefined}
      disabled=${!canCompare}
      title=${canCompare ? undefined : say("Choose two to compare them", "选择两个即可比较")}
    >
      ${canCompare ? say("Compare", "比较") : say("Choose a second to compare", "再选一个可比较")}
    <//>
    ${may("creator") && html`<${Button} kind="quiet" icon="folder" onClick=${() => onWork("collect")}>${say("Collect", "收藏")}<//>`}
    <${Export} ids=${ids} formats=${formatsOf(chosen)} />
    ${may("creator") && html`<${Button} kind="quiet" icon="trash" onClick=${() => onWork("delete")}>${say("Delete …", "删除……")}<//>`}
    <${Button} kind="quiet" icon="close" label=${say("Choose none", "取消选择")} onClick=${onClear} />
  </section>`;
}
