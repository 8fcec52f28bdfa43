/** Where one is: `#/page/step/…?name=value`. The address holds it, so that back, reload and links work. */
import { signal } from "@preact/signals";

/** @typedef {{page: string, steps: string[], query: Record<string, string>}} Route */

export const route = signal(read());

/**
 * Returns the address of a page for links.
 * @param {string} page
 * @param {(string | number)[]} [steps]
 * @param {Record<string, string | number | undefined>} [query] empty values are left out
 */
export function href(page, steps = [], query = {}) {
  const path = ["#", page, ...steps.map((step) => encodeURIComponent(String(step)))].join("/");
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return pairs.length ? `${path}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}` : path;
}

/** Goes to a page. @param {Parameters<typeof href>} to */
export const go = (...to) => {
  location.hash = href(...to);
  route.value = read(); // the event comes later, and what is drawn meanwhile must not be the page that is left
};

/** Goes to a page without a step in the history. @param {Parameters<typeof href>} to */
export const replace = (...to) => {
  history.replaceState(null, "", href(...to));
  route.value = read();
};

/** @returns {Route} */
function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, ...steps] = path.split("/").map(decoded);
  return { page, steps: steps.filter(Boolean), query: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(step) {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

addEventListener("hashchange", () => {
  route.value = read();
});
