/** The turns of the open conversation, from the first to the last of the branch that is shown. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Failure } from "../../ui/states.js";
import { Answer } from "./answer.js";
import { lives, open, openId, problem, shown } from "./conversation.js";
import { Question, ToolResult } from "./question.js";
import { Welcome } from "./welcome.js";

const NEAR_PX = 80;
const KINDS = { user: Question, assistant: Answer, tool: ToolResult };

/** @param {{settings: any, onStart: (text: string) => void}} props */
export function Thread({ settings, onStart }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [isAtEnd, setAtEnd] = useState(true);
  const isPinned = useRef(true);
  const turns = shown.value;
  useLayoutEffect(() => {
    isPinned.current = true;
    toEnd(box.current);
  }, [openId.value, turns.length]);
  useEffect(() => keepAtEnd(box.current, isPinned), [!!problem.value]);
  const scrolled = () => {
    const near = isNearEnd(box.current);
    isPinned.current = near;
    setAtEnd(near);
  };
  if (problem.value) {
    return html`<div class="thread" ref=${box}><${Failure} error=${problem.value} again=${() => open(openId.value)} /></div>`;
  }
  return html`<div class="thread" ref=${box} onScroll=${scrolled} tabindex="-1">
    <div class="thread-inside" role="log" aria-live="off" aria-label=${say("Conversation", "对话")} aria-busy=${lives.value.size > 0 ? "true" : "false"}>
      ${turns.length === 0 && !openId.value && html`<${Welcome} onStart=${onStart} />`}
      ${turns.map((turn, index) => {
        const Kind = KINDS[turn.role];
        return html`<${Kind} key=${turn.id} turn=${turn} settings=${settings} isLast=${index === turns.length - 1} />`;
      })}
    </div>
    <p class="unseen" role="status">${lives.value.size ? say("The answer is coming.", "正在回答。") : turns.length ? say("The answer has ended.", "回答已结束。") : ""}</p>
    ${!isAtEnd &&
    html`<div class="thread-down">
      <${Button} small icon="down" label=${say("To the end", "到末尾")} onClick=${() => ((isPinned.current = true), toEnd(box.current))} />
    </div>`}
  </div>`;
}

const isNearEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;

const toEnd = (box) => {
  if (box) box.scrollTop = box.scrollHeight;
};

/** Follows what grows, unless somebody has scrolled up to read. */
function keepAtEnd(box, isPinned) {
  const watcher = new ResizeObserver(() => isPinned.current && toEnd(box));
  const inside = box?.querySelector(".thread-inside");
  if (inside) watcher.observe(inside);
  return () => watcher.disconnect();
}
