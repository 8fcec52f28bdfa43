/** One app: its form, its run step by step, its result, and what can be done with the app itself. */
import * as api from "../../core/api.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { language, say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { writesText } from "../../core/models.js";
import { go, href, route } from "../../core/route.js";
import { may } from "../../core/session.js";
import { kept } from "../../core/store.js";
import { Button } from "../../ui/button.js";
import { confirm } from "../../ui/dialog.js";
import { Select } from "../../ui/field.js";
import { errorsOf, Form } from "../../ui/form.js";
import { Menu } from "../../ui/menu.js";
import { Head, Panel } from "../../ui/panel.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { toast, toastError } from "../../ui/toast.js";
import { CsvField } from "./files.js";
import { Result } from "./result.js";
import { quizControls } from "./quiz.js";
import { beginRun, fresh, stopRun, watchRun } from "./run.js";
import { Runs } from "./runs.js";
import { Scores } from "./score.js";
import { CopyDialog, ImportDialog } from "./share.js";
import { Steps } from "./steps.js";

/** A form that another app's result has filled in already. */
const handed = new Map();

/** @param {string} name @param {Record<string, unknown>} values */
function handOver(name, values) {
  handed.set(name, values);
  go("apps", [name]);
}

/** @param {{name: string, runId?: string}} props runId: the run that is watched */
export function AppPage({ name, runId }) {
  const { value: app, error, again } = useLoad((signal) => api.get(`/api/v1/apps/${encodeURIComponent(name)}`, { signal }), [name, language.value]);
  if (error && !app) return html`<${Back} /><${Head} title=${say("App", "应用")} /><${Failure} error=${error} again=${again} />`;
  if (!app) return html`<${Waiting} />`;
  return html`<${Open} app=${app} runId=${runId} again=${again} />`;
}

const isHere = (name) => route.peek().page === "apps" && route.peek().steps[0] === name;

const Back = ({ name }) => html`<p class="app-back">
  <a href=${href("apps")}>${say("← All apps", "← 全部应用")}</a>
  ${name && html`<a href=${href("apps", [name])}>${say("New run", "新的运行")}</a>`}
</p>`;

function Open({ app, runId, again }) {
  const draft = kept(`draft.app.${app.name}`, { values: {}, language: language.peek(), model: "default" });
  const [run, setRun] = useState(null);
  const isBeginning = useRef(false);
  const shown = useRef(/** @type {HTMLElement | null} */ (null));
  const { values, language: spoken, model } = draft.value;
  const change = (part) => (draft.value = { ...draft.value, ...part });
  useEffect(() => {
    if (handed.has(app.name)) change({ values: handed.get(app.name) });
    handed.delete(app.name);
  }, []);
  useEffect(() => {
    if (!runId) return;
    const abort = new AbortController();
    watchRun(runId, abort.signal, setRun);
    return () => abort.abort();
  }, [runId]);
  useEffect(() => {
    if (!runId && !isBeginning.current) setRun(null);
  }, [runId]);
  const start = async () => {
    // Enter submits a form of one line even while there is no button for it.
    if (isBeginning.current || run?.isRunning) return;
    const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));
    isBeginning.current = true;
    setRun(fresh());
    requestAnimationFrame(() => shown.current?.scrollIntoView({ block: "nearest" }));
    try {
      const begun = await beginRun(app.name, { values: filled, language: spoken, model });
      if (isHere(app.name)) go("apps", [app.name, begun.id]);
    } catch (error) {
      setRun({ ...fresh(), isRunning: false, error });
    }
    isBeginning.current = false;
  };
  const errors = errorsOf(run?.error?.param ? run.error : null);
  const csv = Object.entries(app.form_schema.properties).filter(([, part]) => part["x-field"] === "csv");
  return html`<${Back} name=${runId && app.name} />
    <${Head} title=${app.title} words=${app.description}><${AppMenu} app=${app} again=${again} /><//>
    ${app.help && html`<p class="app-help">${app.help}</p>`}
    <div class="app-columns">
      <section class="app-form" aria-label=${say("Form", "表单")}>
        <${Samples} app=${app} spoken=${spoken} onChoose=${(sample) => change({ values: sample.values, language: sample.language })} />
        <form onSubmit=${(event) => (event.preventDefault(), start())}>
          <${Form}
            schema=${app.form_schema}
            value=${values}
            onChange=${(next) => change({ values: next })}
            errors=${errors}
            controls=${{ ...Object.fromEntries(csv.map(([field]) => [field, CsvField])), ...quizControls(app.form_schema, values) }}
          />
          <div class="app-does">
            <${Choices} spoken=${spoken} model=${model} onChange=${change} />
            ${run?.isRunning
              ? html`<${Button} key="stop" icon="stop" disabled=${!runId || isBeginning.current} onClick=${() => stopRun(runId).catch(toastError)}>${say("Stop", "停止")}<//>`
              : html`<${Button} key="run" kind="primary" icon="play" type="submit" disabled=${!may("creator")}>${say("Run", "运行")}<//>`}
          </div>
        </form>
      </section>
      <section class="app-outcome" aria-label=${say("Result", "结果")} ref=${shown}>
        ${run ? html`<${Outcome} app=${app} run=${run} />` : html`<${About} app=${app} /><${Runs} app=${app.name} title=${say("Runs of late", "最近的运行")} />`}
      </section>
    </div>`;
}

function Outcome({ app, run }) {
  const wasStopped = run.error?.code === "cancelled";
  return html`${run.steps.length > 0 && html`<${Steps} run=${run} />`}
    ${run.isRunning && !run.steps.length && html`<${Waiting} words=${say("Waiting for a place …", "排队中……")} />`}
    ${wasStopped && html`<${Note}><p>
      ${say("Stopped.", "已停止。")} <a href=${href("gallery", [], { app: app.name, steps: "shown" })}>${say("What its steps had made is in the gallery.", "已完成步骤的内容可在作品库中找到。")}</a>
    </p><//>`}
    ${run.error &&
    !wasStopped &&
    html`<${Failure} error=${run.error} title=${failureOf(run.error)} />`}
    ${run.result && html`<${Result} app=${app} result=${run.result} onNext=${handOver} />`}`;
}

const failureOf = ({ code }) =>
  ({
    answer_refused: say("No result that keeps the rules", "没有符合规则的结果"),
    run_not_found: say("This run is no longer kept; what it made is in the gallery", "该运行记录已不再保留，其结果可在作品库中找到"),
  })[code] ?? say("This did not work", "未能完成");

const About = ({ app }) => html`<${Panel} title=${say("What it does", "做法")} class="app-about">
  <ol class="app-plan">${app.steps.map((step) => html`<li key=${step}>${step}</li>`)}</ol>
  <h3>${say("Measured", "评测")}</h3>
  <${Scores} app=${app} />
  ${app.notice && html`<${Note} kind="info"><p>${app.notice}</p><//>`}
<//>`;

function Samples({ app, spoken, onChoose }) {
  const found = app.samples.filter((sample) => sample.language === spoken);
  if (!found.length) return null;
  return html`<div class="app-samples">
    <span class="faint">${say("Begin with", "示例")}</span>
    ${found.map(
      (sample, index) => html`<${Button} key=${index} small onClick=${() => onChoose(sample)}>${sample.title || say(`Sample ${index + 1}`, `示例 ${index + 1}`)}<//>`,
    )}
  </div>`;
}

function Choices({ spoken, model, onChange }) {
  const { value } = useLoad((signal) => api.get("/api/v1/models", { signal }), []);
  const all = (value ?? []).filter(writesText);
  const hasDefault = !value || all.some((one) => one.here && one.aliases.includes("default"));
  const models = all.filter((one) => (one.here || one.provider) && !one.aliases.includes("default"));
  const named = [
    { value: "default", title: hasDefault ? say("Default model", "默认模型") : say("Default model (not here)", "默认模型（未安装）") },
    ...models.map((one) => ({ value: one.name, title: one.title })),
  ];
  const languages = [
    { value: "zh", title: "中文" },
    { value: "en", title: "English" },
  ];
  return html`<${Select} aria-label=${say("Language of the result", "结果语言")} value=${spoken} choices=${languages} onChange=${(chosen) => onChange({ language: chosen })} />
    <${Select} aria-label=${say("Model", "模型")} value=${model} choices=${named} onChange=${(chosen) => onChange({ model: chosen })} />`;
}

function AppMenu({ app, again }) {
  const [open, setOpen] = useState(/** @type {null | "copy" | {toml: string}} */ (null));
  const path = `/api/v1/apps/${app.name}`;
  const edit = async () => {
    const { blob } = await api.getBlob(`${path}/file`);
    setOpen({ toml: await blob.text() });
  };
  const remove = async () => {
    const isSure = await confirm({
      title: say(`Delete ${app.title}?`, `删除“${app.title}”？`),
      text: say("Only your app's file goes; results made with it stay.", "只删除您的应用文件，已生成的结果保留。"),
      does: say("Delete", "删除"),
      isDanger: true,
    });
    if (!isSure) return;
    await api.remove(path);
    toast(say("Deleted.", "已删除。"));
    go("apps");
  };
  const copied = (made) => {
    toast(say("Copied; it is yours to change.", "已复制，可自行修改。"), { kind: "good" });
    go("apps", [made.name]);
  };
  return html`<${Menu}
      label=${say("This app", "此应用")}
      items=${[
        may("creator") && { title: say("Copy to change it", "复制并修改"), icon: "copy", onChoose: () => setOpen("copy") },
        app.own && may("creator") && { title: say("Change", "修改"), icon: "tool", onChoose: () => edit().catch(toastError) },
        { title: say("Save as a file", "导出文件"), icon: "download", onChoose: () => api.download(`${path}/file`).catch(toastError) },
        app.own && may("creator") && { title: say("Delete", "删除"), icon: "trash", isDanger: true, onChoose: () => remove().catch(toastError) },
      ]}
    />
    ${open === "copy" && html`<${CopyDialog} name=${app.name} onClose=${() => setOpen(null)} onDone=${copied} />`}
    ${open?.toml && html`<${ImportDialog} toml=${open.toml} replace onClose=${() => setOpen(null)} onDone=${again} />`}`;
}
