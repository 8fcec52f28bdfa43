/** The conversation that is open: its turns, its answers, and what can be done with it. The server keeps it all. */
import { get, remove } from "../../core/api.js";
import { batch, computed, effect, signal } from "../../core/html.js";
import { newId } from "../../core/ids.js";
import { language, say } from "../../core/language.js";
import { replace, route } from "../../core/route.js";
import { person } from "../../core/session.js";
import { kept } from "../../core/store.js";
import { toastError } from "../../ui/toast.js";
import { bodyOf, claimTab, clearTab, keepBody, keepChosen, recallChosen } from "./drafts.js";
import { begin, Live } from "./live.js";
import { clearOutbox, isUntold, onTold, tell } from "./outbox.js";
import { filePart, pictureRequestOf, requestOf } from "./requests.js";
import { branches, further, isOver, joined, path, titleOf, upTo } from "./tree.js";

const ROUTE = "/api/v1/conversations";
const PAGE = 50;
const TYPING_MS = 400;

/** @typedef {{run_id: string, status: string, error: string | null, usage: any, artifact: any, state: string, label: string, text: string}} Answer */

export const list = signal(/** @type {any[] | null} */ (null));
export const more = signal(/** @type {string | null} */ (null));
export const openId = signal(/** @type {string | null} */ (null));
export const heading = signal({ title: "", settings: /** @type {Record<string, any>} */ ({}) });
export const turns = signal(/** @type {Map<string, import("./tree.js").Turn>} */ (new Map()));
export const answers = signal(/** @type {Map<string, Answer>} */ (new Map()));
export const lives = signal(/** @type {Map<string, Live>} */ (new Map()));
export const chosen = signal(/** @type {Record<string, string>} */ ({}));
export const problem = signal(/** @type {Error | null} */ (null));

/** True when all that is known of what is open is here: before, a question would have no place, and a change would undo. */
export const isLoaded = signal(true);

export const forks = computed(() => branches(turns.value.values()));
export const shown = computed(() => path(forks.value, chosen.value));

/** What was chosen last, in whatever conversation; a new one begins with it. */
export const lastSettings = kept("draft.create.settings", /** @type {Record<string, any>} */ ({}));

let following = new AbortController();
const others = new BroadcastChannel("inkseal.conversations");

/** Loads the newest conversations; with `further`, those before them too. */
export async function loadList(isFurther = false) {
  const page = await get(ROUTE, { query: { limit: PAGE, before: isFurther ? more.value : null } });
  const found = isFurther ? [...list.value, ...page.conversations] : page.conversations;
  // One that was begun just now may not be there yet.
  const isMissing = openId.value && turns.value.size && !found.some((one) => one.id === openId.value);
  list.value = isMissing && !page.next ? [listed(), ...found] : found;
  more.value = page.next;
}

/** Opens a conversation, or an empty one. @param {string | null} id */
export async function open(id) {
  if (id === openId.value && isLoaded.value) return;
  batch(() => {
    empty(id);
    chosen.value = id ? recallChosen(id) : {};
    heading.value = { title: "", settings: lastSettings.value };
  });
  if (id) await refresh();
}

/** Leaves what is open for a place where nothing is yet. @param {string | null} id */
function empty(id) {
  leave();
  batch(() => {
    openId.value = id;
    isLoaded.value = id === null;
    problem.value = null;
    turns.value = new Map();
    answers.value = new Map();
    lives.value = new Map();
  });
}

/** Asks the server for the open conversation, and goes on with what is running. */
export async function refresh() {
  const id = openId.value;
  if (!id) return;
  const place = `${ROUTE}/${id}`;
  const known = isUntold(place) ? null : heading.value;
  // What was changed here and is on its way is newer than what the server said.
  const isOld = () => heading.value !== known || isUntold(place);
  try {
    const found = await get(place);
    if (openId.value === id) take(found, isOld());
  } catch (error) {
    if (openId.value !== id || (isLoaded.value && (error.status !== 404 || isOld()))) return;
    empty(id); // another page deleted it
    problem.value = error;
  }
}

function take(found, hasOldHeading) {
  batch(() => {
    if (!hasOldHeading) heading.value = { title: found.conversation.title, settings: found.conversation.settings };
    isLoaded.value = true;
    turns.value = joined(turns.value, found.turns);
    answers.value = new Map([...answers.value, ...found.answers.map((answer) => [answer.run_id, answer])]);
  });
  for (const turn of turns.value.values()) {
    if (turn.role !== "assistant" || lives.value.has(turn.id)) continue;
    const answer = turn.run_id && answers.value.get(turn.run_id);
    if (answer && answer.status !== "running") settle(turn, answer);
    else if (!isOver(turn)) goOn(turn);
  }
}

/** An answer that ended while nobody looked. */
function settle(turn, answer) {
  if (isOver(turn)) return;
  set(turn.id, answer.finish_reason ? { finish_reason: answer.finish_reason } : { error: endWords(answer) });
}

const endWords = (answer) =>
  answer.status === "interrupted"
    ? say("The server was stopped while it answered.", "回答途中服务器被停止。")
    : say(`It ended early: ${answer.error ?? answer.status}.`, `提前结束：${answer.error ?? answer.status}。`);

/** Takes up an answer: a run that is known is followed, another is asked for (again). */
async function goOn(turn) {
  const run = new AbortController();
  following.signal.addEventListener("abort", () => run.abort(), { once: true });
  let runId = turn.run_id;
  let label = "";
  let queued = null;
  const id = openId.value;
  const asker = person.peek()?.key_id;
  try {
    if (!runId) {
      const body = bodyOf(turn.id);
      if (!body) return; // another page began it, and will tell
      queued = waiting();
      lives.value = new Map(lives.value).set(turn.id, queued);
      ({ run_id: runId, label } = await begin(turn.asked.makes === "image" ? "image" : "text", body, turn.id, run.signal));
      if (person.peek()?.key_id !== asker) return;
      keepBody(turn.id, null);
      if (run.signal.aborted) return put({ ...turn, run_id: runId }, id); // it goes on, and is found again by this
      set(turn.id, { run_id: runId });
    }
    const live = new Live(runId);
    live.label ||= label || labelOf(turn);
    lives.value = new Map(lives.value).set(turn.id, live);
    if (queued?.isStopping.value) live.stop().catch(toastError);
    await live.follow(run.signal);
    if (live.isOver && !run.signal.aborted) await end(turn.id, live);
  } catch (error) {
    if (run.signal.aborted) return;
    drop(turn.id);
    keepBody(turn.id, null);
    set(turn.id, { error: error.message });
  }
}

function waiting() {
  const live = new Live("");
  live.status.value = "waiting";
  return live;
}

async function end(turnId, live) {
  const isFine = live.status.value === "finished";
  if (!isFine) set(turnId, { error: live.error || endWords(live.record ?? { status: "failed", error: null }) });
  else if (!live.hasGap) {
    const facts = { run_id: live.runId, status: "finished", error: null, usage: live.usage, artifact: live.artifact };
    const state = live.artifact ? "active" : "";
    batch(() => {
      answers.value = new Map(answers.value).set(live.runId, { ...facts, state, label: live.label, text: live.text.value });
      set(turnId, { finish_reason: live.finishReason ?? "stop", tool_calls: live.toolCalls.value });
    });
  }
  if (isFine) await refresh(); // the record has the words, the label and the model's name
  const answer = answers.value.get(live.runId);
  if (isFine && answer) settle(turns.value.get(turnId), answer);
  drop(turnId);
}

function drop(turnId) {
  const left = new Map(lives.value);
  left.delete(turnId);
  lives.value = left;
}

/** Changes a turn, here and on the server. */
function set(turnId, news) {
  const turn = further(turns.value.get(turnId), news);
  turns.value = new Map(turns.value).set(turnId, turn);
  put(turn);
}

const put = (turn, id = openId.value) => tell(`${ROUTE}/${id}/turns/${turn.id}`, turn);

function add(turn) {
  const whole = {
    id: newId(),
    parent: null,
    parts: [],
    tool_calls: [],
    tool_call_id: null,
    run_id: null,
    asked: {},
    finish_reason: null,
    error: "",
    created_at: new Date().toISOString(),
    ...turn,
  };
  turns.value = new Map(turns.value).set(whole.id, whole);
  choose(whole.parent, whole.id);
  put(whole);
  return whole;
}

/** Says something and asks for the answer. @param {{text: string, files?: any[], parent?: string | null, settings: any}} said */
export function send({ text, files = [], parent = shown.value.at(-1)?.id ?? null, settings }) {
  const isNew = !openId.value;
  batch(() => {
    if (isNew) {
      openId.value = newId();
      heading.value = { title: titleOf(text || files[0]?.name || ""), settings };
      tell(`${ROUTE}/${openId.value}`, heading.value);
      list.value = [listed(), ...(list.value ?? [])];
    }
    const parts = [...files.map(filePart), ...(text ? [{ text, origin: "user" }] : [])];
    const question = add({ role: "user", parent, parts });
    ask(question.id, settings);
  });
  return openId.value;
}

/** Gives the result of a tool that the model asked for. @param {import("./tree.js").Turn} turn @param {string} callId */
export function answerCall(turn, callId, text, settings) {
  const told = add({ role: "tool", parent: turn.id, parts: [{ text, origin: "tool" }], tool_call_id: callId });
  ask(told.id, settings);
}

/** Asks for an answer to a turn; a further one becomes a branch. @param {string} turnId @param {any} settings */
export function ask(turnId, settings) {
  const turn = add({ role: "assistant", parent: turnId, asked: settings });
  const before = upTo(turns.value, turnId);
  const body = settings.makes === "image" ? pictureRequestOf(before, settings) : requestOf(before, settings, answerOf);
  keepBody(turn.id, JSON.stringify(body));
  goOn(turn);
}

/** Shows another branch. @param {string | null} parent @param {string} id */
export function choose(parent, id) {
  chosen.value = { ...chosen.value, [parent ?? ""]: id };
  keepChosen(openId.value, chosen.value);
}

/** Changes title or settings of the open conversation. @param {{title?: string, settings?: Record<string, any>}} news */
export function saveHeading(news) {
  if (!isLoaded.value) return;
  heading.value = { ...heading.value, ...news };
  if (openId.value) tell(`${ROUTE}/${openId.value}`, news, { isChange: true, pauseMs: TYPING_MS });
}

const listed = () => ({ id: openId.value, title: heading.value.title, settings: {}, updated_at: new Date().toISOString() });

/** @param {string} id @param {string} title */
export function rename(id, title) {
  list.value = list.value.map((one) => (one.id === id ? { ...one, title } : one));
  if (id === openId.value) heading.value = { ...heading.value, title };
  tell(`${ROUTE}/${id}`, { title }, { isChange: true });
}

/** Forgets a conversation; what was made in it stays in the gallery. @param {string} id */
export async function forget(id) {
  await remove(`${ROUTE}/${id}`);
  list.value = list.value.filter((one) => one.id !== id);
  others.postMessage(id);
  if (id === openId.value) await open(null);
}

/** Returns what an answer says, and the artifact that it is. @param {import("./tree.js").Turn} turn */
export function answerOf(turn) {
  const answer = turn.run_id ? answers.value.get(turn.run_id) : undefined;
  return { text: answer?.text ?? "", artifact: answer?.state === "active" ? (answer.artifact?.id ?? null) : null };
}

const labelOf = (turn) => answers.value.get(turn.run_id)?.label ?? "";

function leave() {
  for (const live of lives.value.values()) if (live.runId) live.keepPlace();
  following.abort();
  following = new AbortController();
}

let owner = /** @type {string | undefined} */ (undefined);
effect(() => {
  const now = person.value?.key_id;
  if (now === owner) return;
  if (owner) forgetPerson();
  if (now) claimTab(now);
  owner = now;
});

/** Nothing of somebody is left to the next. */
function forgetPerson() {
  batch(() => {
    empty(null);
    list.value = null;
    chosen.value = {};
  });
  clearOutbox();
  clearTab();
  if (route.peek().page === "create") replace("create");
}

let spoken = language.peek();
effect(() => {
  // Labels are the server's words.
  if (language.value !== spoken) refresh();
  spoken = language.value;
});

addEventListener("pagehide", () => {
  for (const live of lives.value.values()) if (live.runId) live.keepPlace();
});
others.onmessage = async ({ data }) => {
  if (data === openId.value) await refresh();
  if (list.value) loadList().catch(() => {});
};
onTold((path) => others.postMessage(path.split("/")[4]));
