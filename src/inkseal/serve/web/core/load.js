/** Data of a page: asked for once, shown as waiting, there, or failed, and asked for again when what it hangs on changes. */
import { useEffect, useRef, useState } from "./html.js";

/**
 * Runs `ask(signal)` and again whenever one of `on` changes; what is no longer wanted is broken off.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @param {unknown[]} on
 * @returns {{value: T | undefined, error: Error | null, isLoading: boolean, again: () => void}}
 */
export function useLoad(ask, on = []) {
  const [state, setState] = useState({ value: undefined, error: null, isLoading: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, error: null, isLoading: true }));
    latest.current(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, error: null, isLoading: false }),
      (error) => !abort.signal.aborted && setState((before) => ({ value: before.value, error, isLoading: false })),
    );
    return () => abort.abort();
  }, [...on, turn]);
  return { ...state, again: () => setTurn((before) => before + 1) };
}
