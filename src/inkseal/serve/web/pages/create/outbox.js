/** What the server has yet to be told of conversations. Survives a reload of its tab; told again until it is taken. */
import { ApiError, connection, patch, put } from "../../core/api.js";
import { effect } from "../../core/html.js";
import { session } from "../../core/session.js";
import { toastError } from "../../ui/toast.js";

const NAME = "inkseal.draft.create.outbox";
const AGAIN_SECONDS = 5;
const BACK_MS = 500;

/** @typedef {{path: string, body: Record<string, unknown>, isChange?: boolean}} Letter a change makes nothing that is not there */

let letters = /** @type {Letter[]} */ (read());
let underWay = /** @type {Letter | null} */ (null);
let sending = null;
let timer = 0;
let isLeaving = false;
let told = (/** @type {string} */ _path) => {};

/**
 * Tells the server, in the order of the calls; what has the same address as one that waits goes with it.
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @param {{isChange?: boolean, pauseMs?: number}} [how] pauseMs: how long it may wait for more of the same
 */
export function tell(path, body, { isChange, pauseMs } = {}) {
  const waiting = letters.find((letter) => letter.path === path && letter !== underWay);
  if (waiting) waiting.body = { ...waiting.body, ...body };
  else letters.push({ path, body, isChange });
  keep();
  if (pauseMs) later(pauseMs);
  else flush();
}

/** True while an address has yet to be told something. @param {string} path */
export const isUntold = (path) => letters.some((letter) => letter.path === path);

/** Calls back with each address that was told. @param {(path: string) => void} listener */
export const onTold = (listener) => {
  told = listener;
};

/** Lets go of everything: another person must not tell it. */
export function clearOutbox() {
  letters = [];
  keep();
}

function flush() {
  sending ??= deliver().finally(() => (sending = underWay = null));
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(flush, milliseconds);
}

async function deliver() {
  while (letters.length) {
    const letter = (underWay = letters[0]);
    try {
      await (letter.isChange ? patch : put)(letter.path, letter.body, { keepalive: isLeaving });
      told(letter.path);
    } catch (error) {
      if (!(error instanceof ApiError) || error.isUnreachable || error.status === 401) return; // the effect below goes on
      if (error.status === 429 || error.status >= 500) return later(1000 * (error.retryAfterSeconds || AGAIN_SECONDS));
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
  if (connection.value === "ok" && session.value && letters.length) later(BACK_MS);
});

addEventListener("pagehide", () => {
  isLeaving = true;
  flush();
});
addEventListener("pageshow", () => {
  isLeaving = false;
});
