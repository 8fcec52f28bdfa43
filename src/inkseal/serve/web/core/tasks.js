/** Long work of the installation (fetching, loading, measuring, a backup): it lives on the server, pages only look on. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "./html.js";
import * as api from "./api.js";
import { may } from "./session.js";

/**
 * @typedef {object} Task
 * @property {string} id
 * @property {"pull" | "load" | "measure" | "backup"} kind
 * @property {string} subject
 * @property {"running" | "finished" | "failed" | "cancelled"} state
 * @property {string} what
 * @property {number} done
 * @property {number | null} total
 * @property {string} unit
 * @property {string[]} notes
 * @property {string} code
 * @property {string} message
 * @property {Record<string, any>} result
 */

/** All tasks that the server still knows, newest first. */
export const tasks = signal(/** @type {Task[]} */ ([]));

const QUICK = 600;
const SLOW = 5000;

/** The newest task of a subject, of one of the kinds. @param {string} subject @param {string[]} kinds */
export const taskOf = (subject, kinds) => tasks.value.find((task) => task.subject === subject && kinds.includes(task.kind));

/** Shows a task before the next look at the server finds it. @param {Task} task */
export const takeTask = (task) => {
  tasks.value = [task, ...tasks.peek().filter((one) => one.id !== task.id)];
};

/** Asks the server to stop a task. @param {Task} task */
export const stopTask = (task) => api.remove(`/api/v1/tasks/${task.id}`);

/**
 * Keeps `tasks` true while the component is there: often while something runs, seldom else, never in a hidden tab.
 * Asking for all of them takes one connection whatever runs; a stream for each would take the browser's last ones.
 * @param {(ended: Task) => void} onEnd told of each task that ends meanwhile
 */
export function useTasks(onEnd) {
  const told = useRef(onEnd);
  told.current = onEnd;
  useEffect(() => {
    if (!may("admin")) return;
    const abort = new AbortController();
    let timer = 0;
    const look = async () => {
      clearTimeout(timer);
      if (!document.hidden) await refresh(told, abort.signal);
      if (abort.signal.aborted) return;
      timer = setTimeout(look, tasks.peek().some(isRunning) ? QUICK : SLOW);
    };
    // A new task is looked at soon, also when nothing ran before it.
    const stop = tasks.subscribe((now) => {
      if (now.some(isRunning)) {
        clearTimeout(timer);
        timer = setTimeout(look, QUICK);
      }
    });
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      abort.abort();
      clearTimeout(timer);
      stop();
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
}

/** @param {Task} task */
export const isRunning = (task) => task.state === "running";

async function refresh(told, signal) {
  const before = new Set(tasks.peek().filter(isRunning).map((task) => task.id));
  let found;
  try {
    found = await api.get("/api/v1/tasks", { signal });
  } catch {
    return; // The shell says when the server is gone; the next look comes by itself.
  }
  if (JSON.stringify(found) !== JSON.stringify(tasks.peek())) tasks.value = found;
  for (const task of found) if (before.has(task.id) && !isRunning(task)) told.current(task);
}
