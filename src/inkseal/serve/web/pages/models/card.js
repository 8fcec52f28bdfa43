/** One model of the catalogue. */
import { html } from "../../core/html.js";
import { ago, number, size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { writesText } from "../../core/models.js";
import { href } from "../../core/route.js";
import { may } from "../../core/session.js";
import { isRunning, taskOf } from "../../core/tasks.js";
import { Button } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { Facts } from "../../ui/panel.js";
import { Note } from "../../ui/states.js";
import { Tag } from "../../ui/tag.js";
import { Fit, languageWords, needWords, paceWords, parameterWords, taskWords } from "./words.js";
import { Work } from "./work.js";

const RUNS = ["generate", "embed"];

/**
 * @param {object} props
 * @param {any} props.model
 * @param {Record<string, (model: any) => void>} props.does fetch, load, unload, measure, remove
 * @param {(model: any) => void} props.onShow told which model is pointed at, and null after
 */
export function ModelCard({ model, does, onShow }) {
  const id = `model-${model.name}`;
  const runs = RUNS.includes(model.task);
  const point = () => onShow(model);
  const leave = () => onShow(null);
  return html`<li class="panel model" aria-labelledby=${id} onMouseEnter=${point} onMouseLeave=${leave} onFocusIn=${point} onFocusOut=${leave}>
    <header class="model-head">
      <h3 id=${id}><a href=${href("models", [model.name])}>${model.title}</a></h3>
      ${may("admin") && html`<${More} model=${model} does=${does} />`}
    </header>
    <p class="row">
      <${Tag}>${taskWords(model)}<//>
      ${model.aliases.map((alias) => html`<${Tag} key=${alias}><code>${alias}</code><//>`)}
      <${Fit} model=${model} />
    </p>
    <p>${model.description}</p>
    <p class="faint small">${model.limits}</p>
    <${Facts}
      facts=${[
        [say("Licence", "许可"), model.licence],
        [say("Size", "大小"), model.size_bytes ? size(model.size_bytes) : say("no files", "无文件")],
        [say("Memory", "内存"), needWords(model)],
        [say("Speed here", "本机速度"), model.here && writesText(model) ? paceWords(model.pace) || html`<span class="faint">${say("not measured yet", "尚未测得")}</span>` : ""],
        [say("Parameters", "参数量"), parameterWords(model.parameters)],
        [say("Context", "上下文"), model.context_tokens ? say(`${number(model.context_tokens)} tokens`, `${number(model.context_tokens)} 词元`) : ""],
        [say("Languages", "语言"), languageWords(model.languages)],
      ]}
    />
    ${(model.problem || model.need.why) && html`<${Note} kind="bad">${model.problem || model.need.why}<//>`}
    <${Measured} model=${model} />
    <${Work} name=${model.name} />
    <footer class="model-does">${may("admin") && html`<${Main} model=${model} runs=${runs} does=${does} />`}</footer>
  </li>`;
}

/** What one would most likely do with it now. */
function Main({ model, runs, does }) {
  const task = taskOf(model.name, ["pull", "load", "measure"]);
  if (task && isRunning(task)) return null;
  if (!model.here || model.problem) {
    const again = task?.kind === "pull" && task.state !== "finished";
    return html`<${Button} icon="download" onClick=${() => does.fetch(model)}>
      ${again ? say("Go on fetching", "继续获取") : say(`Fetch, ${size(model.size_bytes)}`, `获取（${size(model.size_bytes)}）`)}
    <//>`;
  }
  if (!runs) return null;
  if (model.need.fit === "loaded") return html`<${Button} icon="minus" onClick=${() => does.unload(model)}>${say("Free its memory", "释放内存")}<//>`;
  return html`<${Button} icon="memory" disabled=${model.need.fit === "too_large"} onClick=${() => does.load(model)}>${say("Load now", "立即载入")}<//>`;
}

const More = ({ model, does }) => {
  const items = [
    model.here && writesText(model) && { title: say("Measure its speed", "测量速度"), icon: "clock", onChoose: () => does.measure(model) },
    model.here && model.needs_files && { title: say("Remove from this machine", "从本机删除"), icon: "trash", isDanger: true, onChoose: () => does.remove(model) },
  ].filter(Boolean);
  return items.length > 0 && html`<${Menu} small label=${say(`More for ${model.title}`, `${model.title} 的更多操作`)} items=${items} />`;
};

/** The result of a measurement that was asked for. */
function Measured({ model }) {
  const task = taskOf(model.name, ["measure"]);
  if (task?.state !== "finished") return null;
  const found = task.result;
  const rate = (value) => number(value, { maximumFractionDigits: value < 100 ? 1 : 0 });
  return html`<${Note} kind=${found.others_ran ? "warn" : "good"} title=${say(`Measured ${ago(task.ended_at)}`, `${ago(task.ended_at)}测得`)}>
    <p>${say(
      `Answers ${rate(found.decode)} tokens/s, eight at once ${rate(found.at_once)}; reads ${rate(found.prefill)} tokens/s, the first word of a long prompt after ${rate(found.first_token_seconds)} s.`,
      `回答 ${rate(found.decode)} 词元/秒，八个同时 ${rate(found.at_once)}；读取 ${rate(found.prefill)} 词元/秒，长提示词 ${rate(found.first_token_seconds)} 秒后出首词。`,
    )}</p>
    ${found.others_ran && html`<p>${say("Others were at work meanwhile, so it is really faster.", "测量期间有其他任务，实际应更快。")}</p>`}
  <//>`;
}
