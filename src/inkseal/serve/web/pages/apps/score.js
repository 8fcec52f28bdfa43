/** How an app did on its cases: shown where it was measured with this very file, and said where it was not. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Tag } from "../../ui/tag.js";

/** Returns the mean over languages of the model that was measured best; null where nothing was. */
export function scoreOf(scores) {
  const byModel = new Map();
  for (const one of scores ?? []) byModel.set(one.model, [...(byModel.get(one.model) ?? []), one]);
  const means = [...byModel].map(([model, all]) => ({
    model,
    score: all.reduce((sum, one) => sum + one.score * one.num_cases, 0) / all.reduce((sum, one) => sum + one.num_cases, 0),
    cases: all.reduce((sum, one) => sum + one.num_cases, 0),
  }));
  return means.sort((a, b) => b.score - a.score)[0] ?? null;
}

/** @param {{score: {model: string, score: number, cases: number}}} props */
export const ScoreTag = ({ score }) => {
  const points = Math.round(score.score * 100);
  const title = say(
    `${points} of 100 on ${score.cases} cases with ${score.model}`,
    `${score.model} 在 ${score.cases} 个用例上得 ${points} 分（满分 100）`,
  );
  return html`<${Tag} kind=${points >= 80 ? "good" : points >= 50 ? "warn" : "bad"} title=${title}>${say(`${points} of 100`, `${points} 分`)}<//>`;
};

/** Every measurement with its failures. @param {{app: any}} props */
export function Scores({ app }) {
  if (!app.scores.length) {
    return html`<p class="faint">${say(
      `Not measured yet with this file (${app.num_cases} cases).`,
      `此版本尚未评测（共 ${app.num_cases} 个用例）。`,
    )}</p>`;
  }
  return html`<ul class="app-scores">
    ${app.scores.map((one) => {
      const words = say(
        `${one.model}, ${one.language === "zh" ? "Chinese" : "English"}: ${Math.round(one.score * 100)} of 100 · ${one.num_finished} of ${one.num_cases} cases ended with a result`,
        `${one.model}（${one.language === "zh" ? "中文" : "英文"}）：${Math.round(one.score * 100)} 分 · ${one.num_cases} 个用例中 ${one.num_finished} 个有结果`,
      );
      return html`<li key=${one.model + one.language}>
        <p>${words}</p>
        ${one.failures.length > 0 &&
        html`<details>
          <summary>${say(`What was not met (${one.failures.length})`, `未满足项（${one.failures.length}）`)}</summary>
          <ul>${one.failures.map((text, index) => html`<li key=${index}>${text}</li>`)}</ul>
        </details>`}
      </li>`;
    })}
  </ul>`;
}
