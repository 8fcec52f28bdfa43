/** Signals that outlive a reload: choices and drafts, kept in this browser only and the same in all of its tabs. */
import { signal, effect } from "@preact/signals";

const PREFIX = "inkseal.";
const known = new Map();

/**
 * Returns a signal that is kept in localStorage under its name; the same name gives the same signal.
 * @template T
 * @param {string} name
 * @param {T} initial when nothing is kept
 * @returns {import("@preact/signals").Signal<T>}
 */
export function kept(name, initial) {
  if (known.has(name)) return known.get(name);
  const found = read(name);
  const made = signal(found === undefined ? initial : found);
  let last = JSON.stringify(made.peek());
  effect(() => {
    const text = JSON.stringify(made.value);
    if (text === last) return;
    last = text;
    write(name, text);
  });
  made.take = (value) => {
    last = JSON.stringify(value === undefined ? initial : value);
    made.value = value === undefined ? initial : value;
  };
  known.set(name, made);
  return made;
}

/** Forgets everything whose name begins so: what a signed-out person leaves must not greet the next. */
export function forget(beginning) {
  for (const [name, found] of known) if (name.startsWith(beginning)) found.take(undefined);
  try {
    for (const place of [localStorage, sessionStorage])
      for (const name of Object.keys(place)) if (name.startsWith(PREFIX + beginning)) place.removeItem(name);
  } catch {
    // Nothing could be kept, so nothing is left.
  }
}

function read(name) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function write(name, text) {
  try {
    if (text === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // Private windows and full disks keep nothing; the page works on.
  }
}

addEventListener("storage", (event) => {
  if (event.key === null || !event.key.startsWith(PREFIX)) return;
  const name = event.key.slice(PREFIX.length);
  known.get(name)?.take(read(name));
});
