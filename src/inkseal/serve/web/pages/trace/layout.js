/** Places a line of descent: a column for each generation, parents left of children, with as few crossings as a few rounds give. */

export const NODE = { width: 184, height: 74 };
const GAP = { across: 46, along: 18 };
const ROUNDS = 6;

/**
 * @typedef {{id: string, kind: "artifact" | "model" | "file", depth: number, data: any}} Node
 * @typedef {{from: string, to: string}} Edge
 * @typedef {Node & {x: number, y: number}} Placed
 */

/**
 * @param {Node[]} nodes
 * @param {Edge[]} edges
 * @returns {{nodes: Placed[], edges: (Edge & {path: string})[], width: number, height: number}}
 */
export function layout(nodes, edges) {
  const first = Math.min(...nodes.map((node) => node.depth));
  const columns = [];
  for (const node of nodes) (columns[node.depth - first] ??= []).push(node);
  for (let column = 0; column < columns.length; column += 1) columns[column] ??= [];
  order(columns, edges);
  const tallest = Math.max(...columns.map((column) => heightOf(column.length)));
  const placed = new Map();
  columns.forEach((column, place) => {
    const top = (tallest - heightOf(column.length)) / 2;
    column.forEach((node, row) => {
      placed.set(node.id, { ...node, x: place * (NODE.width + GAP.across), y: top + row * (NODE.height + GAP.along) });
    });
  });
  straighten(columns, edges, placed, tallest);
  return {
    nodes: [...placed.values()],
    edges: edges.filter(({ from, to }) => placed.has(from) && placed.has(to)).map((edge) => ({ ...edge, path: curve(placed.get(edge.from), placed.get(edge.to)) })),
    width: columns.length * NODE.width + (columns.length - 1) * GAP.across,
    height: tallest,
  };
}

const heightOf = (count) => Math.max(0, count * NODE.height + (count - 1) * GAP.along);

/** Sorts each column by the mean place of what its nodes hang on, back and forth. Source: Sugiyama et al., 1981. */
function order(columns, edges) {
  const near = new Map();
  const link = (one, other) => near.set(one, [...(near.get(one) ?? []), other]);
  for (const { from, to } of edges) {
    link(from, to);
    link(to, from);
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const row = new Map(columns.flatMap((column) => column.map((node, index) => [node.id, (index + 0.5) / column.length])));
    for (const column of round % 2 ? [...columns].reverse() : columns) {
      const mean = (node) => {
        const known = (near.get(node.id) ?? []).map((id) => row.get(id)).filter((place) => place !== undefined);
        return known.length ? known.reduce((sum, place) => sum + place, 0) / known.length : row.get(node.id);
      };
      const means = new Map(column.map((node) => [node.id, mean(node)]));
      column.sort((one, other) => means.get(one.id) - means.get(other.id));
      column.forEach((node, index) => row.set(node.id, (index + 0.5) / column.length));
    }
  }
}

/** Moves lone nodes to the height of what they hang on, where there is room. */
function straighten(columns, edges, placed, tallest) {
  for (const column of columns) {
    let free = 0;
    column.forEach((node, index) => {
      const near = edges.flatMap(({ from, to }) => (from === node.id ? [to] : to === node.id ? [from] : [])).map((id) => placed.get(id)).filter(Boolean);
      const here = placed.get(node.id);
      const wanted = near.length ? near.reduce((sum, other) => sum + other.y, 0) / near.length : here.y;
      const last = tallest - heightOf(column.length - index);
      here.y = Math.max(free, Math.min(last, wanted));
      free = here.y + NODE.height + GAP.along;
    });
  }
}

function curve(from, to) {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = Math.max(GAP.across / 2, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
