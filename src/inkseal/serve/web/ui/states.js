/** What stands where there is nothing yet: an invitation, a wait, or an error with what to do. */
import { html } from "../core/html.js";
import { duration } from "../core/format.js";
import { say } from "../core/language.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/** @param {{icon?: string, title: string, children?: unknown}} props children: what it is for, and the first step */
export const Empty = ({ icon = "spark", title, children }) => html`<div class="state">
  <span class="state-icon"><${Icon} name=${icon} size=${28} /></span>
  <h2 class="state-title">${title}</h2>
  <div class="state-words">${children}</div>
</div>`;

/** @param {{words?: string}} props */
export const Waiting = ({ words }) => html`<div class="state state-waiting" role="status">
  <span class="spinner spinner-large" aria-hidden="true" />
  <span class=${words ? "" : "unseen"}>${words ?? say("Loading …", "正在载入……")}</span>
</div>`;

/**
 * An error in the place of what failed.
 * @param {{error: Error & {requestId?: string, code?: string}, again?: () => void, title?: string}} props
 */
export const Failure = ({ error, again, title }) => html`<div class="note note-bad" role="alert">
  <${Icon} name="warning" />
  <div class="note-words">
    ${title && html`<b>${title}</b>`}
    <p>${error.message}${error.retryAfterSeconds > 0 && html` ${say(`Again in ${duration(error.retryAfterSeconds)}.`, `${duration(error.retryAfterSeconds)} 后可再试。`)}`}</p>
    ${error.requestId && error.status >= 500 && html`<p class="faint mono">${error.requestId}</p>`}
  </div>
  ${again && html`<${Button} small icon="refresh" onClick=${again}>${say("Try again", "重试")}<//>`}
</div>`;

/**
 * A remark in the run of a page.
 * @param {{kind?: "info" | "good" | "warn" | "bad", title?: string, children?: unknown}} props
 */
export const Note = ({ kind = "info", title, children }) => html`<div class=${`note note-${kind}`}>
  <${Icon} name=${{ info: "info", good: "check", warn: "warning", bad: "warning" }[kind]} />
  <div class="note-words">${title && html`<b>${title}</b>`}${children}</div>
</div>`;
