/** Puts artifacts into collections, takes them out, and makes, renames and removes collections. */
import { post, put, remove } from "../../core/api.js";
import { number } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { confirm, Dialog } from "../../ui/dialog.js";
import { TextField } from "../../ui/field.js";
import { Menu } from "../../ui/menu.js";
import { toast, toastError } from "../../ui/toast.js";

/**
 * @param {object} props
 * @param {string[]} props.ids what is put in
 * @param {import("./types.js").Collection[]} props.collections
 * @param {string} [props.from] the collection that is open: out of it they can be taken
 * @param {() => void} props.onClose
 * @param {() => void} props.onDone
 */
export function CollectDialog({ ids, collections, from, onClose, onDone }) {
  const [name, setName] = useState("");
  const [renamed, setRenamed] = useState(/** @type {import("./types.js").Collection | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const act = async (work, said) => {
    setBusy(true);
    try {
      await work();
      toast(said, { kind: "good" });
      onDone();
      onClose();
    } catch (error) {
      toastError(error);
    }
    setBusy(false);
  };
  const add = (id) => Promise.all(ids.map((artifact) => put(`/api/v1/collections/${id}/artifacts/${artifact}`)));
  const make = (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    if (renamed) {
      const done = () => (setRenamed(null), setName(""), onDone());
      put(`/api/v1/collections/${renamed.id}`, { name: name.trim() }).then(done, toastError);
    } else act(async () => add((await post("/api/v1/collections", { name: name.trim() })).id), say(`Put into “${name.trim()}”.`, `已放入“${name.trim()}”。`));
  };
  const rename = (collection) => {
    setRenamed(collection);
    setName(collection.name);
    setTimeout(() => document.querySelector(".collections-new input")?.select());
  };
  const drop = async (collection) => {
    const yes = await confirm({
      title: say(`Remove “${collection.name}”?`, `删除“${collection.name}”？`),
      text: say("Only the collection goes. What is in it stays in the gallery.", "只删除收藏夹本身，其中的作品仍在作品库中。"),
      does: say("Remove", "删除"),
      isDanger: true,
    });
    if (yes) await remove(`/api/v1/collections/${collection.id}`).then(onDone, toastError);
  };
  return html`<${Dialog} title=${ids.length > 1 ? say(`Collect ${ids.length} results`, `收藏 ${ids.length} 个作品`) : say("Collect it", "收藏作品")} onClose=${onClose}>
    ${collections.length > 0 &&
    html`<ul class="collections">
      ${collections.map(
        (one) => html`<li key=${one.id}>
          <${Button} kind="quiet" icon="folder" disabled=${isBusy} onClick=${() => act(() => add(one.id), say(`Put into “${one.name}”.`, `已放入“${one.name}”。`))}>
            ${one.name} <span class="faint number">${number(one.num_artifacts)}</span>
          <//>
          <${Menu}
            small
            label=${say(`More: ${one.name}`, `更多：${one.name}`)}
            items=${[
              one.id === from && {
                title: say("Take out of it", "从中取出"),
                icon: "minus",
                onChoose: () => act(() => Promise.all(ids.map((artifact) => remove(`/api/v1/collections/${one.id}/artifacts/${artifact}`))), say("Taken out.", "已取出。")),
              },
              { title: say("Rename …", "重命名……"), icon: "code", onChoose: () => rename(one) },
              { title: say("Remove …", "删除……"), icon: "trash", isDanger: true, onChoose: () => drop(one) },
            ]}
          />
        </li>`,
      )}
    </ul>`}
    <form class="collections-new" onSubmit=${make}>
      <${TextField} label=${renamed ? say("Its new name", "新名称") : say("A new collection", "新建收藏夹")} maxlength="100" value=${name} onChange=${setName} />
      <${Button} type="submit" kind="primary" icon=${renamed ? "check" : "plus"} busy=${isBusy} disabled=${!name.trim()}>${renamed ? say("Rename", "重命名") : say("Make", "新建")}<//>
    </form>
  <//>`;
}
