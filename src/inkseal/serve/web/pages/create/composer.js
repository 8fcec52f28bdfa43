/** Where one writes: words, files, the model, and the button that sends or stops. */
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { person } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Growing, Select } from "../../ui/field.js";
import { Note } from "../../ui/states.js";
import { toast, toastError } from "../../ui/toast.js";
import { isComposing } from "./composing.js";
import { isLoaded, lives, openId, send, shown } from "./conversation.js";
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
  const started = useRef("");
  useEffect(() => {
    if (!start.turn) return;
    // Another start may take the place of one, but not of what somebody wrote.
    setDraft((now) => (now.text.trim() && now.text !== started.current ? now : { ...now, text: start.text }));
    started.current = start.text;
  }, [start.turn]);
  useEffect(() => {
    // Where there is no mouse, the focus would open a keyboard over half of the page.
    if (start.turn || matchMedia("(hover: hover)").matches) box.current?.focus({ preventScroll: true });
  }, [start.turn, place]);
  const draws = settings.makes === "image";
  const hasWords = !!draft.text.trim();
  const canSend = isLoaded.value && (draws ? hasWords && !draft.files.length : hasWords || draft.files.length > 0);
  const attach = async (files) => {
    if (draws) return toast(wordsAlone(), { kind: "bad" });
    const { read, refused } = await readFiles(files);
    if (refused.length) toast(say(`Not text, or too large: ${refused.join(", ")}`, `不是文本或过大：${refused.join("、")}`), { kind: "bad" });
    if (read.length) setDraft((now) => ({ ...now, files: [...now.files, ...read] }));
  };
  const submit = () => {
    if (!canSend || live) return;
    const { text, files } = draft;
    setDraft(() => ({ text: "", files: [] }));
    onSent(send({ text: text.trim(), files, settings }));
  };
  const press = (event) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
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
        (file, index) => html`<${File} key=${index} file=${file} onRemove=${() => setDraft((now) => ({ ...now, files: now.files.filter((_, at) => at !== index) }))} />`,
      )}
    </div>`}
    ${draws && draft.files.length > 0 && html`<${Note} kind="warn">${wordsAlone()} ${say("Remove the files to go on.", "请先移除文件。")}<//>`}
    <${Growing}
      inputRef=${box}
      class="composer-text"
      rows=${1}
      value=${draft.text}
      onChange=${(text) => setDraft((now) => ({ ...now, text }))}
      onKeyDown=${press}
      onPaste=${paste}
      aria-label=${say("Your question", "您的提问")}
      placeholder=${say("Write here. Enter sends, Shift+Enter breaks the line.", "在此输入。回车发送，Shift+回车换行。")}
      dir="auto"
    />
    <div class="composer-foot">
      <input ref=${picker} class="unseen" type="file" multiple tabindex="-1" aria-hidden="true" onChange=${(event) => (attach([...event.target.files]), (event.target.value = ""))} />
      <${Button} kind="quiet" icon="attach" label=${say("Attach text files", "添加文本文件")} disabled=${draws} onClick=${() => picker.current.click()} />
      <${Button}
        kind=${draws ? "plain" : "quiet"}
        icon="spark"
        class="composer-picture"
        disabled=${!isLoaded.value}
        aria-pressed=${String(draws)}
        onClick=${() => onMakes(draws ? undefined : "image")}
      >
        ${say("Picture", "图片")}
      <//>
      <${Select} class="input select composer-model" aria-label=${say("Model", "模型")} disabled=${!isLoaded.value} value=${modelOf(settings)} choices=${models} onChange=${onModel} />
      <span class="composer-space" />
      ${live
        ? html`<${Button} kind="primary" icon="stop" busy=${live.isStopping.value} onClick=${() => live.stop().catch(toastError)}>${say("Stop", "停止")}<//>`
        : html`<${Button} kind="primary" type="submit" icon="send" disabled=${!canSend}>${say("Send", "发送")}<//>`}
    </div>
  </form>`;
}

const wordsAlone = () => say("A picture is made from words alone.", "图片只由文字生成。");

const modelOf = (settings) => (settings.makes === "image" ? (settings.image?.model ?? "picture") : (settings.model ?? "default"));

/** What is being written; kept a moment after each change, and when the page is left. */
function useDraft(place) {
  const [first, redraw] = useState(() => ({ place, draft: draftOf(place) }));
  const latest = useRef(first);
  const timer = useRef(0);
  const writer = useRef(person.peek()?.key_id);
  const keep = () => {
    if (!timer.current) return;
    clearTimeout(timer.current);
    timer.current = 0;
    // Who has signed out leaves nothing here, nor to who signs in over the page.
    if (person.peek()?.key_id === writer.current) keepDraft(latest.current.place, latest.current.draft);
  };
  if (latest.current.place !== place) {
    keep();
    latest.current = { place, draft: draftOf(place) };
  }
  useEffect(() => {
    addEventListener("pagehide", keep);
    return () => (removeEventListener("pagehide", keep), keep());
  }, []);
  const set = (change) => {
    // A file may be read only when its conversation is no longer shown.
    if (latest.current.place !== place) return keepDraft(place, change(draftOf(place)));
    latest.current = { place, draft: change(latest.current.draft) };
    redraw(latest.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(keep, KEEP_MS);
  };
  return [latest.current.draft, set];
}
