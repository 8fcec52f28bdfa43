/** Where the keys lead in a list of several columns. */

const ROWS_A_PAGE = 4;

/**
 * Returns the place that a key leads to, or null when it leads nowhere.
 * @param {string} key
 * @param {number} at
 * @param {number} columns
 * @param {number} count
 */
export function moveOf(key, at, columns, count) {
  const steps = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: ROWS_A_PAGE * columns,
    PageUp: -ROWS_A_PAGE * columns,
    Home: -at,
    End: count - 1 - at,
  };
  if (!(key in steps) || !count) return null;
  return Math.max(0, Math.min(count - 1, at + steps[key]));
}
