/** A button that opens a short list of things to do. */
import { classes, html, useEffect, useRef, useState } from "../core/html.js";
import { Button } from "./button.js";
import { Icon } from "./icon.js";

/**
 * @typedef {{title: string, icon?: string, onChoose: () => void, isDanger?: boolean}} MenuItem
 * @param {{label: string, icon?: string, small?: boolean, above?: boolean, items: (MenuItem | null | false)[], children?: unknown}} props
 * children: the words on the button, else it shows its icon; above: opens upwards
 */
export function Menu({ label, icon = "more", small, above, items, children }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const buttons = () => [...box.current.querySelectorAll('[role="menuitem"]')];
  useEffect(() => {
    if (!isOpen) return;
    buttons()[0]?.focus();
    const outside = (event) => !box.current?.contains(event.target) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    box.current.querySelector("button")?.focus();
  };
  const press = (event) => {
    const list = buttons();
    const at = list.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Escape") close();
    else if (event.key === "Tab") return setOpen(false);
    else if (to === undefined) return;
    else list[(to + list.length) % list.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="menu" ref=${box}>
    <${Button}
      kind="quiet"
      small=${small}
      icon=${icon}
      label=${label}
      aria-haspopup="menu"
      aria-expanded=${isOpen ? "true" : "false"}
      onClick=${() => setOpen(!isOpen)}
      >${children}<//
    >
    ${isOpen &&
    html`<div class=${classes("menu-list", above && "menu-above")} role="menu" aria-label=${label} onKeyDown=${press}>
      ${items.filter(Boolean).map(
        (item) => html`<button
          key=${item.title}
          type="button"
          role="menuitem"
          tabindex="-1"
          class=${classes("menu-item", item.isDanger && "menu-danger")}
          onClick=${() => (close(), item.onChoose())}
        >
          ${item.icon && html`<${Icon} name=${item.icon} size=${16} />`}<span>${item.title}</span>
        </button>`,
      )}
    </div>`}
  </div>`;
}
