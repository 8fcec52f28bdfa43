/** What an answer costs: while it comes, and afterwards. What is not known is said to be unknown. */
import { get } from "../../core/api.js";
import { duration, number, size } from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { energyOf } from "../../ui/energy.js";
import { Icon } from "../../ui/icon.js";

const EVERY_MS = 2000;

const Meter = ({ icon, title, children }) => html`<span class="meter" title=${title}><${Icon} name=${icon} size=${14} /><span class="unseen">${title}: </span>${children}</span>`;

const pace = (perSecond) => say(`${number(perSecond, { maximumFractionDigits: 1 })} tokens/s`, `${number(perSecond, { maximumFractionDigits: 1 })} 词元/秒`);

/** @param {{live: import("./live.js").Live}} props */
export function LiveMeters({ live }) {
  const bytes = useMemory();
  const perSecond = live.tokensPerSecond.value;
  return html`<p class="meters">
    <${Meter} icon="spark" title=${say("Tokens so far", "已生成词元")}>${number(live.count.value)}<//>
    ${perSecond !== null && html`<${Meter} icon="clock" title=${say("Speed", "速度")}>${pace(perSecond)}<//>`}
    ${bytes !== null && html`<${Meter} icon="memory" title=${say("Memory now", "当前内存")}>${size(bytes)}<//>`}
  </p>`;
}

/** @param {{usage: any}} props */
export function Meters({ usage }) {
  const seconds = usage.total_seconds - (usage.first_chunk_seconds ?? 0);
  const speed = seconds > 0.001 && usage.completion_tokens > 1 ? pace((usage.completion_tokens - 1) / seconds) : null;
  return html`<p class="meters">
    <${Meter} icon="spark" title=${say("Tokens of prompt and answer", "提示词与回答的词元数")}>${number(usage.prompt_tokens)} + ${number(usage.completion_tokens)}<//>
    ${speed && html`<${Meter} icon="clock" title=${say("Speed", "速度")}>${speed} · ${duration(usage.total_seconds)}<//>`}
    <${Meter} icon="memory" title=${say("Most memory of the engine's process", "引擎进程的内存峰值")}>${usage.peak_memory_bytes ? size(usage.peak_memory_bytes) : say("memory unknown", "内存未知")}<//>
    <${Meter} icon="energy" title=${say("Energy", "能耗")}>${usage.energy ? energyOf(usage.energy) : say("energy unknown", "能耗未知")}<//>
  </p>`;
}

/** The memory that the server and its engines hold, asked for now and then; null where the server does not tell. */
function useMemory() {
  const [bytes, setBytes] = useState(/** @type {number | null} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    const ask = () => get("/api/v1/memory", { signal: abort.signal }).then((facts) => setBytes(held(facts)), () => clearInterval(timer));
    const timer = setInterval(ask, EVERY_MS);
    return () => (clearInterval(timer), abort.abort());
  }, []);
  return bytes;
}

const held = (facts) => facts.server_bytes + facts.engines.reduce((sum, engine) => sum + (engine.resident_bytes ?? 0), 0);
