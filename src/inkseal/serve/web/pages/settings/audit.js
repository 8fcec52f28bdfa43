/** Who did what with which key, the last first. Never what was said. */
import { html, useEffect, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { dateTime } from "../../core/format.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { Button } from "../../ui/button.js";
import { Panel } from "../../ui/panel.js";
import { Empty, Failure, Waiting } from "../../ui/states.js";
import { Table } from "../../ui/table.js";
import { toastError } from "../../ui/toast.js";

const PAGE = 50;
const ACTIONS = {
  app_deleted: () => say("deleted an app", "删除应用"),
  app_saved: () => say("saved an app", "保存应用"),
  backup_made: () => say("made a backup", "创建备份"),
  backup_taken: () => say("took a backup away", "下载备份"),
  deleted: () => say("deleted a result", "删除作品"),
  exported: () => say("saved a result as a file", "导出作品"),
  key_created: () => say("made a key", "创建密钥"),
  key_limited: () => say("limited a key", "设置密钥限额"),
  key_revoked: () => say("ended a key", "吊销密钥"),
  model_load: () => say("loaded a model", "加载模型"),
  model_measure: () => say("measured a model", "测量模型"),
  model_pull: () => say("fetched a model", "获取模型"),
  model_removed: () => say("removed a model", "移除模型"),
  model_unloaded: () => say("freed a model", "释放模型"),
  session_begun: () => say("signed in", "登录"),
  settings_changed: () => say("changed settings", "修改设置"),
};

const ask = (before, signal) => api.get("/api/v1/audit", { query: { before, limit: PAGE }, signal });

export function Audit() {
  const { value, error, again } = useLoad((signal) => ask(Number.MAX_SAFE_INTEGER, signal));
  const { value: keys } = useLoad((signal) => api.get("/api/v1/keys", { signal }));
  const [older, setOlder] = useState(/** @type {any[]} */ ([]));
  const [isLast, setLast] = useState(false);
  useEffect(() => {
    setOlder([]);
    setLast(!!value && value.length < PAGE);
  }, [value]);
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!value) return html`<${Waiting} />`;
  const deeds = [...value, ...older];
  const further = async () => {
    const found = await ask(deeds[deeds.length - 1].number);
    setOlder([...older, ...found]);
    setLast(found.length < PAGE);
  };
  const nameOf = (id) => keys?.find((key) => key.id === id)?.name ?? (id === "local" ? say("this machine", "本机") : id);
  return html`<${Panel}
    title=${say("Audit log", "审计日志")}
    words=${say("Who did what with which key. What was said stands nowhere here.", "谁用哪个密钥做了什么。这里不含任何对话内容。")}
    does=${html`<${Button} small icon="refresh" onClick=${again}>${say("Look again", "刷新")}<//>`}
  >
    ${deeds.length === 0
      ? html`<${Empty} icon="help" title=${say("Nothing yet", "暂无记录")} />`
      : html`<${Table}
          caption=${say("Audit log", "审计日志")}
          rows=${deeds}
          keyOf=${(deed) => String(deed.number)}
          columns=${[
            { name: "created_at", title: say("When", "时间"), show: (deed) => dateTime(deed.created_at) },
            { name: "key_id", title: say("Who", "密钥"), show: (deed) => html`<span title=${deed.key_id}>${nameOf(deed.key_id)}</span>` },
            { name: "action", title: say("Did", "操作"), show: (deed) => ACTIONS[deed.action]?.() ?? deed.action },
            { name: "subject", title: say("To what", "对象"), show: (deed) => html`<code>${deed.subject}</code>` },
          ]}
        />`}
    ${!isLast && html`<p class="row"><${Button} small onClick=${() => further().catch(toastError)}>${say("Older", "更早")}<//></p>`}
  <//>`;
}
