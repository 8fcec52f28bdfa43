/** The pages, one file each in `pages/`, found by being there; fetched when they are opened. */
import { computed, signal } from "@preact/signals";
import { route } from "./route.js";
import { may } from "./session.js";
import { kept } from "./store.js";

/**
 * What a page's file exports as `page`. All but `Page` are plain literals: the server reads them for the navigation.
 * @typedef {object} Page
 * @property {string} name as in the address; the file's name
 * @property {number} order in the navigation
 * @property {string} icon a name in ui/icon.js
 * @property {import("./language.js").Words} title
 * @property {import("./session.js").Role} [role] who may open it; anybody when absent
 * @property {boolean} [hidden] not in the navigation
 * @property {"wide" | "full"} [layout] wide: more columns; full: the page scrolls by itself, edge to edge
 * @property {(props: {steps: string[], query: Record<string, string>}) => unknown} Page
 */

const FIRST_VISIT = "start";

const all = JSON.parse(document.querySelector('meta[name="inkseal-pages"]').getAttribute("content")).sort((a, b) => a.order - b.order);

/** The pages that who is asking may open, in the order of the navigation. */
export const pages = computed(() => all.filter((page) => may(page.role)));

/** The pages of the navigation. */
export const listed = computed(() => pages.value.filter((page) => !page.hidden));

/** Where one comes in: at the first visit of this browser the page for it, then the first page of the navigation. */
export const homePage = computed(() => {
  const first = kept("visited", false).value ? undefined : pageOf(FIRST_VISIT);
  return first ?? listed.value[0] ?? pages.value[0];
});

/** @param {string} name */
export const pageOf = (name) => pages.value.find((page) => page.name === name);

/** The name of the page that will most likely be drawn first, before it is known who is asking. */
export function firstPage() {
  const { page } = route.peek();
  if (all.some((one) => one.name === page)) return page;
  return kept("visited", false).peek() ? all.find((one) => !one.hidden).name : FIRST_VISIT;
}

/** The pages that have been fetched, by name: what to draw, or why it could not be fetched. */
export const fetched = signal(/** @type {Record<string, {Page?: Page["Page"], error?: Error}>} */ ({}));

const asked = new Set();

/** Fetches a page with all that it imports, once. @param {string} name */
export async function fetchPage(name) {
  if (asked.has(name)) return;
  asked.add(name);
  const { files, styles } = all.find((page) => page.name === name);
  for (const file of files) add("modulepreload", file);
  let found;
  try {
    const [module] = await Promise.all([import(`../pages/${name}.js`), ...styles.map((file) => add("stylesheet", file))]);
    found = { Page: module.page.Page };
  } catch (error) {
    console.error(`The page ${name} could not be fetched.`, error);
    asked.delete(name);
    found = { error };
  }
  fetched.value = { ...fetched.value, [name]: found };
}

/** Forgets that a page could not be fetched. @param {string} name */
export function fetchAgain(name) {
  const { [name]: _, ...others } = fetched.value;
  fetched.value = others;
  return fetchPage(name);
}

function add(rel, file) {
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = rel;
    link.href = `/web/${file}`;
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}
