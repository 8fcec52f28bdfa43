/** A conversation as a tree: editing or asking again adds a branch and takes nothing away. Knows nothing of pages. */

/**
 * @typedef {object} Part
 * @property {string} text
 * @property {string} origin
 *
 * @typedef {object} Turn
 * @property {string} id
 * @property {string | null} parent
 * @property {"user" | "assistant" | "tool"} role
 * @property {Part[]} parts
 * @property {any[]} tool_calls
 * @property {string | null} tool_call_id
 * @property {string | null} run_id
 * @property {Record<string, any>} asked
 * @property {string | null} finish_reason
 * @property {string} error
 * @property {string} created_at
 */

const ROOT = "";

/** @param {Iterable<Turn>} turns @returns {Map<string, Turn[]>} the turns after each turn, oldest first */
export function branches(turns) {
  const found = new Map();
  for (const turn of [...turns].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const parent = turn.parent ?? ROOT;
    if (!found.has(parent)) found.set(parent, []);
    found.get(parent).push(turn);
  }
  return found;
}

/**
 * Returns the turns that are shown: at each fork the chosen branch, else the newest.
 * @param {Map<string, Turn[]>} forks
 * @param {Record<string, string>} chosen by the turn before the fork
 * @returns {Turn[]}
 */
export function path(forks, chosen) {
  const found = [];
  for (let at = ROOT, seen = new Set(); forks.has(at) && !seen.has(at); at = found.at(-1).id) {
    seen.add(at);
    const options = forks.get(at);
    found.push(options.find((turn) => turn.id === chosen[at]) ?? options.at(-1));
  }
  return found;
}

/** Returns the turns up to one, from the beginning. @param {Map<string, Turn>} turns @param {string | null} id */
export function upTo(turns, id) {
  const found = [];
  for (let turn = turns.get(id), seen = new Set(); turn && !seen.has(turn.id); turn = turns.get(turn.parent)) {
    seen.add(turn.id);
    found.unshift(turn);
  }
  return found;
}

/** Returns where a turn stands among those with the same parent. @param {Map<string, Turn[]>} forks @param {Turn} turn */
export function siblings(forks, turn) {
  const all = forks.get(turn.parent ?? ROOT) ?? [turn];
  return { all, at: all.findIndex((other) => other.id === turn.id) };
}

/**
 * Puts two states of a conversation together: whatever either knows is kept.
 * @param {Map<string, Turn>} mine
 * @param {Turn[]} theirs
 */
export function joined(mine, theirs) {
  const found = new Map(mine);
  for (const turn of theirs) {
    const known = found.get(turn.id);
    found.set(turn.id, known ? further(known, turn) : turn);
  }
  return found;
}

/** @param {Turn} known @param {Partial<Turn>} news @returns {Turn} */
export const further = (known, news) => ({
  ...known,
  run_id: known.run_id ?? news.run_id ?? null,
  tool_calls: known.tool_calls?.length ? known.tool_calls : (news.tool_calls ?? []),
  finish_reason: known.finish_reason ?? news.finish_reason ?? null,
  error: known.error || news.error || "",
});

/** True once nothing more will come. @param {Turn} turn */
export const isOver = (turn) => turn.role !== "assistant" || !!turn.finish_reason || !!turn.error;

/** Returns a title from the first words. @param {string} text */
export function titleOf(text) {
  const line = text.split("\n").map((one) => one.replace(/^[#>*\s-]+/, "").trim()).find(Boolean) ?? "";
  const letters = [...line];
  return letters.length > 48 ? `${letters.slice(0, 47).join("")}…` : line;
}
