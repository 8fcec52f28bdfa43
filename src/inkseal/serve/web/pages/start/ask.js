/** The first question: one's own, or one to take. */
import { html } from "../../core/html.js";
import { size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Growing } from "../../ui/field.js";

const QUESTIONS = [
  { en: "Explain to a ten-year-old why the sky is blue.", zh: "向十岁的孩子解释天空为什么是蓝色的。" },
  { en: "Write a short, warm product text for a hand-thrown tea cup.", zh: "为一只手工茶杯写一段简短温暖的文案。" },
  { en: "Write a Python function that finds palindromes.", zh: "写一个查找回文的 Python 函数。" },
];

/** @param {{draft: import("@preact/signals").Signal<{text: string, isWaiting: boolean}>, model: any, pull: import("./pull.js").Pull, onAsk: () => void}} props */
export function Ask({ draft, model, pull, onAsk }) {
  const { text } = draft.value;
  const isWaiting = draft.value.isWaiting && pull.isRunning;
  const mayAsk = text.trim() && (model.here || may("admin")) && !isWaiting;
  const submit = (event) => {
    event.preventDefault();
    if (mayAsk) onAsk();
  };
  const press = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) submit(event);
  };
  const words = isWaiting
    ? say("Will be answered when the model is here", "模型就绪后即回答")
    : model.here
      ? say("Ask", "提问")
      : say(`Fetch ${size(model.size_bytes)} and ask`, `获取 ${size(model.size_bytes)} 并提问`);
  return html`<form class="start-ask" onSubmit=${submit}>
    <div class="start-questions">
      ${QUESTIONS.map(
        (one) => html`<${Button} key=${one.en} small onClick=${() => (draft.value = { ...draft.value, text: say(one.en, one.zh) })}>${say(one.en, one.zh)}<//>`,
      )}
    </div>
    <${Growing}
      aria-label=${say("Your question", "您的问题")}
      placeholder=${say("Write a question, or take one of these", "写下问题，或选用上面的一个")}
      rows=${2}
      value=${text}
      onChange=${(given) => (draft.value = { ...draft.value, text: given })}
      onKeyDown=${press}
    />
    <div class="row">
      <${Button} kind="primary" type="submit" icon="send" disabled=${!mayAsk && !isWaiting} busy=${isWaiting}>${words}<//>
      ${pull.isRunning && html`<span class="faint small">${say("You may close this page; fetching goes on.", "可以关闭此页面，获取会继续。")}</span>`}
    </div>
  </form>`;
}
