/** What must be seen whatever else is open: in the topmost window, else in the shell. */
import { connection } from "../core/api.js";
import { html } from "../core/html.js";
import { say } from "../core/language.js";
import { Toasts } from "./toast.js";

const Lost = () =>
  connection.value === "lost" &&
  html`<div class="banner" role="alert">
    <span class="spinner" aria-hidden="true" />
    ${say("The server does not answer. What you write is kept; trying again …", "服务器没有响应。您输入的内容已保留，正在重新连接……")}
  </div>`;

export const News = () => html`<${Lost} /><${Toasts} />`;
