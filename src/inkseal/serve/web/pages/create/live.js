/** Runs that go on: their words as they come, at most once a frame; a broken connection is taken up where it broke. */
import { ApiError, get, post, remove } from "../../core/api.js";
import { follow, reachable } from "../../core/follow.js";
import { batch, signal } from "../../core/html.js";

const HIDDEN_MS = 250;
const WINDOW_MS = 2000;
const NAME = "inkseal.draft.create.run.";

/**
 * @typedef {object} Progress
 * @property {string} what
 * @property {number} done
 * @property {number | null} total
 * @property {string} unit
 */

/** One run as it is known in this page. */
export class Live {
  /** @param {string} runId */
  constructor(runId) {
    this.runId = runId;
    this.label = "";
    this.lastEventId = 0;
    this.hasGap = false;
    this.numTokens = 0;
    this.times = /** @type {[number, number][]} */ ([]);
    this.waiting = /** @type {string[]} */ ([]);
    this.text = signal("");
    this.tokensPerSecond = signal(/** @type {number | null} */ (null));
    this.count = signal(0);
    this.status = signal(/** @type {"waiting" | "running" | "finished" | "failed"} */ ("running"));
    this.progress = signal(/** @type {Progress | null} */ (null));
    this.verdicts = signal(/** @type {any[]} */ ([]));
    this.toolCalls = signal(/** @type {any[]} */ ([]));
    this.isStopping = signal(false);
    this.finishReason = null;
    this.artifact = null;
    this.usage = null;
    this.record = null;
    this.error = "";
    this.begunAt = Date.now();
    this.scheduled = 0;
    this.recallPlace();
  }

  /** Asks the server to end the run; what came by then is kept. */
  async stop() {
    this.isStopping.value = true;
    if (!this.runId) return; // it waits for a place, and is ended when it has one
    try {
      await remove(`/api/v1/runs/${this.runId}`);
    } catch (error) {
      this.isStopping.value = false;
      throw error;
    }
  }

  /** Takes events until the run is over. Resolves then. @param {AbortSignal} abort */
  async follow(abort) {
    try {
      await follow(`/api/v1/runs/${this.runId}/events`, abort, {
        lastEventId: () => this.lastEventId,
        take: (frame) => this.take(frame),
        isOver: () => this.isOver,
      });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return this.askHowItEnded();
      throw error;
    }
  }

  get isOver() {
    return this.status.value === "finished" || this.status.value === "failed";
  }

  /** The server keeps events for a while only; the record stays. */
  async askHowItEnded() {
    const run = await get(`/api/v1/runs/${this.runId}`);
    this.hasGap = true;
    this.record = run;
    this.status.value = run.status === "finished" ? "finished" : "failed";
  }

  take({ id, event, data }) {
    if (id) this.lastEventId = Number(id);
    TAKES[event]?.(this, data);
  }

  /** Lets what came be shown with the next frame. */
  soon() {
    if (this.scheduled) return;
    const show = () => {
      this.scheduled = 0;
      this.show();
    };
    this.scheduled = document.hidden ? setTimeout(show, HIDDEN_MS) : requestAnimationFrame(show);
  }

  show() {
    const now = performance.now();
    this.times = this.times.filter(([at]) => now - at < WINDOW_MS);
    const span = this.times.length > 1 ? (now - this.times[0][0]) / 1000 : 0;
    const tokens = this.times.slice(1).reduce((sum, [, count]) => sum + count, 0);
    batch(() => {
      if (this.waiting.length) this.text.value += this.waiting.join("");
      this.waiting = [];
      this.count.value = this.numTokens;
      if (span > 0.2) this.tokensPerSecond.value = tokens / span;
    });
  }

  /** Keeps the place for a reload of this tab. */
  keepPlace() {
    if (this.isOver) return;
    this.show();
    const { lastEventId, numTokens, label } = this;
    const place = { lastEventId, numTokens, label, text: this.text.value, toolCalls: this.toolCalls.value, finishReason: this.finishReason };
    try {
      sessionStorage.setItem(NAME + this.runId, JSON.stringify(place));
    } catch {
      // Then all of it is asked for again.
    }
  }

  recallPlace() {
    try {
      const place = JSON.parse(sessionStorage.getItem(NAME + this.runId));
      sessionStorage.removeItem(NAME + this.runId);
      if (!place) return;
      Object.assign(this, { lastEventId: place.lastEventId, numTokens: place.numTokens, label: place.label, finishReason: place.finishReason });
      this.text.value = place.text;
      this.toolCalls.value = place.toolCalls;
      this.count.value = place.numTokens;
    } catch {
      this.lastEventId = 0;
    }
  }
}

const TAKES = {
  generated(live, { chunk }) {
    if (chunk.index) return;
    if (chunk.text) live.waiting.push(chunk.text);
    if (chunk.tool_calls?.length) live.toolCalls.value = [...live.toolCalls.value, ...chunk.tool_calls];
    if (chunk.finish_reason) live.finishReason = chunk.finish_reason;
    live.numTokens += chunk.num_tokens;
    live.times.push([performance.now(), chunk.num_tokens]);
    live.progress.value = null;
    live.soon();
  },
  progress(live, data) {
    live.progress.value = data;
  },
  checked(live, { verdict }) {
    live.verdicts.value = [...live.verdicts.value, verdict];
  },
  withdrawn(live, { index }) {
    if (index) return;
    live.waiting = [];
    live.text.value = "";
  },
  artifact_ready(live, { artifact, index }) {
    if (!index) live.artifact = artifact;
  },
  finished(live, { usage }) {
    live.usage = usage;
    live.show();
    live.status.value = "finished";
  },
  failed(live, { message }) {
    live.error = message;
    live.show();
    live.status.value = "failed";
  },
  gap(live) {
    live.hasGap = true;
  },
};

/** True when nobody knows whether the server began: the way to it broke, or something between gave up; its own words have a code. */
const isUnknown = (error) => error instanceof ApiError && (error.isUnreachable || (error.status >= 502 && error.code === "unknown"));

/**
 * Begins a run that goes on by itself. It is asked for until the server's answer comes; with the same key, it is the same run.
 * @param {string} modality
 * @param {string} body as JSON, so that it is the same to the letter when it is asked again
 * @param {string} key
 * @param {AbortSignal} abort ends the asking
 * @returns {Promise<{run_id: string, label: string}>}
 */
export async function begin(modality, body, key, abort) {
  const headers = { "content-type": "application/json", prefer: "respond-async", "idempotency-key": key };
  while (true) {
    try {
      return await post(`/api/v1/generate/${modality}`, body, { headers });
    } catch (error) {
      if (abort.aborted || !isUnknown(error)) throw error;
      await reachable();
      if (abort.aborted) throw error;
    }
  }
}
