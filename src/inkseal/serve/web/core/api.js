/** Calls of the server: JSON in and out, errors as one class, streams of events. Only ever this origin. */
import { signal } from "@preact/signals";
import { languageTag, say } from "./language.js";
import { frames } from "./sse.js";

/** Whether the server answers: "ok", or "lost" until it does again. */
export const connection = signal(/** @type {"ok" | "lost"} */ ("ok"));

/** Counts the answers that said that nobody known is asking; the session listens to it. */
export const refusedKeys = signal(0);

let signings = 0;
/** Says that somebody is known from now on: what was asked before, and is refused only now, says nothing of them. */
export const signedIn = () => {
  signings += 1;
};

/** What the server, or the way to it, had against a call. `message` is ready to be shown. */
export class ApiError extends Error {
  /** @param {{status: number, code: string, message: string, type?: string, param?: string | null, retryAfterSeconds?: number, requestId?: string}} facts */
  constructor({ status, code, message, type = "", param = null, retryAfterSeconds = 0, requestId = "" }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.type = type;
    this.param = param;
    this.retryAfterSeconds = retryAfterSeconds;
    this.requestId = requestId;
  }

  /** True when the server could not be reached at all. */
  get isUnreachable() {
    return this.status === 0;
  }
}

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON; a Blob or string is sent as it is
 * @property {Record<string, string | number | boolean | null | undefined>} [query] empty values are left out
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [keepalive] it is sent even when the page is left meanwhile; for small bodies
 */

/** @param {string} path @param {Options} [options] */
export const get = (path, options) => json("GET", path, options);
/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const post = (path, body, options) => json("POST", path, { ...options, body });
/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const put = (path, body, options) => json("PUT", path, { ...options, body });
/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const patch = (path, body, options) => json("PATCH", path, { ...options, body });
/** @param {string} path @param {Options} [options] */
export const remove = (path, options) => json("DELETE", path, options);

/**
 * Returns the bytes of an answer with its headers.
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<{blob: Blob, headers: Headers}>}
 */
export async function getBlob(path, options) {
  const response = await send("GET", path, options);
  return { blob: await response.blob(), headers: response.headers };
}

/** Saves an answer as a file under the name that the server gave. @param {string} path @param {Options} [options] */
export async function download(path, options) {
  const { blob, headers } = await getBlob(path, options);
  const name = /filename="([^"/\\]+)"/.exec(headers.get("content-disposition") ?? "")?.[1] ?? "inkseal";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Yields the events of a stream as they come: `{id, event, data}`, `data` read from JSON. Leaving the loop, or the
 * signal, ends the connection; the server then stops the work.
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {Options & {lastEventId?: string | number}} [options]
 * @throws {ApiError} before the first event, or when the connection broke
 */
export async function* stream(method, path, options = {}) {
  const abort = new AbortController();
  options.signal?.addEventListener("abort", () => abort.abort(), { once: true });
  const headers = { accept: "text/event-stream", ...options.headers };
  if (options.lastEventId) headers["last-event-id"] = String(options.lastEventId);
  const response = await send(method, path, { ...options, headers, signal: options.signal?.aborted ? options.signal : abort.signal });
  try {
    for await (const frame of frames(response.body)) {
      yield { id: frame.id, event: frame.event, data: frame.data === "[DONE]" ? null : JSON.parse(frame.data) };
    }
  } catch (error) {
    if (error instanceof TypeError) throw unreachable();
    throw error;
  } finally {
    abort.abort();
  }
}

/** @param {string} method @param {string} path @param {Options} [options] */
async function json(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : await response.json();
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<Response>}
 */
async function send(method, path, { body, query, headers, signal: abort, keepalive } = {}) {
  const given = new Headers({ "accept-language": languageTag(), ...headers });
  let content;
  if (body instanceof Blob || body instanceof FormData || typeof body === "string") content = body;
  else if (body !== undefined) {
    content = JSON.stringify(body);
    given.set("content-type", "application/json");
  }
  let response;
  const asked = signings;
  try {
    response = await fetch(path + queryText(query), {
      method,
      headers: given,
      body: content,
      signal: abort,
      keepalive,
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
    });
  } catch (error) {
    if (abort?.aborted) throw error;
    throw unreachable();
  }
  connection.value = "ok";
  if (!response.ok) throw await refusal(response, asked);
  return response;
}

/** @param {Options["query"]} query */
function queryText(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}` : "";
}

/** @param {Response} response @param {number} asked how often somebody had signed in when it was asked for */
async function refusal(response, asked) {
  const facts = await response.json().then((found) => found?.error, () => null);
  if (response.status === 401 && asked === signings) refusedKeys.value += 1;
  return new ApiError({
    status: response.status,
    code: facts?.code ?? "unknown",
    type: facts?.type ?? "",
    param: facts?.param ?? null,
    message: facts?.message ?? say(`The server answered ${response.status}.`, `服务器返回了 ${response.status}。`),
    retryAfterSeconds: Number(response.headers.get("retry-after")) || 0,
    requestId: response.headers.get("x-request-id") ?? "",
  });
}

let watching = false;

function unreachable() {
  connection.value = "lost";
  if (!watching) watch();
  const message = say("The server cannot be reached. What you wrote is kept.", "无法连接服务器。您输入的内容已保留。");
  return new ApiError({ status: 0, code: "unreachable", message });
}

/** Asks now and then until the server is there again. */
async function watch() {
  watching = true;
  for (let pause = 1000; connection.value === "lost"; pause = Math.min(pause * 1.5, 10_000)) {
    await new Promise((resume) => setTimeout(resume, pause));
    const answer = await fetch("/health/live", { cache: "no-store" }).catch(() => null);
    if (answer?.ok) connection.value = "ok";
  }
  watching = false;
}
