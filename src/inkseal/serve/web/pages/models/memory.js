/** The memory budget as a picture: what is loaded, what is free, and what a model would take. */
import { html } from "../../core/html.js";
import { duration, size } from "../../core/format.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Panel } from "../../ui/panel.js";

const NUM_COLOURS = 5;

/**
 * @param {object} props
 * @param {any} props.memory of the status
 * @param {any[]} props.models of the catalogue, for their titles
 * @param {any} props.preview the model that is pointed at: what it would take is drawn with dashes
 * @param {false | ((model: any) => void)} props.onUnload
 */
export function Memory({ memory, models, preview, onUnload }) {
  const titles = Object.fromEntries(models.map((model) => [model.name, model.title]));
  const engines = memory.engines.map((engine, at) => ({ ...engine, title: titles[engine.model] ?? engine.model, colour: at % NUM_COLOURS }));
  const ghost = preview && ["fits", "evicts", "too_large"].includes(preview.need.fit) ? preview : null;
  const leaving = new Set(ghost ? ghost.need.evicts : []);
  const staying = memory.taken_bytes - sizeOf(engines, leaving);
  const whole = Math.max(memory.budget_bytes, memory.taken_bytes, staying + (ghost?.need.bytes ?? 0));
  // What would leave is drawn last, under what would take its place.
  const drawn = [...engines].sort((a, b) => Number(leaving.has(a.model)) - Number(leaving.has(b.model)));
  const free = Math.max(0, memory.budget_bytes - memory.taken_bytes);
  return html`<${Panel}
    title=${say("Memory", "内存")}
    words=${say("One budget for all engines. When a new one needs room, the one that was idle longest leaves.", "所有引擎共用一份预算。需要空间时，闲置最久的先退出。")}
  >
    <div class="memory-bar" role="img" aria-label=${spoken(engines, free, memory)}>
      ${drawn.map(
        (engine) => html`<span key=${engine.model + engine.backend} class=${`memory-part memory-${engine.colour}${leaving.has(engine.model) ? " memory-leaving" : ""}`}
          style=${{ width: `${(100 * engine.size_bytes) / whole}%` }} title=${`${engine.title}: ${size(engine.size_bytes)}`} />`,
      )}
      ${ghost && html`<span class=${`memory-part memory-ghost memory-ghost-${ghost.need.fit}`} style=${{ left: `${(100 * staying) / whole}%`, width: `${(100 * ghost.need.bytes) / whole}%` }} />`}
      ${whole > memory.budget_bytes && html`<span class="memory-limit" style=${{ left: `${(100 * memory.budget_bytes) / whole}%` }} />`}
    </div>
    <p class="memory-words" aria-live="polite">
      ${ghost ? ghostWords(ghost, titles) : say(`${size(free)} of ${size(memory.budget_bytes)} free`, `预算 ${size(memory.budget_bytes)}，剩余 ${size(free)}`)}
    </p>
    ${engines.length
      ? html`<ul class="memory-list">${engines.map((engine) => html`<${Loaded} key=${engine.model + engine.backend} engine=${engine} onUnload=${onUnload} />`)}</ul>`
      : html`<p class="faint">${say("No engine is loaded; the first request loads one.", "尚未载入引擎；首个请求会自动载入。")}</p>`}
    <p class="faint small">${say(
      `The machine has ${size(memory.machine_bytes)}, of which ${size(memory.available_bytes)} are free; the server itself takes ${size(memory.server_bytes)}.`,
      `整机内存 ${size(memory.machine_bytes)}，可用 ${size(memory.available_bytes)}；服务器自身占 ${size(memory.server_bytes)}。`,
    )}</p>
  <//>`;
}

const Loaded = ({ engine, onUnload }) => html`<li class="memory-row">
  <span class=${`memory-dot memory-${engine.colour}`} aria-hidden="true" />
  <span class="memory-name"><b>${engine.title}</b> <span class="faint small">${engine.backend}</span></span>
  <span class="number">${size(engine.size_bytes)}${engine.resident_bytes !== null && html` <span class="faint small">${say(`(${size(engine.resident_bytes)} in its process)`, `（进程实占 ${size(engine.resident_bytes)}）`)}</span>`}</span>
  <span class="faint small">${engine.users
    ? say(`at work for ${engine.users}`, `正在处理 ${engine.users} 项`)
    : say(`idle for ${duration(Math.max(1, Math.round(engine.idle_seconds)))}`, `已闲置 ${duration(Math.max(1, Math.round(engine.idle_seconds)))}`)}</span>
  ${onUnload && html`<${Button} small kind="quiet" icon="close" disabled=${engine.users > 0} label=${say(`Free the memory of ${engine.title}`, `释放 ${engine.title} 的内存`)} onClick=${() => onUnload({ name: engine.model })} />`}
</li>`;

const sizeOf = (engines, names) => engines.filter((engine) => names.has(engine.model)).reduce((sum, engine) => sum + engine.size_bytes, 0);

function ghostWords(model, titles) {
  const { fit, bytes, evicts, missing_bytes: missing } = model.need;
  const needs = say(`${model.title} would take about ${size(bytes)}.`, `${model.title} 约需 ${size(bytes)}。`);
  if (fit === "too_large") return needs + say(` ${size(missing)} are missing.`, `还差 ${size(missing)}。`);
  if (fit === "fits") return needs + say(" There is room.", "空间足够。");
  const names = evicts.map((name) => titles[name] ?? name);
  return needs + say(` ${names.join(", ")} would leave.`, `${names.join("、")} 将退出。`);
}

function spoken(engines, free, memory) {
  const parts = engines.map((engine) => `${engine.title} ${size(engine.size_bytes)}`);
  const all = [...parts, say(`free ${size(free)}`, `剩余 ${size(free)}`)].join(say(", ", "，"));
  return say(`Memory budget ${size(memory.budget_bytes)}: ${all}`, `内存预算 ${size(memory.budget_bytes)}：${all}`);
}
