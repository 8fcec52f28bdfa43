/** The vermilion seal of a result. It opens the story behind it, which the server proves at that moment. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { lazy } from "../core/lazy.js";
import { Drawer } from "./dialog.js";

const Story = lazy(() => import("./seal_story.js"), "SealStory");

/** The mark alone: two characters cut in stone. @param {{size?: number}} props */
export const SealMark = ({ size = 30 }) => html`<svg class="seal-mark" viewBox="0 0 40 40" width=${size} height=${size} aria-hidden="true" focusable="false">
  <path
    class="seal-stone"
    d="M5.500 3.800c6-.9 22.500-1.100 28.800-.2 1.600.2 2 1 2.200 2.600.8 6 .7 21.600-.1 27.800-.2 1.500-.9 2.100-2.400 2.300-6.300.8-21.700.8-28 .1-1.500-.2-2.200-.9-2.400-2.500-.8-6-.8-21.300 0-27.600.2-1.600.5-2.300 1.900-2.500Z"
  />
  <path
    class="seal-cut"
    d="M10 9h9M10 9v7.500h9V9M14.500 9v12M9 18.500h11M8 23h13M10 28l-1 3M14 27.500v4M17.500 27.500l1.500 3.500M26 8l-3 2.500v18M23 14h3.500M23 20h3.500M29.500 9.500v21.500M29.500 9.500h4v12.500c0 1.500-1.500 1.500-2.500 1"
  />
</svg>`;

/**
 * @param {object} props
 * @param {string | null | undefined} props.artifactId null while there is none yet
 * @param {boolean} [props.isNew] it has just been made: the seal is pressed on
 */
export function Seal({ artifactId, isNew }) {
  const [isOpen, setOpen] = useState(false);
  if (!artifactId) return null;
  return html`<button
      type="button"
      class=${`seal${isNew ? " seal-new" : ""}`}
      aria-haspopup="dialog"
      aria-label=${say("Seal: how this was made", "封印：查看来历")}
      title=${say("How this was made", "查看来历")}
      onClick=${() => setOpen(true)}
    >
      <${SealMark} />
    </button>
    ${isOpen &&
    html`<${Drawer} title=${say("The story of this result", "此结果的来历")} onClose=${() => setOpen(false)}>
      <${Story} artifactId=${artifactId} />
    <//>`}`;
}
