/** Light, dark, or as the system has it. */
import { effect } from "@preact/signals";
import { kept } from "./store.js";

/** @typedef {"system" | "light" | "dark"} Theme */

export const theme = kept("theme", /** @type {Theme} */ ("system"));

const NEXT = { system: "light", light: "dark", dark: "system" };

/** Goes on to the next of the three. */
export const turnTheme = () => {
  theme.value = NEXT[theme.value] ?? "system";
};

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
