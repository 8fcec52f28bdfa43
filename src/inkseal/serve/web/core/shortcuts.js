/** Keys that do something wherever one is. Those of a single letter can be switched off, as some people's software types them. */
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { kept } from "./store.js";

/**
 * @typedef {object} Shortcut
 * @property {string} keys "?", "Mod+k" (Ctrl, on a Mac Command), or two after one another: "g m"
 * @property {() => string} words what it does
 * @property {() => void} does
 */

/** Whether keys without Ctrl or Command do anything. */
export const hasLetters = kept("shortcuts", true);

/** All that hold now, the latest last. */
export const shortcuts = signal(/** @type {Shortcut[]} */ ([]));

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Keeps shortcuts while the component is drawn. @param {Shortcut[]} given @param {unknown[]} [on] when they are made anew */
export function useShortcuts(given, on = []) {
  useEffect(() => {
    shortcuts.value = [...shortcuts.peek(), ...given];
    return () => {
      shortcuts.value = shortcuts.peek().filter((one) => !given.includes(one));
    };
  }, on);
}

const PAUSE_MS = 1200;
let before = { key: "", at: 0 };

const NOT_WRITTEN = new Set(["radio", "checkbox", "range", "button", "file"]);

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !NOT_WRITTEN.has(target.type);
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (!mod && (!hasLetters.value || isTyping(event.target) || event.ctrlKey || event.metaKey)) return;
  const key = mod ? `Mod+${event.key.toLowerCase()}` : event.key;
  const isSecond = !mod && event.timeStamp - before.at < PAUSE_MS;
  const wanted = isSecond ? [`${before.key} ${key}`, key] : [key];
  const found = wanted.map((keys) => shortcuts.value.findLast((one) => one.keys === keys)).find(Boolean);
  before = found || mod ? { key: "", at: 0 } : { key, at: event.timeStamp };
  if (!found) return;
  event.preventDefault();
  found.does();
});
