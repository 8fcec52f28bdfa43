/** Buttons, and links that look like them. */
import { classes, html } from "../core/html.js";
import { Icon } from "./icon.js";

/**
 * @param {object} props everything else goes to the element
 * @param {"primary" | "plain" | "quiet" | "danger"} [props.kind] plain when absent; one primary on a page
 * @param {string} [props.icon]
 * @param {string} [props.label] the name of a button that shows only its icon
 * @param {boolean} [props.small]
 * @param {boolean} [props.busy] shows that it works, and takes no press
 * @param {string} [props.href] makes it a link
 */
export function Button({ kind = "plain", icon, label, small, busy, href, children, class: more, ...rest }) {
  const isBare = !children || (Array.isArray(children) && !children.length);
  const look = classes("button", `button-${kind}`, small && "button-small", isBare && "button-bare", more);
  const inside = html`${busy ? html`<span class="spinner" aria-hidden="true" />` : icon && html`<${Icon} name=${icon} size=${small ? 16 : 18} />`}
    ${!isBare && html`<span>${children}</span>`}`;
  if (href) return html`<a class=${look} href=${href} aria-label=${label} title=${label} ...${rest}>${inside}</a>`;
  return html`<button
    type="button"
    ...${rest}
    class=${look}
    aria-label=${label}
    title=${rest.title ?? label}
    aria-busy=${busy ? "true" : undefined}
    aria-disabled=${busy ? "true" : undefined}
    onClick=${busy ? (event) => event.preventDefault() : rest.onClick}
  >
    ${inside}
  </button>`;
}
