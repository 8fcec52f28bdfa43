/** Fetching the chosen model: begun here, or found going on when the page is opened again. */
import { useEffect, useState } from "../../core/html.js";
import { ApiError, post } from "../../core/api.js";
import { isRunning, stopTask, takeTask, taskOf, useTasks } from "../../core/tasks.js";
import { toastError } from "../../ui/toast.js";

/** @typedef {{task: import("../../core/tasks.js").Task | null, error: Error | null, isRunning: boolean, begin: () => void, stop: () => void}} Pull */

/**
 * @param {any} model the chosen one; undefined while nobody knows
 * @param {() => void} onHere called when it has come
 * @param {() => void} onEnd called when it will not come: stopped or failed
 * @returns {Pull}
 */
export function usePull(model, onHere, onEnd) {
  const [error, setError] = useState(/** @type {Error | null} */ (null));
  const [isAsking, setAsking] = useState(false);
  const name = model?.name;
  useEffect(() => setError(null), [name]);
  useTasks((ended) => {
    if (ended.kind !== "pull" || ended.subject !== name) return;
    if (ended.state === "finished") return onHere();
    if (ended.state === "failed") setError(new ApiError({ status: 502, code: ended.code, message: ended.message }));
    onEnd();
  });
  const newest = name && taskOf(name, ["pull"]);
  const task = newest && isRunning(newest) ? newest : null;
  const begin = async () => {
    setError(null);
    setAsking(true);
    try {
      takeTask(await post(`/api/v1/models/${name}/pull`));
    } catch (found) {
      setError(found);
      onEnd();
    }
    setAsking(false);
  };
  return { task, error, isRunning: isAsking || task !== null, begin, stop: () => task && stopTask(task).catch(toastError) };
}
