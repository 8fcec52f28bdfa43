/** The checks: try them on a text, see how good they are, and say what they shall do. */
import { html, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { number, percent } from "../../core/format.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Panel } from "../../ui/panel.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { Table } from "../../ui/table.js";
import { Tag } from "../../ui/tag.js";
import { useSettings } from "./change.js";
import { CheckDialog } from "./check_form.js";
import { checkWords } from "./guard_words.js";
import { TryBox } from "./try_box.js";

export function GuardSection() {
  const { value: guard, error, again } = useLoad((signal) => api.get("/api/v1/guard", { signal }));
  const isAdmin = may("admin");
  return html`${may("creator") && html`<${TryBox} />`}
    ${error ? html`<${Failure} error=${error} again=${again} />` : !guard ? html`<${Waiting} />` : isAdmin ? html`<${WithPolicy} guard=${guard} />` : html`<${Checks} guard=${guard} />`}`;
}

function WithPolicy({ guard }) {
  const { value, error, again } = useSettings();
  const [name, setName] = useState("");
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!value) return html`<${Waiting} />`;
  const chosen = value.checks.find((check) => check.name === name);
  return html`<${Checks} guard=${guard} policies=${value.checks} onChange=${setName} />
    ${chosen && html`<${CheckDialog} check=${chosen} onClose=${() => setName("")} onSaved=${() => (setName(""), again())} />`}`;
}

/** Which model brings what a check lacks. */
const MODELS = { embedder: "embedding", picture_safety: "open-nsfw" };

const lackWords = (check) =>
  check.lacks.includes("picture_safety")
    ? say("Without its model it looks at nothing, and notes each picture as not checked.", "没有模型时不做检查，每张图片都标记为“未经检查”。")
    : say("Without the embedding model it has rules alone; these are the figures of the rules.", "没有向量模型时只使用规则；以下为仅用规则的数据。");

const Checks = ({ guard, policies = [], onChange }) => html`${guard.checks.map((check) => {
    const policy = policies.find((one) => one.name === check.name);
    const isOwn = policy && Object.keys(policy.changed).length > 0;
    const words = checkWords(check.name);
    return html`<${Panel}
      key=${check.name}
      title=${words.title}
      words=${words.text || check.description}
      does=${policy && html`<span class="row">${isOwn && html`<${Tag} kind="seal">${say("changed", "已修改")}<//>`}<${Button} small icon="settings" onClick=${() => onChange(check.name)}>${say("Policy", "策略")}<//></span>`}
    >
      <${Figures} check=${check} />
      ${check.lacks.length > 0 && html`<${Note} kind="warn">${lackWords(check)} <a href=${`#/models/${MODELS[check.lacks[0]]}`}>${say("Fetch the model", "获取该模型")}</a><//>`}
    <//>`;
  })}
  <p class="faint small">${say(
    `Measured on ${guard.measured_on} with texts that the checks never saw, on ${guard.processor}; in brackets the 95 % interval. No check finds everything.`,
    `${guard.measured_on} 用检查从未见过的文字测得（${guard.processor}）；括号内为 95 % 区间。任何检查都不能发现一切。`,
  )}</p>`;

/** How good a check was measured to be: a row for each figure, a column for each language. */
function Figures({ check }) {
  if (check.milliseconds_per_picture?.p50) return html`<${PictureFigures} check=${check} />`;
  const languages = Object.keys(check.milliseconds_per_1000_chars);
  const of = Object.fromEntries(languages.map((tag) => [tag, flat(check.figures[tag] ?? {})]));
  const rows = ROWS.filter(([name]) => languages.some((tag) => of[tag][name])).map(([name, en, zh]) => ({
    name,
    title: say(en, zh),
    ...Object.fromEntries(languages.map((tag) => [tag, of[tag][name] ? html`<${Rate} rate=${of[tag][name]} />` : html`<span class="faint">—</span>`])),
  }));
  const times = Object.fromEntries(languages.map((tag) => [tag, timeWords(check.milliseconds_per_1000_chars[tag].p50)]));
  return html`<${Table}
    caption=${say(`Measured: ${checkWords(check.name).title}`, `实测：${checkWords(check.name).title}`)}
    rows=${[...rows, { name: "time", title: say("Time for 1,000 characters", "每千字用时"), ...times }]}
    columns=${[
      { name: "title", title: say("Measured", "实测") },
      ...languages.map((tag) => ({ name: tag, title: tag === "zh" ? say("Chinese", "中文") : say("English", "英文") })),
    ]}
  />`;
}

/** What is known of a check of pictures: how it treats harmless ones. What it finds could not be measured here. */
function PictureFigures({ check }) {
  const { blocked, flagged } = check.figures.harmless;
  return html`<${Table}
      caption=${say(`Measured: ${checkWords(check.name).title}`, `实测：${checkWords(check.name).title}`)}
      rows=${[
        { name: "blocked", title: say("Harmless pictures withheld", "无害图片被拦截"), value: html`<${Rate} rate=${blocked} />` },
        { name: "flagged", title: say("Harmless pictures noted", "无害图片被提示"), value: html`<${Rate} rate=${flagged} />` },
        { name: "time", title: say("Time for a picture", "每张图片用时"), value: timeWords(check.milliseconds_per_picture.p50) },
      ]}
      columns=${[
        { name: "title", title: say("Measured", "实测") },
        { name: "value", title: say("Pictures", "图片") },
      ]}
    />
    <p class="faint small">${say("How much of what it is for it finds was not measured: no licensed pictures of that kind can be had.", "检出率未测量：无法取得此类有许可的图片。")}</p>`;
}

const timeWords = (ms) => `${number(ms, { maximumFractionDigits: ms < 10 ? 2 : 0 })} ms`;

const ROWS = [
  ["recall", "Found", "召回率"],
  ["precision", "Right when it speaks", "准确率"],
  ["false_alarms", "False alarms", "误报率"],
  ["hard", "False alarms, hard texts", "误报率（难例）"],
  ["everyday", "False alarms, everyday texts", "误报率（日常）"],
  ["harmbench", "Found of HarmBench", "HarmBench 召回率"],
];

/** Kinds of personal data are put together: the least of them says what one may count on. */
function flat(figures) {
  if (!figures.kinds) return figures;
  const least = (name) => Object.values(figures.kinds).map((kind) => kind[name]).sort((a, b) => a.rate - b.rate)[0];
  return { ...figures, recall: least("recall"), precision: least("precision") };
}

const Rate = ({ rate }) => html`<span class="rate">${percent(rate.rate)} <span class="faint small">(${percent(Math.max(0, rate.low))}–${percent(rate.high)}, ${number(rate.hits)}/${number(rate.total)})</span></span>`;
