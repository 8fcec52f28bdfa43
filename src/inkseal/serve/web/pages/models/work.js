/** What is being done to a model: begun, shown with its progress, stopped. */
import { html } from "../../core/html.js";
import * as api from "../../core/api.js";
import { size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { isRunning, stopTask, takeTask, taskOf } from "../../core/tasks.js";
import { Button } from "../../ui/button.js";
import { Progress } from "../../ui/progress.js";
import { Note } from "../../ui/states.js";
import { toastError } from "../../ui/toast.js";

/** Begins work on a model, or joins it. @param {string} name @param {"pull" | "load" | "measure"} kind */
export async function run(name, kind) {
  takeTask(await api.post(`/api/v1/models/${name}/${kind}`));
}

/** The work on a model: its progress, or why it failed. @param {{name: string}} props */
export function Work({ name }) {
  const task = taskOf(name, ["pull", "load", "measure"]);
  if (!task || task.state === "finished") return null;
  if (!isRunning(task)) return html`<${Ended} task=${task} />`;
  const isFetching = task.kind === "pull";
  const known = isFetching && typeof task.total === "number";
  const words = known ? say(`${size(task.done)} of ${size(task.total)}`, `${size(task.done)} / ${size(task.total)}`) : undefined;
  const note = isFetching && task.notes.length > 1 ? task.notes[task.notes.length - 1] : "";
  return html`<div class="work">
    <${Progress} label=${labelOf(task)} done=${task.done} total=${task.total} words=${words} />
    ${note && html`<p class="faint small">${note}</p>`}
    <${Button} small icon="stop" onClick=${() => stopTask(task).catch(toastError)}>${say("Stop", "停止")}<//>
  </div>`;
}

const labelOf = (task) =>
  ({
    pull: task.total && task.done >= task.total ? say("Checking", "正在校验") : say("Fetching", "正在获取"),
    load: task.what || say("Loading", "正在载入"),
    measure: say("Measuring", "正在测量"),
  })[task.kind];

function Ended({ task }) {
  if (task.state === "cancelled") {
    const kept = say("Stopped. What came so far is kept; fetching goes on from there.", "已停止。已收到的部分会保留，下次从此处继续。");
    return html`<${Note}>${task.kind === "pull" ? kept : say("Stopped.", "已停止。")}<//>`;
  }
  const [first, ...rest] = task.message.split("\n");
  return html`<${Note} kind="bad" title=${first}>
    ${rest.length > 0 && html`<ul class="reasons">${rest.map((line) => line.trim() && html`<li key=${line}>${line.trim()}</li>`)}</ul>`}
  <//>`;
}
