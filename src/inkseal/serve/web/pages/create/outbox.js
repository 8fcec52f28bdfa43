/** What the server has yet to be told of conversations. Survives a reload of its tab; told again until it is taken. */
import { ApiError, connection, put } from "../../core/api.js";
import { effect } from "../../core/html.js";
import { toastError } from "../../ui/toast.js";

const NAME = "inkseal.draft.create.outbox";

/** @typedef {{path: string, body: unknown}} Letter */

let letters = read();
let sending = null;

/** Tells the server, in the order of the calls; what has the same address as one that waits takes its place. */
export function tell(path, body) {
  const waiting = letters.findIndex((letter, index) => letter.path === path && index > 0);
  if (waiting > 0) letters[waiting] = { path, body };
  else letters.push({ path, body });
  keep();
  return flush();
}

/** Resolves when everything is told, or the server cannot be reached. */
export const flush = () => (sending ??= deliver().finally(() => (sending = null)));

/** Lets go of everything: another person must not tell it. */
export function clearOutbox() {
  letters = [];
  keep();
}

async function deliver() {
  while (letters.length) {
    const letter = letters[0];
    try {
      await put(letter.path, letter.body);
    } catch (error) {
      if (!(error instanceof ApiError) || error.isUnreachable || error.status === 401 || error.status === 429 || error.status >= 500) return;
      toastError(error);
    }
    letters = letters.filter((other) => other !== letter);
    keep();
  }
}

function read() {
  try {
    const found = JSON.parse(sessionStorage.getItem(NAME));
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function keep() {
  try {
    if (letters.length) sessionStorage.setItem(NAME, JSON.stringify(letters));
    else sessionStorage.removeItem(NAME);
  } catch {
    // The page holds them still.
  }
}

effect(() => {
  if (connection.value === "ok" && letters.length) setTimeout(flush, 500);
});
