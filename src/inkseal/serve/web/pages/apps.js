/** Apps: a gallery of forms with steps and rules, each run streaming its steps and ending in a sealed result. */
import * as api from "../core/api.js";
import { html, useEffect, useMemo, useState } from "../core/html.js";
import { language, say } from "../core/language.js";
import { useLoad } from "../core/load.js";
import { go, href } from "../core/route.js";
import { may } from "../core/session.js";
import { Button } from "../ui/button.js";
import { Icon } from "../ui/icon.js";
import { Head } from "../ui/panel.js";
import { Empty, Failure, Note, Waiting } from "../ui/states.js";
import { Tag } from "../ui/tag.js";
import { AppPage } from "./apps/app.js";
import { Runs } from "./apps/runs.js";
import { ImportDialog } from "./apps/share.js";
import { scoreOf, ScoreTag } from "./apps/score.js";

/** In the order in which they stand; icon and words. */
const CATEGORIES = {
  writing: ["create", "Writing", "写作"],
  marketing: ["spark", "Marketing", "营销"],
  business: ["file", "Business", "商务"],
  education: ["book", "Education", "教育"],
  science: ["help", "Science", "科研"],
  code: ["code", "Code", "代码"],
  media: ["play", "Film, pictures, games", "影像与游戏"],
  service: ["user", "Service", "服务"],
  daily: ["star", "Every day", "日常"],
};

/** @param {{steps: string[], query: Record<string, string>}} props */
function Apps({ steps, query }) {
  return steps[0] ? html`<${AppPage} key=${steps[0]} name=${steps[0]} runId=${steps[1]} />` : html`<${Gallery} category=${query.category} />`;
}

function Gallery({ category }) {
  const { value, error, again } = useLoad((signal) => api.get("/api/v1/apps", { signal }), [language.value]);
  const [words, setWords] = useState("");
  const [isImporting, setImporting] = useState(false);
  const found = useMemo(() => chosen(value?.apps ?? [], words, category), [value, words, category]);
  if (error && !value) return html`<${Failure} error=${error} again=${again} />`;
  if (!value) return html`<${Waiting} />`;
  return html`<${Head} title=${say("Apps", "应用")} words=${say("Fill in a form; every step is checked, the result is sealed.", "填写表单即可；每一步都有检查，结果都会封印。")}>
      ${may("creator") && html`<${Button} icon="upload" onClick=${() => setImporting(true)}>${say("Import", "导入")}<//>`}
    <//>
    <${Runs} isNow title=${say("Running now", "正在运行")} />
    <div class="apps-find">
      <label class="apps-search">
        <${Icon} name="search" size=${18} />
        <input class="input" type="search" value=${words} placeholder=${say("Find an app", "查找应用")} aria-label=${say("Find an app", "查找应用")}
          onInput=${(event) => setWords(event.target.value)} />
      </label>
      <nav class="apps-kinds" aria-label=${say("Kinds of apps", "应用分类")}>
        <${Kind} title=${say("All", "全部")} isChosen=${!category} />
        ${Object.entries(CATEGORIES)
          .filter(([name]) => value.apps.some((app) => app.category === name))
          .map(([name, [, en, zh]]) => html`<${Kind} key=${name} name=${name} title=${say(en, zh)} isChosen=${category === name} />`)}
      </nav>
    </div>
    ${Object.entries(value.broken).map(
      ([name, why]) => html`<${Note} key=${name} kind="warn" title=${say(`${name} cannot be used`, `${name} 无法使用`)}><p>${why}</p><//>`,
    )}
    ${found.length
      ? html`<ul class="apps-grid">${found.map((app) => html`<li key=${app.name}><${Card} app=${app} /></li>`)}</ul>`
      : html`<${Empty} icon="search" title=${say("No app fits", "没有符合的应用")}><p>${say("Try another word or another kind.", "请换个词或分类。")}</p><//>`}
    ${isImporting && html`<${ImportDialog} onClose=${() => setImporting(false)} onDone=${(app) => go("apps", [app.name])} />`}`;
}

const Kind = ({ name, title, isChosen }) =>
  html`<a class="apps-kind" href=${href("apps", [], { category: name })} aria-current=${isChosen ? "true" : undefined}>${title}</a>`;

function Card({ app }) {
  const [icon] = CATEGORIES[app.category] ?? ["apps"];
  const score = scoreOf(app.scores);
  return html`<a class="app-card" href=${href("apps", [app.name])}>
    <span class="app-card-icon"><${Icon} name=${icon} size=${20} /></span>
    <span class="app-card-title">${app.title}</span>
    <span class="app-card-words">${app.description}</span>
    <span class="app-card-foot">
      ${app.own && html`<${Tag} kind="seal">${say("Yours", "自有")}<//>`}
      ${score && html`<${ScoreTag} score=${score} />`}
    </span>
  </a>`;
}

function chosen(apps, words, category) {
  const wanted = words.trim().toLowerCase();
  const order = Object.keys(CATEGORIES);
  return apps
    .filter((app) => !category || app.category === category)
    .filter((app) => !wanted || `${app.name} ${app.title} ${app.description}`.toLowerCase().includes(wanted))
    .sort((a, b) => Number(b.own) - Number(a.own) || order.indexOf(a.category) - order.indexOf(b.category));
}

export const page = {
  name: "apps",
  order: 20,
  icon: "apps",
  title: { en: "Apps", zh: "应用" },
  layout: "wide",
  Page: Apps,
};
