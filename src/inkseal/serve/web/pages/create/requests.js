/** From a conversation to what the server is asked: the words in order, each with where it comes from. */

const MAX_PARENTS = 32;
const FILE = /^\[file: ([^\n\]]{1,200})\]\n/;

/**
 * @param {import("./tree.js").Turn[]} turns up to the question
 * @param {Record<string, any>} settings the request's own fields, and `system`
 * @param {(turn: import("./tree.js").Turn) => {text: string, artifact: string | null}} answerOf
 */
export function requestOf(turns, settings, answerOf) {
  const { system, makes, image, ...fields } = settings;
  const messages = turns.map((turn) => message(turn, answerOf)).filter((one) => one.parts.length || one.tool_calls?.length);
  if (system?.trim()) messages.unshift({ role: "system", parts: [{ text: system, origin: "system" }] });
  const parents = turns.map((turn) => (turn.role === "assistant" ? answerOf(turn).artifact : null)).filter(Boolean);
  return { ...fields, messages, ...(parents.length ? { parents: parents.slice(-MAX_PARENTS) } : {}) };
}

/**
 * Returns what a picture model is asked: the last words somebody said, and the settings for pictures.
 * @param {import("./tree.js").Turn[]} turns up to the question
 * @param {Record<string, any>} settings
 */
export function pictureRequestOf(turns, settings) {
  const said = turns.filter((turn) => turn.role === "user").at(-1);
  return { ...settings.image, messages: [{ role: "user", parts: [{ text: said ? wordsOf(said) : "", origin: "user" }] }] };
}

function message(turn, answerOf) {
  if (turn.role === "assistant") {
    const { text } = answerOf(turn);
    const parts = text ? [{ text, origin: "assistant" }] : [];
    return { role: "assistant", parts, ...(turn.tool_calls?.length ? { tool_calls: turn.tool_calls } : {}) };
  }
  const parts = turn.parts.filter((part) => part.text).map(({ text, origin }) => ({ text, origin }));
  if (turn.role === "tool") return { role: "tool", parts, tool_call_id: turn.tool_call_id };
  return { role: "user", parts };
}

/** Returns a file as a part: the name first, so that the model can speak of it. @param {{name: string, text: string}} file */
export const filePart = ({ name, text }) => ({ text: `[file: ${name.replace(/[\n\]]/g, " ").slice(0, 200)}]\n${text}\n\n`, origin: "document" });

/** Returns the file that a part holds. @param {{text: string}} part */
function fileOf(part) {
  const name = FILE.exec(part.text)?.[1] ?? "";
  return { name, text: name ? part.text.slice(part.text.indexOf("\n") + 1).replace(/\n\n$/, "") : part.text };
}

/** Returns the words somebody wrote, without files. @param {import("./tree.js").Turn} turn */
export const wordsOf = (turn) => turn.parts.filter((part) => part.origin !== "document").map((part) => part.text).join("");

/** Returns the files that were given with a turn. @param {import("./tree.js").Turn} turn */
export const filesOf = (turn) => turn.parts.filter((part) => part.origin === "document").map(fileOf);
