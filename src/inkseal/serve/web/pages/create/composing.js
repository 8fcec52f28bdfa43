/** Keys that belong to whoever writes Chinese: they choose or drop characters, and do nothing else. */

/** True while characters are being composed. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229; // Safari ends composing before the key that ended it
