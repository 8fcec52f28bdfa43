/** Which model answers: a few to choose from, what each takes, and how the fetching goes. */
import { html, useId } from "../../core/html.js";
import { duration, size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { writesText } from "../../core/models.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Progress } from "../../ui/progress.js";
import { Failure, Note } from "../../ui/states.js";
import { Tag } from "../../ui/tag.js";

const MOST = 4;
const isDefault = (model) => model.name === "default" || model.aliases.includes("default");
const isFake = (model) => model.format === "echo";

/** Returns the models to offer: the installation's own first, then those that are here, then the small ones; the fake last. */
export function offered(models) {
  const rank = (model) => (isDefault(model) ? 0 : isFake(model) ? 3 : model.here ? 1 : 2);
  const found = models.filter(writesText);
  const sorted = found.sort((a, b) => rank(a) - rank(b) || a.size_bytes - b.size_bytes);
  return [...sorted.filter((model) => !isFake(model)).slice(0, MOST), ...sorted.filter(isFake)];
}

/** @param {{models: any[], chosen: any, pull: import("./pull.js").Pull, onChoose: (name: string) => void}} props */
export function Models({ models, chosen, pull, onChoose }) {
  const group = useId();
  return html`<fieldset class="start-models">
      <legend class="unseen">${say("Which model answers", "由哪个模型回答")}</legend>
      ${models.map(
        (model) => html`<label key=${model.name} class="start-model">
          <input type="radio" name=${group} checked=${model.name === chosen.name} disabled=${pull.isRunning} onChange=${() => onChoose(model.name)} />
          <span class="start-model-name">${model.title}</span>
          <${State} model=${model} />
        </label>`,
      )}
    </fieldset>
    <p class="faint small">${chosen.description} ${chosen.limits} ${chosen.licence && say(`Licence: ${chosen.licence}.`, `许可证：${chosen.licence}。`)}</p>
    ${chosen.problem && html`<${Note} kind="bad">${chosen.problem}<//>`}
    ${chosen.need?.fit === "too_large" && html`<${Note} kind="warn">${say("This model may not fit into this machine's memory.", "此模型可能超出本机内存。")}<//>`}
    ${!chosen.here && !may("admin") && html`<${Note} kind="warn">${say("This model is not here yet; an administrator can fetch it.", "此模型尚未安装；请联系管理员获取。")}<//>`}
    ${pull.task && html`<${Fetching} pull=${pull} />`}
    ${pull.error && html`<${Failure} error=${pull.error} again=${pull.begin} />`}`;
}

const State = ({ model }) => html`<span class="start-model-facts">
  ${isFake(model)
    ? html`<${Tag}>${say("for trying out", "仅供试用")}<//>`
    : model.here
      ? html`<${Tag} kind="good" icon="check">${say("here", "已就绪")}<//>`
      : html`<${Tag} icon="download">${size(model.size_bytes)}<//>`}
</span>`;

function Fetching({ pull }) {
  const { done, total, unit, started_at: begun } = pull.task;
  const isBytes = unit === "bytes" && total;
  const seconds = (Date.now() - new Date(begun).getTime()) / 1000;
  const left = isBytes && done > total / 50 && seconds > 2 ? (seconds / done) * (total - done) : null;
  const rest = left === null ? "" : say(` · ${duration(left)} left`, ` · 还需 ${duration(left)}`);
  return html`<div class="start-fetching">
    <${Progress}
      label=${isBytes && done < total ? say("Fetching the model", "正在获取模型") : say("Preparing the model", "正在准备模型")}
      done=${done}
      total=${isBytes ? total : null}
      words=${isBytes ? `${size(done)} / ${size(total)}${rest}` : ""}
    />
    <${Button} small kind="quiet" icon="stop" onClick=${pull.stop}>${say("Stop", "停止")}<//>
  </div>`;
}
