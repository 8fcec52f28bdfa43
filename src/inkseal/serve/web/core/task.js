/** Long work of the server, such as fetching a model: goes on without the page, and is found again after a reload. */
import { get, remove, stream } from "./api.js";

/** @typedef {{id: string, kind: string, subject: string, state: "running" | "finished" | "failed" | "cancelled", what: string, done: number, total: number | null, unit: string, code: string, message: string}} Task */

const PAUSE_MS = 1500;

/** Returns the work that goes on with a subject, if any. @param {string} kind @param {string} subject @param {AbortSignal} [signal] */
export async function runningTask(kind, subject, signal) {
  const tasks = await get("/api/v1/tasks", { signal });
  return tasks.find((task) => task.kind === kind && task.subject === subject && task.state === "running") ?? null;
}

/**
 * Tells how a task goes until it is over, also over breaks of the connection; resolves to its last state.
 * @param {string} id
 * @param {(task: Task) => void} tell
 * @param {AbortSignal} signal ends the looking, not the task
 * @returns {Promise<Task>}
 */
export async function followTask(id, tell, signal) {
  while (true) {
    try {
      let task = await get(`/api/v1/tasks/${id}`, { signal });
      tell(task);
      if (task.state !== "running") return task;
      for await (const { event, data } of stream("GET", `/api/v1/tasks/${id}/events`, { signal })) {
        if (event !== "progress") continue;
        task = { ...task, what: data.what, done: data.done, total: data.total, unit: data.unit };
        tell(task);
      }
    } catch (error) {
      if (!error.isUnreachable || signal.aborted) throw error;
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }
}

/** Stops a task. What it fetched stays for the next time. @param {string} id */
export const stopTask = (id) => remove(`/api/v1/tasks/${id}`);
