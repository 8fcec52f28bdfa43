/** The vermilion seal of a result. It opens the story behind it, which the server proves at that moment. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { lazy } from "../core/lazy.js";
import { Drawer } from "./dialog.js";

const Story = lazy(() => import("./seal_story.js"), "SealStory");

/** The mark alone: the character 印, as in the studio's own. @param {{size?: number}} props */
export const SealMark = ({ size = 30 }) => html`<svg class="seal-mark" viewBox="0 0 32 32" width=${size} height=${size} aria-hidden="true" focusable="false">
  <path
    class="seal-stone"
    d="M4.500 1.300c5-.800 18-.800 23.200-.1 1.700.2 2.400 1 2.600 2.700.8 5 .7 18.400.1 23.800-.2 1.600-1 2.500-2.700 2.700-5 .700-18 .700-23 .1-1.700-.2-2.600-1-2.900-2.700-.900-5.200-.900-18.400-.1-23.700.2-1.700 1.100-2.500 2.800-2.800Z"
  />
  <path class="seal-cut" d="M14.500 6.500 7.500 8.500V23.500H14M7.500 15.500H13.500M18.500 26V7.500H25V20H22" />
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
