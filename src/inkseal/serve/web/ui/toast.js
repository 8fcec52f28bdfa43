/** Short words on what has just happened; they go away by themselves, save for errors. */
import { html, signal } from "../core/html.js";
import { say } from "../core/language.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

const shown = signal(/** @type {{id: number, text: string, kind: string, does?: string, onDo?: () => void}[]} */ ([]));
let count = 0;
const SECONDS = 5;

/**
 * Says something at the edge of the window.
 * @param {string} text
 * @param {{kind?: "info" | "good" | "bad", does?: string, onDo?: () => void}} [options] does: a button's words, as for undo
 */
export function toast(text, { kind = "info", does, onDo } = {}) {
  const id = ++count;
  shown.value = [...shown.value.filter((one) => one.text !== text).slice(-2), { id, text, kind, does, onDo }];
  if (kind !== "bad") setTimeout(() => close(id), (does ? 2 : 1) * SECONDS * 1000);
}

/** Says what an error says. @param {Error} error */
export const toastError = (error) => {
  if (error.name !== "AbortError") toast(error.message, { kind: "bad" });
};

const close = (id) => {
  shown.value = shown.value.filter((one) => one.id !== id);
};

/** The place where they appear. What lies under a window can be neither read nor pressed, so the topmost one holds them. */
export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
  ${shown.value.map(
    (one) => html`<div key=${one.id} class=${`toast toast-${one.kind}`}>
      <${Icon} name=${{ info: "info", good: "check", bad: "warning" }[one.kind]} size=${18} />
      <span>${one.text}</span>
      ${one.does &&
      html`<${Button} small kind="quiet" onClick=${() => (close(one.id), one.onDo())}>${one.does}<//>`}
      <${Button} small kind="quiet" icon="close" label=${say("Close", "关闭")} onClick=${() => close(one.id)} />
    </div>`,
  )}
</div>`;
