/** What a model said: as it comes, and afterwards with its label, its seal, its cost and what can be done with it. */
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { href } from "../../core/route.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { Icon } from "../../ui/icon.js";
import { Label } from "../../ui/label.js";
import { Markdown } from "../../ui/markdown.js";
import { Picture, isPicture } from "../../ui/picture.js";
import { Progress } from "../../ui/progress.js";
import { Seal } from "../../ui/seal.js";
import { Note } from "../../ui/states.js";
import { answers, ask, lives } from "./conversation.js";
import { Forks } from "./forks.js";
import { LiveMeters, Meters } from "./meters.js";
import { Structured } from "./structured.js";
import { ToolCalls } from "./tools.js";
import { isOver } from "./tree.js";

/** @param {{turn: import("./tree.js").Turn, settings: any, isLast: boolean}} props */
export function Answer({ turn, settings, isLast }) {
  const live = lives.value.get(turn.id);
  const answer = turn.run_id ? answers.value.get(turn.run_id) : undefined;
  const [wasLive] = useState(!!live || !isOver(turn));
  const label = live?.label || answer?.label;
  return html`<article class="turn turn-answer" aria-label=${say("Answer", "回答")} aria-busy=${live ? "true" : "false"}>
    <div key="head" class="answer-head">
      ${label && html`<${Label} text=${label} />`}
      <span class="faint answer-model">${answer?.model || turn.asked.model || ""}</span>
    </div>
    <${Body} key="body" live=${live} text=${answer?.text ?? ""} turn=${turn} />
    ${!live && answer?.state === "active" && isPicture(answer.artifact) && html`<${Picture} key="picture" id=${answer.artifact.id} title=${answer.artifact.title} />`}
    ${live
      ? html`<${Coming} key="coming" live=${live} turn=${turn} />`
      : html`<${There} key="there" turn=${turn} answer=${answer} isLast=${isLast} isNew=${wasLive} settings=${settings} />`}
  </article>`;
}

/** The words, drawn at one place from the first to the last, so that nothing flickers when they are whole. */
function Body({ live, text, turn }) {
  const words = live ? live.text.value : text;
  const schema = turn.asked.constraint?.json_schema;
  if (!words) return null;
  if (schema && !live) return html`<${Structured} text=${words} schema=${schema} />`;
  return html`<${Markdown} text=${words} isWhole=${!live} />`;
}

function Coming({ live, turn }) {
  const progress = live.progress.value;
  return html`${!live.text.value && html`<${Thinking} live=${live} />`}
    ${progress && html`<${Progress} label=${progress.what} done=${progress.done} total=${progress.total} />`}
    <${ToolCalls} turn=${turn} calls=${live.toolCalls.value} />
    <${LiveMeters} live=${live} />`;
}

const Thinking = ({ live }) => html`<p class="thinking" role="status">
  <span class="thinking-drop" aria-hidden="true" />
  <span>${live.status.value === "waiting" ? say("Waiting for a place …", "正在排队……") : say("The brush is being inked …", "正在研墨……")}</span>
</p>`;

function There({ turn, answer, isLast, isNew, settings }) {
  const text = answer?.text ?? "";
  return html`<${State} turn=${turn} answer=${answer} />
    <${ToolCalls} turn=${turn} calls=${turn.tool_calls ?? []} canAnswer=${isLast} settings=${settings} />
    <div class="answer-foot">
      <${Seal} artifactId=${answer?.artifact?.id} isNew=${isNew} />
      <div class="answer-facts">
        <div class="turn-does">
          <${Forks} turn=${turn} />
          ${text && html`<${Copy} text=${text} />`}
          <${Button} kind="quiet" small icon="refresh" label=${say("Answer again", "重新回答")} onClick=${() => ask(turn.parent, settings)} />
        </div>
        ${answer?.usage && html`<${Meters} usage=${answer.usage} />`}
      </div>
    </div>`;
}

/** Says why an answer is not whole. */
function State({ turn, answer }) {
  if (turn.error) {
    const isMissing = turn.error.includes("inkseal models pull");
    return html`<${Note} kind="bad" title=${say("No answer", "没有回答")}>
      <p>${turn.error}</p>
      ${isMissing && html`<p><a href=${href("models")}>${say("Fetch the model here", "在此获取模型")}</a></p>`}
    <//>`;
  }
  const words = {
    withdrawn: say("This answer was withdrawn by a check.", "此回答已被检查撤回。"),
    deleted: say("This answer was deleted; its record remains.", "此回答已删除，记录仍在。"),
    damaged: say("This answer's content is damaged on the disk.", "此回答的内容在磁盘上已损坏。"),
  }[answer?.state];
  if (words) return html`<${Note} kind="warn">${words}<//>`;
  if (!isOver(turn)) return html`<p class="faint">${say("Another window began this answer.", "此回答由另一窗口发起。")}</p>`;
  if (turn.finish_reason === "length") return html`<p class="answer-end"><${Icon} name="info" size=${16} /> ${say("It ended at the longest length; raise it in the panel.", "已达到长度上限，可在面板中调高。")}</p>`;
  if (turn.finish_reason === "cancelled") return html`<p class="answer-end"><${Icon} name="stop" size=${16} /> ${say("Stopped here.", "已在此停止。")}</p>`;
  return null;
}
