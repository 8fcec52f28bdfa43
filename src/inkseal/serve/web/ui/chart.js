/** Charts drawn from lines of text: `bar | title | unit`, then `label | number`. */
import { html } from "../core/html.js";
import { number } from "../core/format.js";
import { say } from "../core/language.js";

const MAX_POINTS = 40;
const MAX_CHARS = 120;
const MAX_VALUE = 1e15;
const WIDTH = 640;
const TOP = 12;
const BAR = 24;
const GAP = 10;
const LABELS = 150;
const PLOT = 240;

/**
 * Returns the chart that the lines describe, or null.
 * @param {string} text
 * @returns {{kind: "bar" | "line", title: string, unit: string, points: [string, number][]} | null}
 */
export function readChart(text) {
  const [head, ...lines] = text.split("\n").filter((line) => line.trim());
  const [kind, title, unit, more] = (head ?? "").split("|").map((part) => part.trim());
  if ((kind !== "bar" && kind !== "line") || unit === undefined || more !== undefined) return null;
  const points = lines.map((line) => {
    const at = line.lastIndexOf("|");
    return [line.slice(0, at).trim(), at < 0 || !line.slice(at + 1).trim() ? NaN : Number(line.slice(at + 1))];
  });
  const fits = points.length > 0 && points.length <= MAX_POINTS && points.every(([label, value]) => label.length <= MAX_CHARS && Math.abs(value) <= MAX_VALUE);
  return fits ? { kind, title, unit, points } : null;
}

/** @param {{chart: NonNullable<ReturnType<typeof readChart>>}} props */
export function Chart({ chart }) {
  const name = chart.unit ? say(`${chart.title} (${chart.unit})`, `${chart.title}（${chart.unit}）`) : chart.title;
  const { shapes, height } = chart.kind === "bar" ? bars(chart.points) : line(chart.points);
  return html`<figure class="chart">
    <figcaption>${name}</figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${height}`} aria-hidden="true" focusable="false">${shapes}</svg>
    <table class="unseen">
      <caption>${name}</caption>
      <tbody>${chart.points.map(([label, value], index) => html`<tr key=${index}><th scope="row">${label}</th><td>${number(value)}</td></tr>`)}</tbody>
    </table>
  </figure>`;
}

function bars(points) {
  const values = points.map(([, value]) => value);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const scale = (WIDTH - LABELS - 96) / (high - low || 1);
  const zero = LABELS - low * scale;
  const shapes = points.map(([label, value], index) => {
    const top = TOP + index * (BAR + GAP);
    const begin = Math.min(zero, zero + value * scale);
    const width = Math.max(1, Math.abs(value) * scale);
    return html`<g key=${index}>
      <text x=${LABELS - 10} y=${top + BAR / 2} class="chart-end">${short(label, 16)}</text>
      <rect x=${begin} y=${top} width=${width} height=${BAR} rx="3" class="chart-shape" />
      <text x=${begin + width + 8} y=${top + BAR / 2} class="chart-value">${number(value)}</text>
    </g>`;
  });
  return { shapes, height: TOP + points.length * (BAR + GAP) };
}

function line(points) {
  const values = points.map(([, value]) => value);
  const high = Math.max(...values);
  const least = Math.min(...values);
  const low = least >= 0 && least < 0.6 * high ? 0 : least;
  const [left, right, bottom] = [48, WIDTH - 48, TOP + PLOT];
  const spots = values.map((value, index) => [
    left + (index * (right - left)) / Math.max(1, values.length - 1),
    bottom - ((value - low) / (high - low || 1)) * (PLOT - 34),
  ]);
  const every = Math.max(1, Math.ceil(points.length / 8));
  const shapes = html`<line x1=${left - 20} x2=${right + 20} y1=${bottom} y2=${bottom} class="chart-axis" />
    <polyline points=${spots.map((spot) => spot.map((place) => place.toFixed(1)).join(",")).join(" ")} class="chart-line" />
    ${spots.map(
      ([x, y], index) => html`<g key=${index}>
        <circle cx=${x} cy=${y} r="3.5" class="chart-shape" />
        ${(index % every === 0 || index === points.length - 1) &&
        html`<text x=${x} y=${bottom + 20} class="chart-middle">${short(points[index][0], 10)}</text>
          <text x=${x} y=${y - 14} class="chart-middle chart-value">${number(values[index])}</text>`}
      </g>`,
    )}`;
  return { shapes, height: bottom + 34 };
}

const short = (text, limit) => (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`);
