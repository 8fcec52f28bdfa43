/** The frames of a page: its head, and cards. */
import { classes, html } from "../core/html.js";

/**
 * The head of a page: its one h1, what it is for, and what can be done.
 * @param {{title: string, words?: unknown, children?: unknown}} props children: buttons
 */
export const Head = ({ title, words, children }) => html`<header class="head">
  <div>
    <h1 tabindex="-1">${title}</h1>
    ${words && html`<p class="lead">${words}</p>`}
  </div>
  ${children && html`<div class="head-does">${children}</div>`}
</header>`;

/**
 * A card. With a title it is a section of its own.
 * @param {{title?: string, words?: unknown, does?: unknown, class?: string, children?: unknown}} props does: buttons
 */
export function Panel({ title, words, does, class: more, children }) {
  if (!title) return html`<div class=${classes("panel", more)}>${children}</div>`;
  return html`<section class=${classes("panel", more)} aria-label=${title}>
    <header class="panel-head">
      <div>
        <h2>${title}</h2>
        ${words && html`<p class="faint">${words}</p>`}
      </div>
      ${does && html`<div class="head-does">${does}</div>`}
    </header>
    ${children}
  </section>`;
}

/** Facts in two columns. @param {{facts: [string, unknown][]}} props those without a value fall out */
export const Facts = ({ facts }) => html`<dl class="facts">
  ${facts
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;
