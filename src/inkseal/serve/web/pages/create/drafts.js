/** What was begun and not sent. Each tab has its own, and the last of any tab greets a new one. */

const TAB = "inkseal.draft.create";
const NAME = `${TAB}.text.`;
const BODY = `${TAB}.body.`;
const CHOSEN = `${TAB}.chosen.`;
const OWNER = `${TAB}.owner`;

/** @typedef {{text: string, files: {name: string, text: string}[]}} Draft */

/** @param {string} place a conversation's id, or "new" @returns {Draft} */
export function draftOf(place) {
  for (const kept of [sessionStorage, localStorage]) {
    try {
      const found = JSON.parse(kept.getItem(NAME + place));
      if (found) return { text: String(found.text ?? ""), files: Array.isArray(found.files) ? found.files : [] };
    } catch {
      // Unreadable is as good as none.
    }
  }
  return { text: "", files: [] };
}

/** @param {string} place @param {Draft} draft */
export function keepDraft(place, draft) {
  const isEmpty = !draft.text && !draft.files.length;
  for (const kept of [sessionStorage, localStorage]) {
    try {
      if (isEmpty) kept.removeItem(NAME + place);
      else kept.setItem(NAME + place, JSON.stringify(draft));
    } catch {
      // A file may be too large to be kept; the words are worth a second try.
      try {
        kept.setItem(NAME + place, JSON.stringify({ text: draft.text, files: [] }));
      } catch {
        return;
      }
    }
  }
}

/** Keeps what an answer is asked with until its run has begun, so that a reload asks the same again. @param {string | null} body */
export function keepBody(turnId, body) {
  bodies.set(turnId, body);
  keep(BODY + turnId, body);
}

const bodies = new Map();

/** @param {string} turnId @returns {string | null} null when this tab did not ask */
export const bodyOf = (turnId) => bodies.get(turnId) ?? sessionStorage.getItem(BODY + turnId);

/** Keeps which branches are shown in this tab. */
export const keepChosen = (id, chosen) => keep(CHOSEN + id, JSON.stringify(chosen));

/** @param {string} id @returns {Record<string, string>} */
export function recallChosen(id) {
  try {
    return JSON.parse(sessionStorage.getItem(CHOSEN + id)) ?? {};
  } catch {
    return {};
  }
}

/** Says whose this tab is now; what it holds of another is forgotten, even if they left while no page of ours was open. */
export function claimTab(owner) {
  if (sessionStorage.getItem(OWNER) !== owner) clearTab();
  keep(OWNER, owner);
}

/** Forgets what this tab holds of the person who has left. */
export function clearTab() {
  bodies.clear();
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(TAB)) sessionStorage.removeItem(name);
}

function keep(name, text) {
  try {
    if (text === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, text);
  } catch {
    // It is in memory still.
  }
}
