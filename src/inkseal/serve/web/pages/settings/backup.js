/** A backup, made on the server and taken away as one file. */
import { html, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { ago, number, size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { isRunning, stopTask, takeTask, taskOf, useTasks } from "../../core/tasks.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { SwitchField } from "../../ui/field.js";
import { Panel } from "../../ui/panel.js";
import { Progress } from "../../ui/progress.js";
import { Note } from "../../ui/states.js";
import { toastError } from "../../ui/toast.js";

export function Backup() {
  useTasks(() => {});
  const [models, setModels] = useState(false);
  const [damaged, setDamaged] = useState(false);
  const task = taskOf("backup", ["backup"]);
  const busy = task && isRunning(task);
  const make = () => api.post("/api/v1/backups", { models, allow_damaged: damaged }).then(takeTask, toastError);
  const away = () => api.remove(`/api/v1/backups/${task.id}`).then(() => takeTask({ ...task, result: { ...task.result, file: "" } }), toastError);
  return html`<${Panel} title=${say("Backup", "备份")} words=${say("Records, results, signing keys, settings and cards in one file, proved by their hashes.", "将记录、作品、签名密钥、设置与模型卡存入一个文件，并以哈希校验。")}>
      <div class="form">
        <${SwitchField} label=${say("Also the models", "包含模型")} help=${say("Large; they can be fetched again instead.", "体积大；也可以重新获取。")} value=${models} onChange=${setModels} />
        <${SwitchField} label=${say("Go on when contents are damaged", "遇到损坏内容时继续")} help=${say("The rest is kept, and the backup says what is missing.", "保留其余内容，并注明缺失项。")} value=${damaged} onChange=${setDamaged} />
        ${busy
          ? html`<${Progress} label=${say("Making the backup", "正在备份")} done=${task.done} total=${task.total} words=${task.total ? say(`${number(task.done)} of ${number(task.total)} files`, `${number(task.done)} / ${number(task.total)} 个文件`) : ""} />
              <div class="row"><${Button} small icon="stop" onClick=${() => stopTask(task).catch(toastError)}>${say("Stop", "停止")}<//></div>`
          : html`<div class="row"><${Button} kind="primary" icon="download" onClick=${make}>${say("Make a backup", "创建备份")}<//></div>`}
        ${task?.state === "failed" && html`<${Note} kind="bad">${task.message}<//>`}
        ${task?.state === "finished" && task.result.file && html`<${Ready} task=${task} onRemove=${away} />`}
      </div>
    <//>
    <${Note} kind="warn" title=${say("It holds the private keys", "其中含有私钥")}>
      <p>${say("Whoever has the file can sign as this installation. Keep it as you keep them.", "持有该文件者可以本服务的名义签名，请妥善保管。")}</p>
    <//>
    <${Note} title=${say("Bringing it back", "恢复")}>
      <p>${say("A restore fills an empty data folder in which no server runs, so it is done on the machine:", "恢复须在没有服务运行的空数据文件夹中进行，因此在服务器本机执行：")}</p>
      <p class="row"><code>inkseal restore FILE.zip</code><${Copy} text="inkseal restore " label=${say("Copy the command", "复制命令")} /></p>
    <//>`;
}

const Ready = ({ task, onRemove }) => html`<${Note} kind=${task.result.damaged.length ? "warn" : "good"} title=${say("The backup is ready", "备份已就绪")}>
  <p>${say(
    `${size(task.result.size_bytes)}, ${number(task.result.num_files)} files, made ${ago(task.ended_at)}. It stays on the server until the next one, or until the server stops.`,
    `${size(task.result.size_bytes)}，${number(task.result.num_files)} 个文件，${ago(task.ended_at)}创建。保留至下次备份或服务器停止。`,
  )}</p>
  ${task.result.damaged.length > 0 && html`<p>${say(`${task.result.damaged.length} damaged contents are missing in it.`, `其中缺少 ${task.result.damaged.length} 个损坏的内容。`)}</p>`}
  <p class="row">
    <${Button} icon="download" href=${`/api/v1/backups/${task.id}`} download="">${say("Download", "下载")}<//>
    <${Button} kind="quiet" icon="trash" onClick=${onRemove}>${say("Remove it from the server", "从服务器删除")}<//>
  </p>
<//>`;
