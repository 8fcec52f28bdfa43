/** A list of any length that draws only what can be seen: rows of equal height, in as many columns as fit. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../core/html.js";

const BEYOND_ROWS = 4;
/** Browsers do not place anything beyond some ten million pixels. */
const MAX_HEIGHT = 8_000_000;

/**
 * @param {object} props
 * @param {number} props.count how many there are in all
 * @param {unknown} props.items where `draw` finds them; another object has forgotten what it was told to see
 * @param {number} props.rowHeight in pixels, with the gap
 * @param {number} props.minWidth of a column, in pixels
 * @param {number} props.gap in pixels
 * @param {string} props.label
 * @param {(index: number) => unknown} props.draw an item; called for what can be seen and a few rows more
 * @param {(first: number, end: number) => void} props.onSee told what can be seen
 * @param {{current: null | {show: (index: number) => void, columns: number}}} [props.handle] to bring an item into view
 */
export function WindowList({ count, items, rowHeight, minWidth, gap, label, draw, onSee, handle }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [columns, setColumns] = useState(1);
  const [rows, setRows] = useState({ first: 0, end: 12 });
  const numRows = Math.ceil(count / columns);
  const height = Math.min(numRows * rowHeight, MAX_HEIGHT);

  useLayoutEffect(() => {
    const scroller = scrollerOf(box.current);
    const look = () => {
      const width = box.current.clientWidth;
      const fitting = Math.max(1, Math.floor((width + gap) / (minWidth + gap)));
      const top = box.current.getBoundingClientRect().top - (scroller === window ? 0 : scroller.getBoundingClientRect().top);
      const seen = scroller === window ? innerHeight : scroller.clientHeight;
      const first = Math.max(0, Math.floor(-top / rowHeight) - BEYOND_ROWS);
      const end = Math.min(Math.ceil(count / fitting), Math.ceil((seen - top) / rowHeight) + BEYOND_ROWS);
      setColumns(fitting);
      setRows((before) => (before.first === first && before.end === end ? before : { first, end }));
    };
    look();
    const watch = new ResizeObserver(look);
    watch.observe(box.current);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, [count, rowHeight, minWidth, gap]);

  const first = Math.min(rows.first * columns, Math.max(0, count - 1));
  const end = Math.min(count, Math.max(rows.end, rows.first + 1) * columns);
  useEffect(() => {
    if (count) onSee(first, end);
  }, [first, end, count, items]);
  if (handle) {
    handle.current = {
      columns,
      show(index) {
        const scroller = scrollerOf(box.current);
        const line = Math.floor(index / columns) * rowHeight;
        const top = box.current.getBoundingClientRect().top - (scroller === window ? 0 : scroller.getBoundingClientRect().top) + line;
        const seen = scroller === window ? innerHeight : scroller.clientHeight;
        // What stands over the list at both ends, so that nothing is shown behind it.
        const { scrollMarginTop, scrollMarginBottom } = getComputedStyle(box.current);
        const [head, foot] = [Number.parseFloat(scrollMarginTop) || 0, Number.parseFloat(scrollMarginBottom) || 0];
        if (top < head) scroller.scrollBy({ top: top - head - gap });
        else if (top + rowHeight > seen - foot) scroller.scrollBy({ top: top + rowHeight - seen + foot + gap });
      },
    };
  }
  const shown = [];
  for (let index = first; index < end; index += 1) shown.push(draw(index));
  return html`<div class="window-list" ref=${box} style=${{ height: `${height}px` }}>
    <ul
      class="window-list-seen"
      aria-label=${label}
      style=${{ transform: `translateY(${rows.first * rowHeight}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gap: `${gap}px`, gridAutoRows: `${rowHeight - gap}px` }}
    >
      ${shown}
    </ul>
  </div>`;
}

function scrollerOf(element) {
  for (let found = element.parentElement; found && found !== document.body; found = found.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(found).overflowY)) return found;
  }
  return window;
}
