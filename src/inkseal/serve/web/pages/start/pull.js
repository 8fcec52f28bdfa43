/** Fetching the chosen model: begun here, or found going on when the page is opened again. */
import { useEffect, useRef, useState } from "../../core/html.js";
import { ApiError, post } from "../../core/api.js";
import { may } from "../../core/session.js";
import { followTask, runningTask, stopTask } from "../../core/task.js";

/** @typedef {{task: import("../../core/task.js").Task | null, error: Error | null, isRunning: boolean, begin: () => void, stop: () => void}} Pull */

/**
 * @param {any} model the chosen one; undefined while nobody knows
 * @param {() => void} onHere called when it has come
 * @param {() => void} onEnd called when it will not come: stopped, failed, or not going on after all
 * @returns {Pull}
 */
export function usePull(model, onHere, onEnd) {
  const [task, setTask] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const looking = useRef(new AbortController());
  const name = model?.name;
  const follow = async (found) => {
    const { signal } = looking.current;
    setTask(found);
    const last = await followTask(found.id, (facts) => !signal.aborted && setTask(facts), signal);
    setTask(null);
    if (last.state === "finished") return onHere();
    if (last.state === "failed") setError(new ApiError({ status: 502, code: last.code, message: last.message }));
    onEnd();
  };
  const guarded = (work) =>
    work().catch((found) => {
      if (found.name === "AbortError") return;
      setTask(null);
      setError(found);
      onEnd();
    });
  useEffect(() => {
    looking.current = new AbortController();
    const { signal } = looking.current;
    setTask(null);
    setError(null);
    if (name && !model.here && may("admin"))
      guarded(async () => {
        const found = await runningTask("pull", name, signal);
        if (signal.aborted) return;
        if (found) await follow(found);
        else onEnd();
      });
    return () => looking.current.abort();
  }, [name, model?.here]);
  return {
    task,
    error,
    isRunning: task !== null,
    begin: () => {
      setError(null);
      if (!task) guarded(async () => follow(await post(`/api/v1/models/${name}/pull`)));
    },
    stop: () => task && guarded(() => stopTask(task.id)),
  };
}
