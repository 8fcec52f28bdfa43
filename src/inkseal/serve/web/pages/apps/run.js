/** One run of an app: its events become steps with their words, and a result. */
import * as api from "../../core/api.js";
import { say } from "../../core/language.js";

/**
 * @typedef {{text: string, attempt: number, phase: string, item: number | null, numItems: number | null, problems: string[], mended: boolean, isOver: boolean}} Try
 * @typedef {{name: string, title: string, state: "waiting" | "working" | "done" | "skipped" | "failed", tries: Try[]}} Step
 * @typedef {{steps: Step[], result: any, error: Error | null, isRunning: boolean, notes: string[]}} Run
 */

/** @returns {Run} */
export const fresh = () => ({ steps: [], result: null, error: null, isRunning: true, notes: [] });

/**
 * Runs an app and tells how it stands, at most once a frame.
 * @param {string} name
 * @param {Record<string, unknown>} body
 * @param {AbortSignal} signal
 * @param {(run: Run) => void} onChange
 */
export async function runApp(name, body, signal, onChange) {
  const run = fresh();
  let frame = 0;
  const tell = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      onChange(seen(run));
    });
  };
  tell();
  try {
    for await (const { event, data } of api.stream("POST", `/api/v1/apps/${name}/run`, { body, signal })) {
      TAKES[event]?.(run, data);
      tell();
    }
    if (!run.result && !run.error) throw new api.ApiError({ status: 0, code: "broken_off", message: say("The run broke off without a result.", "运行中断，没有结果。") });
  } catch (error) {
    run.error ??= error;
  }
  run.isRunning = false;
  if (run.error) for (const step of run.steps) if (step.state === "working") step.state = "failed";
  cancelAnimationFrame(frame);
  onChange(seen(run));
}

/** A step is drawn again only if it is another object. */
const seen = (run) => ({ ...run, steps: run.steps.map((step) => ({ ...step })) });

const last = (list) => list[list.length - 1];
const working = (run) => run.steps.find((step) => step.state === "working");
const stepOf = (run, name) => run.steps.find((step) => step.name === name);

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
    const current = last(working(run)?.tries ?? []);
    if (current && !current.isOver) current.text += data.chunk.text;
  },
  withdrawn: (run) => {
    const current = last(working(run)?.tries ?? []);
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
