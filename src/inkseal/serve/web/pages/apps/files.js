/** Text files that somebody chooses: read here, and only here. */
import { html, useRef } from "../../core/html.js";
import { say } from "../../core/language.js";
import { textOf } from "../../core/text_file.js";
import { Button } from "../../ui/button.js";
import { LongField } from "../../ui/field.js";
import { toast } from "../../ui/toast.js";

const MAX_BYTES = 4_000_000;

/** @param {{accept: string, onText: (text: string, name: string) => void, children?: unknown}} props */
export function FileButton({ accept, onText, children }) {
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const take = async () => {
    const file = box.current.files[0];
    box.current.value = "";
    if (!file) return;
    if (file.size > MAX_BYTES) return toast(say("The file is larger than 4 MB.", "文件超过 4 MB。"), { kind: "bad" });
    const text = await textOf(file);
    if (text === null) toast(say("The file is not a text in UTF-8 or GB 18030.", "文件不是 UTF-8 或 GB 18030 文本。"), { kind: "bad" });
    else onText(text, file.name);
  };
  return html`<${Button} icon="upload" small onClick=${() => box.current.click()}>${children}<//>
    <input ref=${box} type="file" accept=${accept} hidden onChange=${take} />`;
}

/** A table as text, written or chosen as a file; a control for `Form`. @param {any} props */
export const CsvField = ({ field, value, onChange, error }) => html`<${LongField}
  label=${field.label}
  help=${field.help || say("The first line names the columns; commas, semicolons or tabs between cells.", "首行为列名，单元格之间用逗号、分号或制表符分隔。")}
  error=${error}
  required=${field.required}
  rows=${6}
  class="mono app-csv"
  spellcheck=${false}
  value=${value}
  onChange=${(text) => onChange(text === "" ? undefined : text)}
  aside=${html`<${FileButton} accept=".csv,.tsv,.txt,text/csv" onText=${(text) => onChange(text)}>${say("Choose a file", "选择文件")}<//>`}
/>`;
