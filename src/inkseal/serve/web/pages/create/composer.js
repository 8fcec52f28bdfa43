/** Where one writes: words, files, the model, and the button that sends or stops. */
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { person } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Growing, Select } from "../../ui/field.js";
import { toast, toastError } from "../../ui/toast.js";
import { lives, openId, send, shown } from "./conversation.js";
import { draftOf, keepDraft } from "./drafts.js";
import { isText, readFiles } from "./files.js";
import { File } from "./question.js";

const KEEP_MS = 250;

/**
 * @param {object} props
 * @param {any} props.settings
 * @param {{value: string, title: string}[]} props.models
 * @param {(model: string | undefined) => void} props.onModel
 * @param {(makes: "image" | undefined) => void} props.onMakes
 * @param {{text: string, turn: number}} props.start words to begin with; `turn` tells one start from the next
 * @param {(id: string) => void} props.onSent
 */
export function Composer({ settings, models, onModel, onMakes, start, onSent }) {
  const place = openId.value ?? "new";
  const [draft, setDraft] = useDraft(place);
  const [isOver, setOver] = useState(false);
  const box = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const live = shown.value.map((turn) => lives.value.get(turn.id)).find(Boolean);
  useEffect(() => {
    if (start.turn) setDraft({ ...draft, text: start.text });
    // Where there is no mouse, the focus would open a keyboard over half of the page.
    if (start.turn || matchMedia("(hover: hover)").matches) box.current?.focus({ preventScroll: true });
  }, [start.turn, place]);
  const attach = async (files) => {
    const { read, refused } = await readFiles(files);
    if (refused.length) toast(say(`Not text, or too large: ${refused.join(", ")}`, `不是文本或过大：${refused.join("、")}`), { kind: "bad" });
    if (read.length) setDraft({ ...draft, files: [...draft.files, ...read] });
  };
  const submit = () => {
    if (live || (!draft.text.trim() && !draft.files.length)) return;
    const { text, files } = draft;
    setDraft({ text: "", files: [] });
    onSent(send({ text: text.trim(), files, settings }));
  };
  const press = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  };
  const drop = (event) => {
    setOver(false);
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    attach([...event.dataTransfer.files]);
  };
  const paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter(isText);
    if (files.length) (event.preventDefault(), attach(files));
  };
  return html`<form
    class=${`composer${isOver ? " composer-over" : ""}`}
    onSubmit=${(event) => (event.preventDefault(), submit())}
    onDragOver=${(event) => event.dataTransfer.types.includes("Files") && (event.preventDefault(), setOver(true))}
    onDragLeave=${() => setOver(false)}
    onDrop=${drop}
  >
    ${draft.files.length > 0 &&
    html`<div class="composer-files">
      ${draft.files.map(
        (file, index) => html`<${File} key=${index} file=${file} onRemove=${() => setDraft({ ...draft, files: draft.files.filter((_, at) => at !== index) })} />`,
      )}
    </div>`}
    <${Growing}
      inputRef=${box}
      class="composer-text"
      rows=${1}
      value=${draft.text}
      onChange=${(text) => setDraft({ ...draft, text })}
      onKeyDown=${press}
      onPaste=${paste}
      aria-label=${say("Your question", "您的提问")}
      placeholder=${say("Write here. Enter sends, Shift+Enter breaks the line.", "在此输入。回车发送，Shift+回车换行。")}
      dir="auto"
    />
    <div class="composer-foot">
      <input ref=${picker} class="unseen" type="file" multiple tabindex="-1" aria-hidden="true" onChange=${(event) => (attach([...event.target.files]), (event.target.value = ""))} />
      <${Button} kind="quiet" icon="attach" label=${say("Attach text files", "添加文本文件")} onClick=${() => picker.current.click()} />
      <${Button}
        kind=${settings.makes === "image" ? "plain" : "quiet"}
        icon="spark"
        class="composer-picture"
        aria-pressed=${String(settings.makes === "image")}
        onClick=${() => onMakes(settings.makes === "image" ? undefined : "image")}
      >
        ${say("Picture", "图片")}
      <//>
      <${Select} class="input select composer-model" aria-label=${say("Model", "模型")} value=${modelOf(settings)} choices=${models} onChange=${onModel} />
      <span class="composer-space" />
      ${live
        ? html`<${Button} kind="primary" icon="stop" busy=${live.isStopping.value} onClick=${() => live.stop().catch(toastError)}>${say("Stop", "停止")}<//>`
        : html`<${Button} kind="primary" type="submit" icon="send" disabled=${!draft.text.trim() && !draft.files.length}>${say("Send", "发送")}<//>`}
    </div>
  </form>`;
}

const modelOf = (settings) => (settings.makes === "image" ? (settings.image?.model ?? "picture") : (settings.model ?? "default"));

/** What is being written; kept a moment after each change, and when the page is left. */
function useDraft(place) {
  const [state, setState] = useState({ place, draft: draftOf(place) });
  const latest = useRef(state);
  const timer = useRef(0);
  if (state.place !== place) {
    state.place = place;
    state.draft = draftOf(place);
  }
  latest.current = state;
  useEffect(() => {
    // Who has signed out leaves nothing here.
    const keep = () => person.peek() && keepDraft(latest.current.place, latest.current.draft);
    addEventListener("pagehide", keep);
    return () => (clearTimeout(timer.current), removeEventListener("pagehide", keep), keep());
  }, []);
  const set = (draft) => {
    setState({ place, draft });
    clearTimeout(timer.current);
    if (draft.text || draft.files.length) timer.current = setTimeout(() => keepDraft(place, draft), KEEP_MS);
    else keepDraft(place, draft);
  };
  return [state.draft, set];
}
