/** Goes between the branches of a conversation where it forks. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { choose, forks } from "./conversation.js";
import { siblings } from "./tree.js";

/** @param {{turn: import("./tree.js").Turn}} props nothing is drawn where there is one way only */
export function Forks({ turn }) {
  const { all, at } = siblings(forks.value, turn);
  if (all.length < 2) return null;
  const go = (step) => choose(turn.parent, all[at + step].id);
  return html`<span class="forks" role="group" aria-label=${say("Branches", "分支")}>
    <${Button} kind="quiet" small icon="left" label=${say("Branch before", "上一分支")} aria-disabled=${at === 0 ? "true" : undefined} onClick=${() => at > 0 && go(-1)} />
    <span aria-live="polite">${at + 1} / ${all.length}</span>
    <${Button} kind="quiet" small icon="right" label=${say("Next branch", "下一分支")} aria-disabled=${at === all.length - 1 ? "true" : undefined} onClick=${() => at < all.length - 1 && go(1)} />
  </span>`;
}
