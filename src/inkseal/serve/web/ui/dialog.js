/** Windows over the page: in the middle, or from the side. The browser keeps the focus inside and closes them by Escape. */
import { classes, computed, html, signal, useEffect, useId, useRef } from "../core/html.js";
import { say } from "../core/language.js";
import { Button } from "./button.js";
import { News } from "./news.js";

/** The open windows, in the order in which they lie over one another. */
const windows = signal(/** @type {string[]} */ ([]));
/** The window on top, which alone can be read and pressed. */
export const topmost = computed(() => windows.value.at(-1));

/**
 * @param {object} props
 * @param {string} props.title
 * @param {() => void} [props.onClose] without it, the window cannot be closed
 * @param {boolean} [props.wide]
 * @param {boolean} [props.keeps] holds a form: what was written in it is not thrown away without a question
 * @param {boolean} [props.side] from the right edge; on a phone from below
 * @param {unknown} [props.does] buttons at its foot
 * @param {unknown} [props.children]
 */
export function Dialog({ title, onClose, wide, side, keeps, does, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const isWritten = useRef(false);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    windows.value = [...windows.peek(), id];
    return () => {
      windows.value = windows.peek().filter((one) => one !== id);
      box.current?.close();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  const mayLose = () => keeps && isWritten.current;
  const leave = async (event) => {
    event.preventDefault();
    if (!mayLose() || (await confirm(LOSING()))) onClose?.();
  };
  return html`<dialog
    ref=${box}
    class=${classes("dialog", wide && "dialog-wide", side && "dialog-side")}
    aria-labelledby=${id}
    onCancel=${leave}
    onClose=${() => (!onClose || mayLose()) && box.current?.isConnected && box.current.showModal()}
    onInput=${() => (isWritten.current = true)}
    onMouseDown=${(event) => event.target === box.current && !keeps && onClose?.()}
  >
    <div class="dialog-inside">
      <header class="dialog-head">
        <h2 id=${id}>${title}</h2>
        ${onClose && html`<${Button} kind="quiet" icon="close" label=${say("Close", "关闭")} onClick=${leave} />`}
      </header>
      <div class="dialog-body">${children}</div>
      ${does && html`<footer class="dialog-does">${does}</footer>`}
    </div>
    ${topmost.value === id && html`<${News} />`}
  </dialog>`;
}

/** A window from the side. @param {Parameters<typeof Dialog>[0]} props */
export const Drawer = (props) => html`<${Dialog} side ...${props} />`;

const LOSING = () => ({
  title: say("Close without saving?", "不保存就关闭？"),
  text: say("What you have written here will be lost.", "您在此填写的内容将会丢失。"),
  does: say("Close and lose it", "关闭并放弃"),
  isDanger: true,
});

const asked = signal(/** @type {null | {title: string, text: string, does: string, isDanger: boolean, answer: (yes: boolean) => void}} */ (null));

/**
 * Asks before something that cannot be undone; resolves to true when it may be done.
 * @param {{title: string, text: string, does: string, isDanger?: boolean}} question does: the words of the button
 * @returns {Promise<boolean>}
 */
export const confirm = ({ title, text, does, isDanger = false }) =>
  new Promise((resolve) => {
    const answer = (yes) => {
      asked.value = null;
      resolve(yes);
    };
    asked.value = { title, text, does, isDanger, answer };
  });

/** The place where questions appear; drawn once, by the shell. */
export function Confirmation() {
  const found = asked.value;
  if (!found) return null;
  return html`<${Dialog}
    title=${found.title}
    onClose=${() => found.answer(false)}
    does=${html`<${Button} onClick=${() => found.answer(false)}>${say("Cancel", "取消")}<//>
      <${Button} kind=${found.isDanger ? "danger" : "primary"} onClick=${() => found.answer(true)}>${found.does}<//>`}
  >
    <p>${found.text}</p>
  <//>`;
}
