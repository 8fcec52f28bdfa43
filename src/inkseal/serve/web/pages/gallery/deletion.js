/** Asks before something is deleted, and says before it what goes, what stays, and why. */
import { get, remove } from "../../core/api.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { Button } from "../../ui/button.js";
import { Dialog } from "../../ui/dialog.js";
import { Icon } from "../../ui/icon.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { toast, toastError } from "../../ui/toast.js";

/** @param {{ids: string[], onClose: () => void, onDone: (deleted: string[]) => void}} props */
export function DeleteDialog({ ids, onClose, onDone }) {
  const { value, error, again } = useLoad((signal) => get(`/api/v1/artifacts/${ids[0]}/deletion`, { signal }), [ids[0]]);
  const [isBusy, setBusy] = useState(false);
  const [numDone, setNumDone] = useState(0);
  const act = async () => {
    setBusy(true);
    const deleted = [];
    try {
      for (const id of ids) {
        await remove(`/api/v1/artifacts/${id}`);
        deleted.push(id);
        setNumDone(deleted.length);
      }
      toast(deleted.length > 1 ? say(`${deleted.length} results were deleted.`, `已删除 ${deleted.length} 个作品。`) : say("Deleted. The ledger notes it.", "已删除，账本已记录。"), { kind: "good" });
    } catch (failure) {
      toastError(failure);
    }
    setBusy(false);
    onDone(deleted);
  };
  const title = ids.length > 1 ? say(`Delete ${ids.length} results?`, `删除 ${ids.length} 个作品？`) : say("Delete this result?", "删除此作品？");
  return html`<${Dialog}
    title=${title}
    onClose=${isBusy ? undefined : onClose}
    does=${html`<${Button} disabled=${isBusy} onClick=${onClose}>${say("Keep it", "保留")}<//>
      <${Button} kind="danger" icon="trash" busy=${isBusy} disabled=${!value} onClick=${act}>${isBusy && ids.length > 1 ? `${numDone} / ${ids.length}` : say("Delete", "删除")}<//>`}
  >
    ${error && html`<${Failure} error=${error} again=${again} />`}
    ${!value && !error && html`<${Waiting} />`}
    ${value &&
    html`${ids.length > 1 && html`<${Note}>${say("This is the account for the first of them; the others are treated alike.", "以下是其中第一个的说明，其余同样处理。")}<//>`}
      <${Part} title=${say("Goes for good", "彻底删除")} icon="trash" kind="bad" items=${value.removed} />
      <${Part} title=${say("Stays, and why", "保留之物及原因")} icon="seal" kind="stays" items=${value.remains} />`}
  <//>`;
}

const Part = ({ title, icon, kind, items }) => html`<section class=${`deletion deletion-${kind}`}>
  <h3><${Icon} name=${icon} size=${18} />${title}</h3>
  <ul>${items.map((item) => html`<li key=${item.thing}>${item.text}</li>`)}</ul>
</section>`;
