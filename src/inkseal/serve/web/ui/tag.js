/** A small word about a thing: a licence, a state, a kind. */
import { html } from "../core/html.js";
import { Icon } from "./icon.js";

/** @param {{kind?: "plain" | "good" | "warn" | "bad" | "seal", icon?: string, title?: string, children?: unknown}} props */
export const Tag = ({ kind = "plain", icon, title, children }) =>
  html`<span class=${`tag tag-${kind}`} title=${title}>${icon && html`<${Icon} name=${icon} size=${14} />`}${children}</span>`;
