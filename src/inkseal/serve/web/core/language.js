/** Which of the two languages is spoken; every text is written once, as a pair. */
import { computed, effect } from "@preact/signals";
import { kept } from "./store.js";

/** @typedef {"en" | "zh"} Language */
/** @typedef {{en: string, zh: string}} Words */

/** What was chosen in this browser; null follows the installation, then the browser. */
export const chosenLanguage = kept("language", /** @type {Language | null} */ (null));

/** The language that is spoken now. */
export const language = computed(() => chosenLanguage.value ?? offered());

/**
 * Returns the text in the language that is spoken. A component that calls it is drawn again when the language changes.
 * @param {string} en
 * @param {string} zh
 * @returns {string}
 */
export const say = (en, zh) => (language.value === "zh" ? zh : en);

/**
 * Returns a pair's text; a plain text is returned as it is.
 * @param {Words | string | undefined | null} words
 * @returns {string}
 */
export const sayWords = (words) => (typeof words === "string" ? words : words ? say(words.en, words.zh) : "");

/** Returns the tag of the language for `lang` attributes, `Accept-Language` and `Intl`. */
export const languageTag = () => (language.value === "zh" ? "zh-CN" : "en");

/** @returns {Language} */
function offered() {
  const server = document.querySelector('meta[name="inkseal-language"]')?.getAttribute("content");
  if (server === "zh" || server === "en") return server;
  return navigator.languages?.some((tag) => /^(zh|en)/i.test(tag)) &&
    /^zh/i.test(navigator.languages.find((tag) => /^(zh|en)/i.test(tag)))
    ? "zh"
    : "en";
}

effect(() => {
  document.documentElement.lang = languageTag();
});
