/** Who may use the installation, and how much. */
import { html, signal, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { dateTime, number } from "../../core/format.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { isLocal, signIn } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { confirm, Dialog } from "../../ui/dialog.js";
import { Menu } from "../../ui/menu.js";
import { Panel } from "../../ui/panel.js";
import { Empty, Failure, Note, Waiting } from "../../ui/states.js";
import { Table } from "../../ui/table.js";
import { Tag } from "../../ui/tag.js";
import { toast, toastError } from "../../ui/toast.js";
import { LimitsDialog, NewKeyDialog, roleWords } from "./key_forms.js";

/** A key that was just made. Outlives the page that made it: the first key signs its maker in, which draws all anew. */
const made = signal(/** @type {{key: any, secret: string} | null} */ (null));

export function Keys() {
  const { value: keys, error, again } = useLoad((abort) => api.get("/api/v1/keys", { signal: abort }));
  const [open, setOpen] = useState(/** @type {any} */ (null));
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!keys) return html`<${Waiting} />`;
  const create = async (asked) => {
    const isMaker = isLocal.value;
    const found = await api.post("/api/v1/keys", asked);
    made.value = found;
    // From the first key on every request needs one, also the next of this page; another may have been refused by now.
    if (isMaker) await signIn(found.secret);
    setOpen(null);
    again();
  };
  const limit = async (key, limits) => {
    await api.put(`/api/v1/keys/${key.id}/limits`, limits);
    setOpen(null);
    again();
  };
  const isFirst = isLocal.value && !keys.length;
  return html`<${Panel}
      title=${say("Keys", "密钥")}
      words=${say("Each program and each person has one; several keys of one person can share their results.", "每个程序、每个人各有一个；同一人的多个密钥可共享作品。")}
      does=${html`<${Button} kind="primary" icon="plus" onClick=${() => setOpen({ kind: "new" })}>${isFirst ? say("Make the first key", "创建首个密钥") : say("New key", "新建密钥")}<//>`}
    >
      ${isFirst
        ? html`<${Empty} icon="key" title=${say("Nobody needs a key yet", "目前无需密钥")}>
            <p>${say("Every program on this machine may do everything. The first key must be an admin's; from then on every request needs one.", "本机所有程序均可执行任何操作。首个密钥必须是管理员密钥；此后每个请求都需要密钥。")}</p>
          <//>`
        : html`<${List} keys=${keys} again=${again} onLimit=${(key) => setOpen({ kind: "limits", key })} />`}
    <//>
    ${open?.kind === "new" && html`<${NewKeyDialog} isFirst=${isFirst} keys=${keys} onClose=${() => setOpen(null)} onCreate=${create} />`}
    ${open?.kind === "limits" && html`<${LimitsDialog} name=${open.key.name} limits=${open.key.limits} onClose=${() => setOpen(null)} onSave=${(limits) => limit(open.key, limits)} />`}`;
}

const List = ({ keys, again, onLimit }) => html`<div class="keys"><${Table}
  caption=${say("Keys", "密钥")}
  rows=${keys}
  columns=${[
    { name: "name", title: say("Name", "名称"), show: (key) => html`<div><b>${key.name}</b> ${key.is_own && html`<${Tag}>${say("yours", "当前")}<//>`}<br /><code class="faint">${key.id}</code></div>` },
    { name: "role", title: say("May", "权限"), show: (key) => roleWords(key.role) },
    { name: "limits", title: say("Limits", "限额"), show: limitWords },
    { name: "tokens_today", title: say("Tokens today", "今日词元"), isNumber: true, show: (key) => number(key.tokens_today) },
    { name: "created_at", title: say("Since", "创建"), show: (key) => (key.revoked_at ? html`<${Tag} kind="bad">${say("revoked", "已吊销")}<//>` : dateTime(key.created_at)) },
    { name: "more", title: say("More", "更多"), show: (key) => !key.revoked_at && html`<${Does} row=${key} again=${again} onLimit=${onLimit} />` },
  ]}
/></div>`;

const Does = ({ row: key, again, onLimit }) => html`<${Menu}
  small
  label=${say(`More for ${key.name}`, `${key.name} 的更多操作`)}
  items=${[
    { title: say("Set limits", "设置限额"), icon: "clock", onChoose: () => onLimit(key) },
    { title: say("Revoke", "吊销"), icon: "trash", isDanger: true, onChoose: () => revoke(key).then((done) => done && again(), toastError) },
  ]}
/>`;

async function revoke(key) {
  const own = key.is_own ? say(" It is the key you are signed in with.", "这是您当前登录所用的密钥。") : "";
  const yes = await confirm({
    title: say(`Revoke ${key.name}?`, `吊销 ${key.name}？`),
    text: say("Whoever has it is turned away at once, and it cannot be given back. Their results stay.", "持有者将立即无法访问，且不能恢复；其作品会保留。") + own,
    does: say("Revoke", "吊销"),
    isDanger: true,
  });
  if (!yes) return false;
  await api.remove(`/api/v1/keys/${key.id}`);
  toast(say(`${key.name} is revoked.`, `已吊销 ${key.name}。`), { kind: "good" });
  return true;
}

function limitWords({ limits }) {
  const words = [
    limits.requests_per_minute !== null && say(`${number(limits.requests_per_minute)} requests a minute`, `每分钟 ${number(limits.requests_per_minute)} 个请求`),
    limits.tokens_per_day !== null && say(`${number(limits.tokens_per_day)} tokens a day`, `每天 ${number(limits.tokens_per_day)} 词元`),
    limits.max_running !== null && say(`${number(limits.max_running)} at once`, `同时 ${number(limits.max_running)} 个`),
  ].filter(Boolean);
  return words.length ? words.join(say(", ", "，")) : html`<span class="faint">${say("none", "不限")}</span>`;
}

/** Shows a new key's secret, once. It can only be closed by saying that it is kept. */
export function MadeKey() {
  const found = made.value;
  if (!found) return null;
  return html`<${Dialog}
    title=${say(`The key of ${found.key.name}`, `${found.key.name} 的密钥`)}
    does=${html`<${Button} kind="primary" icon="check" onClick=${() => (made.value = null)}>${say("I have kept it", "我已保存")}<//>`}
  >
    <${Note} kind="warn">${say("It is shown only now. Keep it where you keep passwords; here only its hash stays.", "仅此一次显示。请像密码一样保存；服务器只保留其哈希。")}<//>
    <p class="secret row"><code>${found.secret}</code><${Copy} text=${found.secret} label=${say("Copy the key", "复制密钥")} /></p>
  <//>`;
}
