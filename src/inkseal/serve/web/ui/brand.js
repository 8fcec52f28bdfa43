/** The mark of the studio. */
import { html } from "../core/html.js";

/** @param {{size?: number}} props */
export const SealMark = ({ size = 34 }) => html`<img class="brand-seal" src="/web/seal.svg" alt="" width=${size} height=${size} />`;

/** Mark and name; leads home. */
export const Brand = () => html`<a class="brand" href="#/">
  <${SealMark} />
  <span class="brand-words"><b>Inkseal</b> <i lang="zh">墨印</i></span>
</a>`;
