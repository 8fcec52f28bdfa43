/** Follows a stream of events until it is over: a broken connection is taken up again when the server is there. */
import { ApiError, connection, stream } from "./api.js";
import { effect } from "./html.js";

/**
 * @param {string} path
 * @param {AbortSignal} abort ends it without an error
 * @param {object} reader
 * @param {() => string | number} [reader.lastEventId] after which event to go on; from the first when absent
 * @param {() => void} [reader.begin] told before each connection
 * @param {(frame: {id: string, event: string, data: any}) => void} reader.take
 * @param {() => boolean} reader.isOver
 * @throws {ApiError} when the server refuses
 */
export async function follow(path, abort, { lastEventId = () => 0, begin = () => {}, take, isOver }) {
  while (!abort.aborted && !isOver()) {
    try {
      begin();
      for await (const frame of stream("GET", path, { lastEventId: lastEventId(), signal: abort })) take(frame);
      if (!isOver()) await pause(300);
    } catch (error) {
      if (abort.aborted) return;
      if (!(error instanceof ApiError) || (error.status !== 0 && error.status !== 429 && error.status < 500)) throw error;
      await reachable();
    }
  }
}

const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

/** Resolves when the server may be asked again. */
export function reachable() {
  if (connection.value === "ok") return pause(1000);
  return new Promise((resume) => {
    const stop = effect(() => {
      if (connection.value !== "ok") return;
      queueMicrotask(() => stop());
      resume();
    });
  });
}
