/** The conversations there are, the last changed first. */
import { ago } from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { href } from "../../core/route.js";
import { Button } from "../../ui/button.js";
import { confirm } from "../../ui/dialog.js";
import { Menu } from "../../ui/menu.js";
import { Failure, Waiting } from "../../ui/states.js";
import { toastError } from "../../ui/toast.js";
import { isComposing } from "./composing.js";
import { forget, list, loadList, more, openId, rename } from "./conversation.js";

/** @param {{onGone: () => void}} props onGone: the open conversation is no more */
export function List({ onGone }) {
  const [error, setError] = useState(null);
  const [renaming, setRenaming] = useState(/** @type {string | null} */ (null));
  const load = () => loadList().then(() => setError(null), setError);
  useEffect(() => void load(), []);
  const drop = async (one) => {
    const isSure = await confirm({
      title: say("Delete this conversation?", "删除此对话？"),
      text: say("Your words are deleted. The answers stay in the gallery until you delete them there; the ledger keeps their hashes.", "您的文字将被删除。回答仍在作品库中，可在那里删除；账本保留其摘要。"),
      does: say("Delete", "删除"),
      isDanger: true,
    });
    if (!isSure) return;
    const wasOpen = one.id === openId.value;
    await forget(one.id).then(() => wasOpen && onGone(), toastError);
  };
  if (error) return html`<${Failure} error=${error} again=${load} />`;
  if (!list.value) return html`<${Waiting} />`;
  return html`<nav class="conversations" aria-label=${say("Conversations", "对话")}>
    ${list.value.length === 0 && html`<p class="faint conversations-none">${say("Conversations will stand here.", "对话会列在这里。")}</p>`}
    <ul>
      ${list.value.map((one) =>
        renaming === one.id
          ? html`<li key=${one.id}><${Title} one=${one} onDone=${() => setRenaming(null)} /></li>`
          : html`<li key=${one.id} class="conversation">
              <a href=${href("create", [one.id])} aria-current=${one.id === openId.value ? "page" : undefined} title=${one.title}
                ><span class="conversation-title">${one.title || say("Untitled", "未命名")}</span><span class="conversation-when">${ago(one.updated_at)}</span></a
              >
              <${Menu}
                small
                label=${say(`Options of ${one.title}`, `${one.title} 的选项`)}
                items=${[
                  { title: say("Rename", "重命名"), icon: "create", onChoose: () => setRenaming(one.id) },
                  { title: say("Delete", "删除"), icon: "trash", isDanger: true, onChoose: () => drop(one) },
                ]}
              />
            </li>`,
      )}
    </ul>
    ${more.value && html`<${Button} small onClick=${() => loadList(true).catch(toastError)}>${say("Older", "更早")}<//>`}
  </nav>`;
}

function Title({ one, onDone }) {
  const keep = (event) => {
    event.preventDefault();
    rename(one.id, new FormData(event.target).get("title").trim().slice(0, 200));
    onDone();
  };
  return html`<form class="conversation-rename" onSubmit=${keep} onKeyDown=${(event) => event.key === "Escape" && !isComposing(event) && onDone()}>
    <input class="input" name="title" defaultValue=${one.title} maxlength="200" aria-label=${say("Title", "标题")} autofocus ref=${(box) => box?.focus()} />
    <${Button} small kind="quiet" type="submit" icon="check" label=${say("Keep", "保存")} />
  </form>`;
}
