/** The label that a law asks for, in the words that the server gives. */
import { html } from "../core/html.js";
import { say } from "../core/language.js";

/** @param {{text: string}} props nothing is shown where no regime asks for one */
export const Label = ({ text }) =>
  text && html`<span class="label" title=${say("Made by a model; this label must stay with it", "由模型生成；须保留此标识")}>${text}</span>`;
