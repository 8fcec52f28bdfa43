/** Copying, taking in and handing on apps as files. */
import * as api from "../../core/api.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Dialog } from "../../ui/dialog.js";
import { LongField, SwitchField, TextField } from "../../ui/field.js";
import { FileButton } from "./files.js";

/** @param {{onClose: () => void, onDone: (app: any) => void, toml?: string, replace?: boolean}} props toml: one's own app to be changed */
export function ImportDialog({ onClose, onDone, toml = "", replace = false }) {
  const [text, setText] = useState(toml);
  const [isReplacing, setReplacing] = useState(replace);
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setError("");
    try {
      onDone(await api.post("/api/v1/apps", { toml: text, replace: isReplacing }));
      onClose();
    } catch (refused) {
      setError(refused.message);
      setBusy(false);
    }
  };
  return html`<${Dialog}
    keeps
    wide
    title=${toml ? say("Change this app", "修改应用") : say("Import an app", "导入应用")}
    onClose=${onClose}
    does=${html`<${Button} onClick=${onClose}>${say("Cancel", "取消")}<//>
      <${Button} kind="primary" busy=${isBusy} disabled=${!text.trim()} onClick=${save}>${toml ? say("Save", "保存") : say("Import", "导入")}<//>`}
  >
    <div class="form">
      ${!toml && html`<p>${say("An app is one TOML file: a form, prompts and rules, never code.", "应用是一个 TOML 文件：表单、提示词与规则，不含代码。")}</p>
        <div><${FileButton} accept=".toml,text/plain" onText=${setText}>${say("Choose a file", "选择文件")}<//></div>`}
      <${LongField} label=${say("The app's file (TOML)", "应用文件（TOML）")} class="mono app-source" spellcheck=${false} rows=${12} value=${text} onChange=${setText} error=${error} />
      ${!toml && html`<${SwitchField} label=${say("Replace my app of the same name", "替换我的同名应用")} value=${isReplacing} onChange=${setReplacing} />`}
    </div>
  <//>`;
}

/** @param {{name: string, onClose: () => void, onDone: (app: any) => void}} props */
export function CopyDialog({ name, onClose, onDone }) {
  const [copy, setCopy] = useState(`my_${name}`.slice(0, 40));
  const [error, setError] = useState("");
  const save = async () => {
    try {
      onDone(await api.post(`/api/v1/apps/${name}/copy`, { name: copy }));
      onClose();
    } catch (refused) {
      setError(refused.message);
    }
  };
  return html`<${Dialog}
    keeps
    title=${say("Copy this app", "复制应用")}
    onClose=${onClose}
    does=${html`<${Button} onClick=${onClose}>${say("Cancel", "取消")}<//><${Button} kind="primary" onClick=${save}>${say("Copy", "复制")}<//>`}
  >
    <${TextField} label=${say("Name of the copy", "副本名称")} help=${say("Lower-case letters, digits and _", "小写字母、数字和下划线")} value=${copy} onChange=${setCopy} error=${error} />
  <//>`;
}
