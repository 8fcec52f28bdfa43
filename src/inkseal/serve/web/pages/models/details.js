/** A model's whole card: sources, files and their hashes. */
import { html } from "../../core/html.js";
import * as api from "../../core/api.js";
import { dateTime, size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { Copy } from "../../ui/copy.js";
import { Drawer } from "../../ui/dialog.js";
import { Facts } from "../../ui/panel.js";
import { Failure, Waiting } from "../../ui/states.js";
import { Outside, Sources } from "./sources.js";
import { languageWords, needWords, paceWords, sourceWords, taskWords } from "./words.js";

/** @param {{name: string, onClose: () => void}} props */
export function ModelDetails({ name, onClose }) {
  const { value: model, error, again } = useLoad((signal) => api.get(`/api/v1/models/${name}`, { signal }), [name]);
  return html`<${Drawer} title=${model?.title ?? name} onClose=${onClose}>
    ${error ? html`<${Failure} error=${error} again=${again} />` : model ? html`<${Card} model=${model} />` : html`<${Waiting} />`}
  <//>`;
}

const Card = ({ model }) => html`<p>${model.description}</p>
  <p class="faint">${model.limits}</p>
  <${Facts}
    facts=${[
      [say("Name", "名称"), html`<code>${model.name}</code>`],
      [say("Also called", "别名"), model.aliases.join(", ")],
      [say("Makes", "用途"), taskWords(model)],
      [say("Languages", "语言"), languageWords(model.languages)],
      [say("Licence", "许可"), model.licence],
      [say("Its text", "许可全文"), model.licence_url && html`<${Outside} url=${model.licence_url} />`],
      [say("Memory", "内存"), needWords(model)],
      [say("Speed here", "本机速度"), paceWords(model.pace)],
      [say("First word after", "首词用时"), model.pace && say(`${model.pace.first_token_seconds} s`, `${model.pace.first_token_seconds} 秒`)],
      [say("Came from", "获取自"), model.source && sourceWords(model.source)],
      [say("Here since", "获取时间"), model.installed_at && dateTime(model.installed_at)],
    ]}
  />
  ${model.sources.length > 0 && html`<h3>${say("Sources, in the order asked", "来源（按尝试顺序）")}</h3><${Sources} sources=${model.sources} />`}
  ${model.files.length > 0 && html`<h3>${say("Files", "文件")}</h3><ul class="files">${model.files.map(
    (file) => html`<li key=${file.name}>
      <span class="row"><code>${file.name}</code> <span class="faint">${size(file.size_bytes)}</span></span>
      <span class="row hash"><code>${file.sha256}</code><${Copy} text=${file.sha256} label=${say(`Copy the hash of ${file.name}`, `复制 ${file.name} 的哈希`)} /></span>
    </li>`,
  )}</ul>`}`;
