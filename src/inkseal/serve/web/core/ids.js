/** Ids as the server makes them: 26 characters that sort by time. */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
let last = 0;

/** Returns a new id, later than every one that this page made before. */
export function newId() {
  last = Math.max(Date.now(), last + 1);
  let time = "";
  for (let rest = last, place = 0; place < 10; place += 1, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  const random = crypto.getRandomValues(new Uint8Array(16));
  return time + Array.from(random, (byte) => ALPHABET[byte % 32]).join("");
}
