/** Where models come from, and links that lead there. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Tag } from "../../ui/tag.js";
import { sourceWords } from "./words.js";

/** Where a model comes from. @param {{sources: any[], offline?: boolean}} props */
export const Sources = ({ sources, offline }) => html`<ol class="sources">
  ${sources.map(
    (source, at) => html`<li key=${at}>
      <b>${sourceWords(source.name)}</b>
      ${source.where && html` <span class="faint small">${source.where}</span>`}
      ${offline && source.online && html` <${Tag} kind="warn">${say("passed over: offline", "离线，跳过")}<//>`}
    </li>`,
  )}
</ol>`;

/** A link that leads away from here; the browser tells the other side nothing of where it comes from. @param {{url: string}} props */
export const Outside = ({ url }) => html`<a href=${url} target="_blank" rel="noopener noreferrer">${url.replace(/^https:\/\//, "")}</a>`;
