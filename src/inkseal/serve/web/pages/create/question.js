/** What a person said, and what a tool gave back. Editing makes a branch. */
import { html, useMemo, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { Growing } from "../../ui/field.js";
import { Icon } from "../../ui/icon.js";
import { isComposing } from "./composing.js";
import { Forks } from "./forks.js";
import { send } from "./conversation.js";
import { filesOf, wordsOf } from "./requests.js";

const MAX_CHARS = 1200;
const MAX_LINES = 14;

/** @param {{turn: import("./tree.js").Turn, settings: any}} props */
export function Question({ turn, settings }) {
  const [isEditing, setEditing] = useState(false);
  const words = wordsOf(turn);
  const files = filesOf(turn);
  if (isEditing) return html`<${Editor} turn=${turn} words=${words} files=${files} settings=${settings} onDone=${() => setEditing(false)} />`;
  return html`<article class="turn turn-user" aria-label=${say("You", "您")}>
    <div class="bubble" dir="auto">
      ${files.map((file, index) => html`<${File} key=${index} file=${file} />`)}
      ${words && html`<${Words} text=${words} />`}
    </div>
    <div class="turn-does">
      <${Forks} turn=${turn} />
      <${Copy} text=${words} />
      <${Button} kind="quiet" small icon="create" label=${say("Edit and ask again", "修改后重新提问")} onClick=${() => setEditing(true)} />
    </div>
  </article>`;
}

/** Long words are folded, so that the answer is not far. */
function Words({ text }) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > MAX_CHARS || text.split("\n").length > MAX_LINES;
  return html`<div class=${`bubble-words${isLong && !isOpen ? " bubble-folded" : ""}`}>${text}</div>
    ${isLong && html`<${Button} kind="quiet" small icon=${isOpen ? "up" : "down"} aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>${isOpen ? say("Less", "收起") : say("All of it", "展开全文")}<//>`}`;
}

function Editor({ turn, words, files, settings, onDone }) {
  const [text, setText] = useState(words);
  const save = () => {
    if (!text.trim()) return;
    onDone();
    send({ text, files, parent: turn.parent, settings });
  };
  const press = (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") onDone();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  };
  return html`<article class="turn turn-user turn-editing" aria-label=${say("Edit your question", "修改提问")}>
    <${Growing} value=${text} onChange=${setText} onKeyDown=${press} aria-label=${say("Your question", "您的提问")} inputRef=${focused} />
    <div class="turn-does turn-does-shown">
      <span class="faint">${say("The old branch stays.", "原分支会保留。")}</span>
      <${Button} small onClick=${onDone}>${say("Cancel", "取消")}<//>
      <${Button} small kind="primary" icon="send" onClick=${save}>${say("Ask", "提问")}<//>
    </div>
  </article>`;
}

/** A ref that takes the focus once, with the caret at the end. */
const focused = {
  box: null,
  get current() {
    return this.box;
  },
  set current(box) {
    const isNew = box && box !== this.box;
    this.box = box;
    if (isNew) queueMicrotask(() => (box.focus(), box.setSelectionRange(box.value.length, box.value.length)));
  },
};

/** @param {{file: {name: string, text: string}, onRemove?: () => void}} props */
export function File({ file, onRemove }) {
  const count = useMemo(() => [...file.text].length, [file.text]); // of a megabyte, not at every key
  return html`<span class="chip">
    <${Icon} name="file" size=${16} /><span class="chip-name">${file.name || say("Document", "文档")}</span>
    <span class="faint">${say(`${count} characters`, `${count} 字`)}</span>
    ${onRemove && html`<button type="button" class="chip-close" aria-label=${say(`Remove ${file.name}`, `移除 ${file.name}`)} onClick=${onRemove}><${Icon} name="close" size=${14} /></button>`}
  </span>`;
}

/** @param {{turn: import("./tree.js").Turn}} props */
export const ToolResult = ({ turn }) => html`<article class="turn turn-tool" aria-label=${say("Result of a tool", "工具结果")}>
  <div class="tool">
    <p class="tool-head"><${Icon} name="tool" size=${16} /> ${say("Result", "结果")} <code>${turn.tool_call_id}</code></p>
    <pre tabindex="0">${turn.parts.map((part) => part.text).join("")}</pre>
  </div>
</article>`;
