/** How far something is. */
import { html } from "../core/html.js";
import { percent } from "../core/format.js";

/**
 * @param {{label: string, done?: number, total?: number | null, words?: string}} props without a total it only moves;
 * `words` say it in other units than percent
 */
export function Progress({ label, done = 0, total, words }) {
  const isKnown = typeof total === "number" && total > 0;
  const part = isKnown ? Math.min(1, done / total) : 0;
  return html`<div class="progress">
    <div class="progress-words"><span>${label}</span><span class="faint">${words ?? (isKnown ? percent(part) : "")}</span></div>
    <div
      class=${`progress-bar${isKnown ? "" : " progress-moving"}`}
      role="progressbar"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${isKnown ? Math.round(part * 100) : undefined}
      aria-valuetext=${words}
    >
      <span style=${isKnown ? { width: `${part * 100}%` } : {}} />
    </div>
  </div>`;
}
