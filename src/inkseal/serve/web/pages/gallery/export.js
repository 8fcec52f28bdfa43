/** Saves artifacts as files with the labels that their regime asks for. */
import { download } from "../../core/api.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Menu } from "../../ui/menu.js";
import { toast, toastError } from "../../ui/toast.js";
import { formatName } from "../../ui/words.js";

/** @param {{ids: string[], formats: string[]}} props */
export function Export({ ids, formats }) {
  const [isBusy, setBusy] = useState(false);
  const save = async (format) => {
    setBusy(true);
    try {
      for (const id of ids) await download(`/api/v1/artifacts/${id}/export`, { query: { format } });
      toast(ids.length > 1 ? say(`${ids.length} labelled files were saved.`, `已保存 ${ids.length} 个带标识的文件。`) : say("A labelled file was saved.", "已保存带标识的文件。"), { kind: "good" });
    } catch (error) {
      toastError(error);
    }
    setBusy(false);
  };
  if (!formats.length) return null;
  if (isBusy) return html`<${Button} kind="quiet" busy>${say("Saving …", "正在保存……")}<//>`;
  return html`<${Menu}
    above
    icon="download"
    label=${say("Save with its label", "带标识导出")}
    items=${formats.map((format) => ({ title: formatName(format), icon: "file", onChoose: () => save(format) }))}
  >
    ${say("Save", "导出")}
  <//>`;
}
