/** The tools that a model asked for. Nothing is run here: a person looks at the call and may give a result. */
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { LongField } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { answerCall } from "./conversation.js";
import { Tree } from "./structured.js";

/** @param {{turn: import("./tree.js").Turn, calls: any[], canAnswer?: boolean, settings?: any}} props */
export const ToolCalls = ({ turn, calls, canAnswer, settings }) =>
  calls.length > 0 &&
  html`<div class="tools">
    ${calls.map((call) => html`<${Call} key=${call.id} turn=${turn} call=${call} canAnswer=${canAnswer} settings=${settings} />`)}
  </div>`;

function Call({ turn, call, canAnswer, settings }) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const give = () => {
    setOpen(false);
    answerCall(turn, call.id, text, settings);
  };
  return html`<section class="tool" aria-label=${say(`Call of the tool ${call.name}`, `调用工具 ${call.name}`)}>
    <p class="tool-head"><${Icon} name="tool" size=${16} /> <b>${call.name}</b> <span class="faint">${say("asked for, not run", "已请求，未执行")}</span></p>
    <${Tree} value=${call.arguments} />
    ${canAnswer && !isOpen && html`<${Button} small onClick=${() => setOpen(true)}>${say("Give its result", "填写结果")}<//>`}
    ${isOpen &&
    html`<${LongField} label=${say("What the tool gave", "工具返回的内容")} value=${text} onChange=${setText} />
      <div class="tool-does">
        <${Button} small onClick=${() => setOpen(false)}>${say("Cancel", "取消")}<//>
        <${Button} small kind="primary" onClick=${give}>${say("Go on", "继续")}<//>
      </div>`}
  </section>`;
}
