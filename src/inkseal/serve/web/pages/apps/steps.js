/** The steps of a run as they go: what is at work, what was asked for again and why. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Icon } from "../../ui/icon.js";

const ICONS = { waiting: "minus", working: "", done: "check", skipped: "minus", failed: "warning" };
const SHOWN_CHARS = 1600;

/** @param {{run: import("./run.js").Run}} props */
export const Steps = ({ run }) => html`<ol class="app-steps" aria-label=${say("Steps", "步骤")}>
  ${run.steps.map((step) => html`<${Step} key=${step.name} step=${step} isRunning=${run.isRunning} />`)}
</ol>`;

function Step({ step, isRunning }) {
  const state = step.state === "working" && !isRunning ? "waiting" : step.state;
  const current = step.tries[step.tries.length - 1];
  const again = current && current.attempt > 1 ? say(`attempt ${current.attempt}`, `第 ${current.attempt} 次`) : "";
  const item = current?.item ? `${current.item} / ${current.numItems}` : "";
  const phase = { critique: say("critique", "评议"), refine: say("rewriting", "改写") }[current?.phase] ?? "";
  const aside = [state === "working" && phase, item, again, state === "skipped" && say("not needed", "无需执行")].filter(Boolean).join(" · ");
  return html`<li class=${`app-step app-step-${state}`} aria-current=${state === "working" ? "step" : undefined}>
    <p class="app-step-head">
      <span class="app-step-mark">${ICONS[state] ? html`<${Icon} name=${ICONS[state]} size=${15} />` : html`<span class="spinner" aria-hidden="true" />`}</span>
      <span>${step.title}</span>
      <span class="faint">${aside}</span>
    </p>
    ${state === "working" && current?.text && html`<pre class="app-step-text" aria-hidden="true">${current.text.slice(-SHOWN_CHARS)}</pre>`}
    ${step.tries
      .filter((one) => one.problems.length)
      .map(
        (one, index) => html`<details key=${index} class="app-step-try">
          <summary>${say(
            `${tryWords(one)} did not fit: ${one.problems[0]}`,
            `${tryWords(one)}不合要求：${one.problems[0]}`,
          )}</summary>
          <ul>${one.problems.map((text) => html`<li key=${text}>${text}</li>`)}</ul>
          <pre class="app-step-text">${one.text}</pre>
        </details>`,
      )}
  </li>`;
}

const tryWords = (one) =>
  one.item ? say(`Item ${one.item}, attempt ${one.attempt}`, `第 ${one.item} 项第 ${one.attempt} 次`) : say(`Attempt ${one.attempt}`, `第 ${one.attempt} 次`);
