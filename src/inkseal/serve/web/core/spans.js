/** Cuts a text at the ends of findings, so that overlapping ones can be shown. Positions count code points, as Python does. */

/**
 * @template {{start: number, end: number}} T
 * @param {string} text
 * @param {T[]} findings
 * @returns {{text: string, hits: T[]}[]} the text in pieces, each with the findings that cover it
 */
export function pieces(text, findings) {
  const points = Array.from(text);
  const inside = findings.filter((hit) => hit.end > hit.start && hit.start < points.length);
  const cuts = new Set([0, points.length]);
  for (const hit of inside) cuts.add(hit.start).add(Math.min(hit.end, points.length));
  const ends = [...cuts].sort((a, b) => a - b);
  return ends.slice(0, -1).map((start, at) => ({
    text: points.slice(start, ends[at + 1]).join(""),
    hits: inside.filter((hit) => hit.start <= start && hit.end > start),
  }));
}
