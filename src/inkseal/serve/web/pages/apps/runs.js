/** Runs of apps that go on, or ended lately: to be watched again, from any page and any device of the same person. */
import * as api from "../../core/api.js";
import { ago } from "../../core/format.js";
import { html, useEffect } from "../../core/html.js";
import { language, say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { href } from "../../core/route.js";
import { Icon } from "../../ui/icon.js";
import { Panel } from "../../ui/panel.js";

const LOOK_MS = 3000;
const STATES = {
  waiting: ["", () => say("waiting for a place", "排队中")],
  running: ["", () => say("running", "运行中")],
  finished: ["check", () => say("finished", "已完成")],
  failed: ["warning", () => say("no result", "没有结果")],
  cancelled: ["stop", () => say("stopped", "已停止")],
};

/** @param {{state: string}} run */
const goesOn = (run) => run.state === "waiting" || run.state === "running";

/**
 * Lists runs, newest first; nothing when there is none.
 * @param {{app?: string, isNow?: boolean, title: string}} props app: of this one only; isNow: only those that go on
 */
export function Runs({ app, isNow = false, title }) {
  const { value, again } = useLoad((signal) => api.get("/api/v1/app-runs", { query: { app }, signal }), [app, language.value]);
  const shown = (value ?? []).filter((run) => !isNow || goesOn(run));
  const isMoving = shown.some(goesOn);
  useEffect(() => {
    if (!isMoving) return;
    const timer = setInterval(() => document.hidden || again(), LOOK_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  if (!shown.length) return null;
  return html`<${Panel} title=${title} class="app-runs">
    <ul>
      ${shown.map((run) => {
        const [icon, words] = STATES[run.state];
        return html`<li key=${run.id}>
          <a href=${href("apps", [run.app, run.id])}>
            <span class="app-step-mark">${icon ? html`<${Icon} name=${icon} size=${15} />` : html`<span class="spinner" aria-hidden="true" />`}</span>
            <span>${app ? words() : run.title}</span>
            <span class="faint">${app ? "" : `${words()} · `}${ago(run.begun_at)}</span>
          </a>
        </li>`;
      })}
    </ul>
  <//>`;
}
