/** What the gallery shows: pages of the list, asked for as they come into view, and the values that filters may take. */
import { get } from "../../core/api.js";
import { useEffect, useRef, useState } from "../../core/html.js";
import { useLoad } from "../../core/load.js";

export const PAGE = 100;
/** Names that stand in the address and are passed on to the server. */
const FILTERS = ["modality", "model", "app", "regime", "verdict", "check", "collection", "state"];

/** @typedef {import("./types.js").Item} Item */

/**
 * Returns what the server is asked for an address. Days are meant as the reader's own.
 * @param {Record<string, string>} query
 */
export function asked(query) {
  const found = Object.fromEntries(FILTERS.map((name) => [name, query[name]]));
  if (query.since) found.since = new Date(`${query.since}T00:00:00`).toISOString();
  if (query.until) {
    const end = new Date(`${query.until}T00:00:00`);
    end.setDate(end.getDate() + 1);
    found.until = end.toISOString();
  }
  return { ...found, query: query.query, by: query.query && query.by, steps: withSteps(query) };
}

/** What the server is asked for the answers of steps that stand behind the result of an app. */
const withSteps = ({ steps }) => (steps ? null : false);

/** True when an address narrows the list. @param {Record<string, string>} query */
export const isNarrowed = (query) => [...FILTERS, "query", "since", "until"].some((name) => query[name]);

/**
 * Returns the list for an address: `items[index]` is there once it was asked for by `see`.
 * @param {Record<string, string>} query
 */
export function useItems(query) {
  const key = JSON.stringify(asked(query));
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState({ key: "", total: 0, numUnread: 0, error: null, isLoading: true });
  const [, redraw] = useState(0);
  const list = useRef({ items: /** @type {(Item | undefined)[]} */ ([]), pages: new Map(), next: new Map(), abort: new AbortController() });

  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, error: null, isLoading: true }));
    get("/api/v1/artifacts", { query: { ...JSON.parse(key), limit: PAGE }, signal: abort.signal }).then(
      (page) => {
        list.current = { items: [], pages: new Map([[0, true]]), next: new Map(), abort };
        put(list.current, 0, page);
        setState({ key, total: page.total, numUnread: page.num_unread, error: null, isLoading: false });
      },
      (error) => {
        if (!abort.signal.aborted) setState({ key, total: 0, numUnread: 0, error, isLoading: false });
      },
    );
    return () => abort.abort();
  }, [key, turn]);

  const see = (first, end) => {
    const here = list.current;
    for (let page = Math.floor(first / PAGE); page * PAGE < end; page += 1) {
      if (here.pages.has(page) || page * PAGE >= state.total) continue;
      here.pages.set(page, true);
      const before = here.next.get(page) ?? page * PAGE;
      get("/api/v1/artifacts", { query: { ...JSON.parse(key), limit: PAGE, before }, signal: here.abort.signal }).then(
        (found) => {
          put(here, page, found);
          redraw((count) => count + 1);
        },
        () => here.pages.delete(page),
      );
    }
  };
  return { ...state, items: list.current.items, see, again: () => setTurn((before) => before + 1) };
}

function put(list, page, found) {
  found.artifacts.forEach((item, index) => {
    list.items[page * PAGE + index] = item;
  });
  if (found.next) list.next.set(page + 1, found.next);
}

/** The values that filters may take, and the collections. */
export function useFacets(query) {
  const steps = withSteps(query);
  const facets = useLoad((signal) => get("/api/v1/artifacts/facets", { query: { steps }, signal }), [steps]);
  const collections = useLoad((signal) => get("/api/v1/collections", { signal }), []);
  return {
    facets: facets.value,
    collections: collections.value ?? [],
    again: () => {
      facets.again();
      collections.again();
    },
  };
}
