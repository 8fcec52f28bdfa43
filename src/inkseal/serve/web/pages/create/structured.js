/** Answers that are data: as a tree to open and close, or as they are; with what of the schema they miss. */
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Code } from "../../ui/code.js";
import { Tabs } from "../../ui/tabs.js";
import { Tag } from "../../ui/tag.js";
import { faults } from "./schema_check.js";

const MANY = 200;
const DEEP = 60;

/** Returns the value of a text that is JSON, else undefined. @param {string} text */
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {{text: string, schema: any}} props */
export function Structured({ text, schema }) {
  const [view, setView] = useState("tree");
  const value = valueOf(text);
  if (value === undefined) {
    return html`<div class="structured"><${Tag} kind="warn" icon="warning">${say("This is no whole JSON", "不是完整的 JSON")}<//><${Code} text=${text} /></div>`;
  }
  const off = faults(value, schema);
  const tabs = [
    { name: "tree", title: say("Tree", "树形") },
    { name: "json", title: "JSON" },
  ];
  return html`<div class="structured">
    ${off.length ? html`<${Tag} kind="warn" icon="warning">${off[0]}<//>` : html`<${Tag} kind="good" icon="check">${say("Fits the schema", "符合模式")}<//>`}
    <${Tabs} label=${say("View", "视图")} tabs=${tabs} chosen=${view} onChoose=${setView}>
      ${view === "tree" ? html`<${Tree} value=${value} />` : html`<${Code} text=${JSON.stringify(value, null, 2) ?? text} language="json" />`}
    <//>
  </div>`;
}

/** @param {{value: unknown}} props */
export const Tree = ({ value }) => html`<div class="tree"><${Node} value=${value} depth=${0} /></div>`;

function Node({ name, value, depth }) {
  const [isOpen, setOpen] = useState(depth < 3);
  const [limit, setLimit] = useState(MANY);
  const label = name === undefined ? null : html`<span class="tree-name">${name}</span>`;
  if (value === null || typeof value !== "object") return html`<div class="tree-leaf">${label}<${Leaf} value=${value} /></div>`;
  const entries = Array.isArray(value) ? value.map((item, index) => [String(index), item]) : Object.entries(value);
  const count = Array.isArray(value) ? say(`${entries.length} items`, `${entries.length} 项`) : say(`${entries.length} fields`, `${entries.length} 个字段`);
  if (depth >= DEEP) return html`<div class="tree-leaf">${label}<code>…</code></div>`;
  return html`<details class="tree-branch" open=${isOpen} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary>${label}<span class="faint">${count}</span></summary>
    ${isOpen && entries.slice(0, limit).map(([key, item]) => html`<${Node} key=${key} name=${key} value=${item} depth=${depth + 1} />`)}
    ${isOpen && entries.length > limit && html`<button type="button" class="tree-more" onClick=${() => setLimit(limit + MANY)}>${say("More", "更多")}</button>`}
  </details>`;
}

const Leaf = ({ value }) =>
  value === "" ? html`<span class="faint">""</span>` : html`<span class=${`tree-${value === null ? "null" : typeof value}`}>${String(value)}</span>`;
