/** The windows in which keys are made and limited. */
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Dialog } from "../../ui/dialog.js";
import { ChoiceField, NumberField, TextField } from "../../ui/field.js";
import { Failure } from "../../ui/states.js";

const ROLES = {
  viewer: [["viewer", "查看者"], ["looks at results", "只能查看作品"]],
  creator: [["creator", "创作者"], ["makes things, sees its own", "可以创作，只见自己的作品"]],
  admin: [["admin", "管理员"], ["sees and does everything", "可以查看并执行一切"]],
};

/** @param {string} role */
export const roleWords = (role) => say(...ROLES[role][0]);

/** A window with a form: sends it, and shows what the server has against it. */
function FormDialog({ title, does, onClose, onSend, children }) {
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const send = async (event) => {
    event?.preventDefault();
    if (isBusy) return;
    setBusy(true);
    try {
      await onSend();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return html`<${Dialog}
    keeps
    title=${title}
    onClose=${onClose}
    does=${html`<${Button} onClick=${onClose}>${say("Cancel", "取消")}<//><${Button} kind="primary" busy=${isBusy} onClick=${send}>${does}<//>`}
  >
    <form class="form" onSubmit=${send} novalidate>
      ${children}
      ${error && html`<${Failure} error=${error} />`}
      <button class="unseen" type="submit" tabindex="-1" aria-hidden="true" />
    </form>
  <//>`;
}

/** @param {{isFirst: boolean, keys: any[], onClose: () => void, onCreate: (asked: any) => Promise<void>}} props */
export function NewKeyDialog({ isFirst, keys, onClose, onCreate }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState(isFirst ? "admin" : "creator");
  const [shared, setShared] = useState("");
  const [limits, setLimits] = useState({});
  const [wrong, setWrong] = useState("");
  const living = keys.filter((key) => !key.revoked_at);
  const send = async () => {
    if (!name.trim()) return setWrong(say("Say whose it is, or what for.", "请填写归属或用途。")) ?? Promise.reject(new Error(say("A name is missing.", "缺少名称。")));
    await onCreate({ name: name.trim(), role, same_person_as: shared, limits });
  };
  return html`<${FormDialog} title=${say("New key", "新建密钥")} does=${say("Make it", "创建")} onClose=${onClose} onSend=${send}>
    <${TextField} label=${say("Name", "名称")} help=${say("Whose it is, or what for", "归属或用途")} required maxlength="80" autofocus value=${name} error=${wrong} onChange=${(text) => (setName(text), setWrong(""))} />
    <${ChoiceField}
      label=${say("May", "权限")}
      help=${isFirst ? say("The first key must be an admin's.", "首个密钥必须是管理员密钥。") : ""}
      value=${role}
      onChange=${setRole}
      choices=${Object.entries(ROLES)
        .filter(([value]) => !isFirst || value === "admin")
        .map(([value, [title, words]]) => ({ value, title: say(`${title[0]}: ${words[0]}`, `${title[1]}：${words[1]}`) }))}
    />
    ${living.length > 0 && html`<${ChoiceField}
      label=${say("Shares its results with", "共享作品")}
      value=${shared || undefined}
      onChange=${(value) => setShared(value ?? "")}
      empty=${say("nobody", "不共享")}
      choices=${living.map((key) => ({ value: key.id, title: `${key.name} (${key.id})` }))}
    />`}
    <${LimitFields} limits=${limits} onChange=${setLimits} />
  <//>`;
}

/** @param {{name: string, limits: any, onClose: () => void, onSave: (limits: any) => Promise<void>}} props */
export function LimitsDialog({ name, limits: before, onClose, onSave }) {
  const [limits, setLimits] = useState(Object.fromEntries(Object.entries(before).filter(([, value]) => value !== null)));
  return html`<${FormDialog} title=${say(`Limits of ${name}`, `${name} 的限额`)} does=${say("Save", "保存")} onClose=${onClose} onSend=${() => onSave(limits)}>
    <${LimitFields} limits=${limits} onChange=${setLimits} />
  <//>`;
}

function LimitFields({ limits, onChange }) {
  const field = (name, label, least) => html`<${NumberField} label=${label} isInteger min=${least} value=${limits[name]} placeholder=${say("no limit", "不限")}
    onChange=${(value) => {
      const { [name]: _, ...others } = limits;
      onChange(value === undefined ? others : { ...others, [name]: value });
    }} />`;
  return html`<fieldset class="group">
    <legend>${say("Limits", "限额")}</legend>
    ${field("requests_per_minute", say("Requests a minute", "每分钟请求数"), 1)}
    ${field("tokens_per_day", say("Tokens a day, from midnight UTC", "每天词元数（自 UTC 零点起）"), 0)}
    ${field("max_running", say("Generations at once", "同时生成数"), 1)}
  </fieldset>`;
}
