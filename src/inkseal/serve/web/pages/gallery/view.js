/** One artifact opened: its content with its label and seal, and what can be done with it. */
import { get, getBlob } from "../../core/api.js";
import { dateTime } from "../../core/format.js";
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { href } from "../../core/route.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { Dialog } from "../../ui/dialog.js";
import { Label } from "../../ui/label.js";
import { Markdown } from "../../ui/markdown.js";
import { Picture, isPicture } from "../../ui/picture.js";
import { Seal } from "../../ui/seal.js";
import { Empty, Failure, Note, Waiting } from "../../ui/states.js";
import { Export } from "./export.js";
import { titleOf } from "./words.js";

/** Asks for an artifact as a list has it, its proof and its words. @param {string} id @param {AbortSignal} signal */
export async function loadArtifact(id, signal) {
  const [item, report] = await Promise.all([
    get(`/api/v1/artifacts/${id}/listed`, { signal }),
    get(`/api/v1/artifacts/${id}/seal`, { signal }),
  ]);
  if (item.state !== "active" || !item.media_type.startsWith("text/")) return { item, report, text: "" };
  const { blob } = await getBlob(`/api/v1/artifacts/${id}/content`, { signal });
  return { item, report, text: await blob.text() };
}

/**
 * @param {object} props
 * @param {string} props.id
 * @param {() => void} props.onClose
 * @param {(ids: string[]) => void} props.onCollect
 * @param {(ids: string[]) => void} props.onDelete
 * @param {(id: string) => void} props.onCompare keeps it, to be compared with the next
 * @param {((step: number) => void) | null} props.onStep to the one before or after it in the list
 */
export function View({ id, onClose, onCollect, onDelete, onCompare, onStep }) {
  const { value, error, again } = useLoad((signal) => loadArtifact(id, signal), [id]);
  const press = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !onStep || event.target.closest("input, textarea, select, pre, [role=menu]")) return;
    event.preventDefault();
    onStep(step);
  };
  const isThere = value?.item.state === "active";
  const does = value && html`<div class="view-does">
    ${onStep && html`<${Button} kind="quiet" icon="left" label=${say("The one before", "上一个")} onClick=${() => onStep(-1)} /><${Button} kind="quiet" icon="right" label=${say("The next", "下一个")} onClick=${() => onStep(1)} />`}
    <span class="view-gap" />
    <${Button} kind="quiet" icon="trace" href=${href("trace", [id])}>${say("Trace", "溯源")}<//>
    ${isThere && html`<${Button} kind="quiet" icon="compare" onClick=${() => onCompare(id)}>${say("Compare", "比较")}<//>`}
    ${isThere && may("creator") && html`<${Button} kind="quiet" icon="folder" onClick=${() => onCollect([id])}>${say("Collect", "收藏")}<//>`}
    ${isThere && html`<${Export} ids=${[id]} formats=${value.report.formats.map((format) => format.name)} />`}
    ${value.item.state !== "deleted" && may("creator") && html`<${Button} kind="quiet" icon="trash" label=${say("Delete …", "删除……")} onClick=${() => onDelete([id])} />`}
  </div>`;
  return html`<${Dialog} wide title=${value ? titleOf(value.item) : say("A result", "作品")} onClose=${onClose} does=${does}>
    <div class="view" onKeyDown=${press}>
      ${error ? html`<${Failure} error=${error} again=${again} />` : !value ? html`<${Waiting} />` : html`<${Content} ...${value} />`}
    </div>
  <//>`;
}

function Content({ item, report, text }) {
  if (item.state === "deleted") {
    return html`<${Empty} icon="trash" title=${say("The content was deleted", "内容已删除")}>
      <p>${say("What remains is its entry in the ledger and its signed record, without any words.", "留下的只有账本条目与签名清单，其中没有任何文字。")}</p>
      <${Seal} artifactId=${item.id} />
    <//>`;
  }
  if (item.state === "withdrawn") {
    return html`<${Empty} icon="shield" title=${say("A check withdrew it", "已被检查撤回")}>
      <p>${say("Its words were not kept. Its record says which check it was and how much had been shown.", "其文字未被保留。记录中写明了是哪项检查，以及此前显示了多少。")}</p>
      <${Seal} artifactId=${item.id} />
    <//>`;
  }
  return html`${!report.intact && html`<${Note} kind="bad" title=${say("The seal is broken", "封印已破损")}>${say("It is not what was sealed. Its story says what was changed.", "它已不是封印时的样子。来历中写明了何处被改动。")}<//>`}
    <div class="view-head">
      ${report.label && html`<${Label} text=${report.label} />`}
      <span class="faint">${[item.app || item.model, dateTime(item.created_at)].filter(Boolean).join(" · ")}</span>
      <span class="view-gap" />
      ${text && html`<${Copy} text=${text} label=${say("Copy the text", "复制文字")} />`}
    </div>
    <div class="view-words">${isPicture(item) ? html`<${Picture} key=${item.id} id=${item.id} title=${titleOf(item)} />` : html`<${Markdown} text=${text} />`}</div>
    <div class="view-seal"><${Seal} artifactId=${item.id} /><span class="faint">${say("The seal opens its story.", "点开封印，查看来历。")}</span></div>`;
}
