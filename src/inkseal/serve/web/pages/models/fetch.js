/** What is to be known before a model is fetched: whose licence, how much, from where. */
import { html, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { Button } from "../../ui/button.js";
import { Dialog } from "../../ui/dialog.js";
import { Facts } from "../../ui/panel.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { toastError } from "../../ui/toast.js";
import { Outside, Sources } from "./sources.js";
import { needWords } from "./words.js";
import { run } from "./work.js";

/** @param {{model: any, status: any, onClose: () => void}} props */
export function FetchDialog({ model, status, onClose }) {
  const { value, error, again } = useLoad((signal) => api.get(`/api/v1/models/${model.name}`, { signal }), [model.name]);
  const [isBusy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      await run(model.name, "pull");
      onClose();
    } catch (found) {
      toastError(found);
      setBusy(false);
    }
  };
  const missing = model.size_bytes - status.free_disk_bytes;
  return html`<${Dialog}
    title=${say(`Fetch ${model.title}`, `获取 ${model.title}`)}
    onClose=${onClose}
    does=${html`<${Button} onClick=${onClose}>${say("Cancel", "取消")}<//>
      <${Button} kind="primary" icon="download" busy=${isBusy} disabled=${!value} onClick=${start}>${say(`Fetch ${size(model.size_bytes)}`, `获取 ${size(model.size_bytes)}`)}<//>`}
  >
    <p>${model.limits}</p>
    <${Facts}
      facts=${[
        [say("Licence", "许可"), html`<b>${model.licence}</b>`],
        [say("Its text", "许可全文"), model.licence_url && html`<${Outside} url=${model.licence_url} />`],
        [say("Size", "大小"), say(`${size(model.size_bytes)}; ${size(status.free_disk_bytes)} of disk free`, `${size(model.size_bytes)}；磁盘可用 ${size(status.free_disk_bytes)}`)],
        [say("Memory", "内存"), needWords(model)],
      ]}
    />
    <h3>${say("Asked in this order", "依次尝试以下来源")}</h3>
    ${error ? html`<${Failure} error=${error} again=${again} />` : value ? html`<${Sources} sources=${value.sources} offline=${status.offline} />` : html`<${Waiting} />`}
    <p class="faint small">${say("Every file is checked against its recorded SHA-256 before anything reads it.", "每个文件在被读取之前都会与记录的 SHA-256 核对。")}</p>
    ${missing > 0 && html`<${Note} kind="warn">${say(`The disk lacks ${size(missing)}.`, `磁盘还差 ${size(missing)}。`)}<//>`}
  <//>`;
}
