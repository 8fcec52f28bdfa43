/** Who is using this browser: the local admin while there is no key, else the holder of a key. */
import { batch, computed, effect, signal } from "@preact/signals";
import * as api from "./api.js";
import { forget, kept } from "./store.js";

/** @typedef {"viewer" | "creator" | "admin"} Role */
/** @typedef {{key_id: string, name: string, role: Role, expires_at?: string | null}} Session */

const RANK = { viewer: 0, creator: 1, admin: 2 };

/** Who is asking; null when a key is needed, undefined while nobody knows yet. */
export const session = signal(/** @type {Session | null | undefined} */ (undefined));

/** Whose page this is: stays when the session ends by itself, so that nothing written is lost. */
export const person = signal(/** @type {Session | null} */ (null));

/** Why nobody knows who is asking. */
export const recallError = signal(/** @type {Error | null} */ (null));

/** True when there is no key yet, so that everybody at this machine is admin. */
export const isLocal = computed(() => session.value?.key_id === "local");

/** True when who is asking may do what needs the role. @param {Role} [role] */
export const may = (role = "viewer") => !!person.value && RANK[person.value.role] >= RANK[role];

/** Whose this browser was last: a session may end, and another person begin, while no page is open. */
const owner = kept("owner", "");
const others = new BroadcastChannel("inkseal.session");

/** Asks the server who is asking. */
export async function recall() {
  try {
    begin(await api.get("/api/v1/session"));
  } catch (error) {
    if (error.status === 401) session.value = null;
    else recallError.value = error;
  }
}

/** Exchanges a key for a cookie that no script can read. @param {string} key */
export async function signIn(key) {
  begin(await api.post("/api/v1/session", undefined, { headers: { authorization: `Bearer ${key}` } }));
  others.postMessage("in");
}

/** Ends the session, and forgets what this person had begun here. */
export async function signOut() {
  await api.remove("/api/v1/session");
  end();
  others.postMessage("out");
}

function end() {
  forget("draft.");
  batch(() => {
    session.value = null;
    person.value = null;
  });
}

/** @param {Session} found */
function begin(found) {
  const before = [person.peek()?.key_id, owner.peek()];
  if (before.some((id) => id && id !== found.key_id)) forget("draft.");
  owner.value = found.key_id;
  api.signedIn();
  batch(() => {
    session.value = found;
    person.value = found;
    recallError.value = null;
  });
}

effect(() => {
  if (api.refusedKeys.value && session.peek()) session.value = null;
});

effect(() => {
  if (api.connection.value === "ok" && recallError.peek()?.isUnreachable) recall();
});

others.onmessage = ({ data }) => (data === "out" ? end() : recall());
