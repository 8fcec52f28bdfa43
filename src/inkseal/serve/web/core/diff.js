/** Finds what two texts share, word by word; Chinese is cut into its words by the browser. */

const MAX_WORDS = 6000;

/**
 * Returns the pieces of both texts in order: shared (`both`), only in the first (`left`), only in the second (`right`).
 * Beyond some thousand words, pieces are lines instead.
 * Source: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, with a bounded D.
 * @param {string} left
 * @param {string} right
 * @returns {{kind: "both" | "left" | "right", text: string}[]}
 */
export function difference(left, right) {
  let [a, b] = [wordsOf(left), wordsOf(right)];
  if (a.length + b.length > MAX_WORDS) [a, b] = [linesOf(left), linesOf(right)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const middle = walk(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const pieces = [
    ...a.slice(0, start).map((text) => ({ kind: "both", text })),
    ...middle,
    ...a.slice(a.length - end).map((text) => ({ kind: "both", text })),
  ];
  return joined(pieces);
}

/** Returns how much of the longer text is shared, 0 to 1. @param {ReturnType<typeof difference>} pieces */
export function shared(pieces) {
  const length = (kinds) => pieces.filter((piece) => kinds.includes(piece.kind)).reduce((sum, piece) => sum + piece.text.length, 0);
  return length(["both"]) / Math.max(1, length(["both", "left"]), length(["both", "right"]));
}

function wordsOf(text) {
  if (!globalThis.Intl?.Segmenter) return text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  const words = [];
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) words.push(segment);
  return words;
}

const linesOf = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function walk(a, b) {
  const limit = Math.min(a.length + b.length, 1500);
  const reach = new Map([[1, 0]]);
  const trail = [];
  for (let depth = 0; depth <= limit; depth += 1) {
    trail.push(new Map(reach));
    for (let k = -depth; k <= depth; k += 2) {
      const down = k === -depth || (k !== depth && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      reach.set(k, x);
      if (x >= a.length && y >= b.length) return back(a, b, trail, depth);
    }
  }
  return [...a.map((text) => ({ kind: "left", text })), ...b.map((text) => ({ kind: "right", text }))];
}

function back(a, b, trail, depth) {
  const pieces = [];
  let [x, y] = [a.length, b.length];
  for (let d = depth; d >= 0; d -= 1) {
    const reach = trail[d];
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const fromX = d === 0 ? 0 : down ? reach.get(k + 1) : reach.get(k - 1);
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      pieces.push({ kind: "both", text: a[x] });
    }
    if (d === 0) break;
    if (down) pieces.push({ kind: "right", text: b[(y -= 1)] });
    else pieces.push({ kind: "left", text: a[(x -= 1)] });
  }
  return pieces.reverse();
}

function joined(pieces) {
  const found = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last?.kind === piece.kind) last.text += piece.text;
    else found.push({ ...piece });
  }
  return found;
}
