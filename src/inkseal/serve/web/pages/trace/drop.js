/** Where files are dropped and texts are pasted. Nothing that comes in here is kept. */
import { classes, html, useEffect, useRef, useState } from "../../core/html.js";
import { size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Growing } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { toast } from "../../ui/toast.js";

const MAX_BYTES = 64 << 20;

/**
 * @param {object} props
 * @param {boolean} props.isSmall there is a result to be seen
 * @param {boolean} props.isBusy
 * @param {(content: Blob, name: string) => void} props.onExamine
 */
export function Drop({ isSmall, isBusy, onExamine }) {
  const [isOver, setOver] = useState(false);
  const [text, setText] = useState("");
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const latest = useRef(onExamine);
  latest.current = onExamine;
  const take = (found) => {
    if (!found) return;
    if (found.size > MAX_BYTES) toast(say(`${found.name} is larger than ${size(MAX_BYTES)}.`, `${found.name} 超过 ${size(MAX_BYTES)}。`), { kind: "bad" });
    else latest.current(found, found.name);
  };
  useEffect(() => {
    let depth = 0;
    const holdsFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const enter = (event) => holdsFile(event) && ((depth += 1), setOver(true));
    const leave = (event) => holdsFile(event) && (depth -= 1) <= 0 && setOver(false);
    const over = (event) => holdsFile(event) && event.preventDefault();
    const drop = (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      take(event.dataTransfer.files[0]);
    };
    const paste = (event) => {
      if (event.target.closest?.("input, textarea, [contenteditable]")) return;
      const found = event.clipboardData?.files[0];
      const words = event.clipboardData?.getData("text/plain") ?? "";
      if (found) take(found);
      else if (words.trim()) latest.current(new Blob([words]), "");
    };
    const heard = { dragenter: enter, dragleave: leave, dragover: over, drop, paste };
    for (const [name, listener] of Object.entries(heard)) document.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(heard)) document.removeEventListener(name, listener);
    };
  }, []);
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) onExamine(new Blob([text]), "");
  };
  return html`<div class=${classes("drop", isSmall && "drop-small", isOver && "drop-over")}>
    <div class="drop-file">
      <${Icon} name="trace" size=${isSmall ? 28 : 44} />
      <p class="drop-words">${isOver ? say("Let it go", "松开即可") : say("Drop a file here", "将文件放到这里")}</p>
      <${Button} kind="primary" icon="upload" disabled=${isBusy} onClick=${() => file.current.click()}>${say("Choose a file", "选择文件")}<//>
      <input
        ref=${file}
        class="unseen"
        type="file"
        tabindex="-1"
        aria-label=${say("File to examine", "要检查的文件")}
        onChange=${(event) => {
          take(event.target.files[0]);
          event.target.value = "";
        }}
      />
      <p class="faint small">${say("Any kind, up to 64 MB. It is examined here and not kept.", "任意类型，不超过 64 MB。只在本机检查，不会保留。")}</p>
    </div>
    <form class="drop-text" onSubmit=${submit}>
      <${Growing}
        rows=${isSmall ? 3 : 6}
        value=${text}
        onChange=${setText}
        aria-label=${say("Text to examine", "要检查的文字")}
        placeholder=${say("… or paste a text: even a copied part without any mark can be recognised.", "……或粘贴文字：即使是去掉标识的片段，也可能被认出。")}
        onKeyDown=${(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit(event)}
      />
      <div class="drop-does">
        <span class="faint small">${say("Ctrl + Enter", "Ctrl + Enter")}</span>
        <${Button} type="submit" icon="search" disabled=${!text.trim() || isBusy}>${say("Examine the text", "检查文字")}<//>
      </div>
    </form>
  </div>`;
}
