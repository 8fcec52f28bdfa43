/** The pages, one file each in `pages/`, found by being there. */
import { computed, signal } from "@preact/signals";
import { may } from "./session.js";
import { kept } from "./store.js";

const FIRST_VISIT = "start";

/**
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

const all = signal(/** @type {Page[]} */ ([]));

/** The pages that who is asking may open, in the order of the navigation. */
export const pages = computed(() => all.value.filter((page) => may(page.role)));

/** The pages of the navigation. */
export const listed = computed(() => pages.value.filter((page) => !page.hidden));

/** Where one comes in: at the first visit of this browser the page for it, then the first page of the navigation. */
export const homePage = computed(() => {
  const first = kept("visited", false).value ? undefined : pageOf(FIRST_VISIT);
  return first ?? listed.value[0] ?? pages.value[0];
});

/** @param {string} name */
export const pageOf = (name) => pages.value.find((page) => page.name === name);

/** Loads every page; one that cannot be loaded is left out and does not take the others with it. */
export async function loadPages() {
  const styled = new Set(named("styled"));
  const found = await Promise.all(named("pages").map((name) => load(name, styled.has(name))));
  all.value = found.filter((page) => page !== null).sort((a, b) => a.order - b.order);
}

async function load(name, styled) {
  try {
    const [module] = await Promise.all([import(`../pages/${name}.js`), styled ? addStyle(name) : null]);
    return /** @type {Page} */ (module.page);
  } catch (error) {
    console.error(`The page ${name} could not be loaded.`, error);
    return null;
  }
}

function addStyle(name) {
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `/web/pages/${name}.css`;
    link.onload = link.onerror = done;
    document.head.append(link);
  });
}

const named = (what) =>
  (document.querySelector(`meta[name="inkseal-${what}"]`)?.getAttribute("content") ?? "").split(" ").filter(Boolean);
