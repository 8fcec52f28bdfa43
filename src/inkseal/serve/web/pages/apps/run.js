/** Runs of apps: begun on the server, which goes on by itself; watched from the first event, as often as one likes. */
import * as api from "../../core/api.js";
import { follow } from "../../core/follow.js";
import { newId } from "../../core/ids.js";

/**
 * @typedef {{text: string, attempt: number, phase: string, item: number | null, numItems: number | null, problems: string[], mended: boolean, isOver: boolean}} Try
 * @typedef {{name: string, title: string, state: "waiting" | "working" | "done" | "skipped" | "failed", tries: Try[]}} Step
 * @typedef {{steps: Step[], result: any, error: Error | null, isRunning: boolean, notes: string[]}} Run
 */

/** @returns {Run} */
export const fresh = () => ({ steps: [], result: null, error: null, isRunning: true, notes: [] });

/** Begins a run. @param {string} name @param {Record<string, unknown>} body @returns {Promise<{id: string}>} */
export const beginRun = (name, body) =>
  api.post(`/api/v1/apps/${name}/run`, body, { headers: { prefer: "respond-async", "idempotency-key": newId() } });

/** Ends a run; what its steps made by then is kept. @param {string} id */
export const stopRun = (id) => api.remove(`/api/v1/app-runs/${id}`);

/**
 * Tells how a run stands, from its first event on, at most once a frame, until it is over.
 * @param {string} id
 * @param {AbortSignal} signal
 * @param {(run: Run) => void} onChange
 */
export async function watchRun(id, signal, onChange) {
  let run = fresh();
  let frame = 0;
  const tell = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      onChange(seen(run));
    });
  };
  tell();
  try {
    await follow(`/api/v1/app-runs/${id}/events`, signal, {
      begin: () => (run = fresh()),
      take: ({ event, data }) => {
        TAKES[event]?.(run, data);
        tell();
      },
      isOver: () => !!(run.result || run.error),
    });
  } catch (error) {
    run.error ??= error;
  }
  cancelAnimationFrame(frame);
  if (signal.aborted) return;
  run.isRunning = false;
  if (run.error) for (const step of run.steps) if (step.state === "working") step.state = "failed";
  onChange(seen(run));
}

/** A step is drawn again only if it is another object. */
const seen = (run) => ({ ...run, steps: run.steps.map((step) => ({ ...step })) });

const last = (list) => list[list.length - 1];
const working = (run) => run.steps.find((step) => step.state === "working");
const stepOf = (run, name) => run.steps.find((step) => step.name === name);
const writing = (run) => last(working(run)?.tries ?? []);

const TAKES = {
  app_started: (run, data) => {
    run.steps = data.steps.map(({ name, title }) => ({ name, title, state: "waiting", tries: [] }));
    if (run.steps[0]) run.steps[0].state = "working";
  },
  step_started: (run, data) => {
    const step = stepOf(run, data.step);
    if (!step) return;
    step.state = "working";
    const { attempt, phase, item } = data;
    step.tries.push({ text: "", attempt, phase, item, numItems: data.num_items, problems: [], mended: false, isOver: false });
  },
  generated: (run, data) => {
    const current = writing(run);
    if (current && !current.isOver) current.text += data.chunk.text;
  },
  step_words: (run, data) => {
    const current = writing(run);
    if (current) current.text = data.text;
  },
  withdrawn: (run) => {
    const current = writing(run);
    if (current) current.text = "";
  },
  answer_judged: (run, data) => {
    const current = last(stepOf(run, data.step)?.tries ?? []);
    if (current) Object.assign(current, { problems: data.problems, mended: data.mended, isOver: true });
  },
  step_finished: (run, data) => {
    const at = run.steps.findIndex((step) => step.name === data.step);
    if (at < 0) return;
    run.steps[at].state = data.skipped ? "skipped" : "done";
    if (run.steps[at + 1]) run.steps[at + 1].state = "working";
  },
  noted: (run, data) => run.notes.push(data.text),
  app_finished: (run, data) => {
    run.result = data.result;
  },
  app_failed: (run, data) => {
    const step = stepOf(run, data.step);
    if (step) step.state = "failed";
    run.error = new api.ApiError({ status: 0, code: data.code, message: data.message });
  },
};
