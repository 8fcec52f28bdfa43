/** Views of one thing, one at a time; the arrow keys go between them. */
import { html, useId } from "../core/html.js";

/**
 * @param {{label: string, tabs: {name: string, title: string, count?: number}[], chosen: string, onChoose: (name: string) => void, children?: unknown}} props
 * children: what belongs to the chosen one
 */
export function Tabs({ label, tabs, chosen, onChoose, children }) {
  const id = useId();
  const turn = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    onChoose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return html`<div class="tabs">
    <div class="tabs-row" role="tablist" aria-label=${label} onKeyDown=${turn}>
      ${tabs.map(
        (tab) => html`<button
          key=${tab.name}
          type="button"
          role="tab"
          id=${`${id}-${tab.name}`}
          aria-selected=${tab.name === chosen ? "true" : "false"}
          aria-controls=${`${id}-shown`}
          tabindex=${tab.name === chosen ? 0 : -1}
          onClick=${() => onChoose(tab.name)}
        >
          ${tab.title}${tab.count !== undefined && html` <span class="faint">${tab.count}</span>`}
        </button>`,
      )}
    </div>
    <div role="tabpanel" id=${`${id}-shown`} aria-labelledby=${`${id}-${chosen}`} class="tabs-shown">${children}</div>
  </div>`;
}
