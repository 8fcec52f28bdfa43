/** Where something comes from: a file or a text is examined, an artifact's line of descent is drawn, the ledger is checked. */
import { html, useEffect, useRef, useState } from "../core/html.js";
import { post } from "../core/api.js";
import { say } from "../core/language.js";
import { href } from "../core/route.js";
import { Button } from "../ui/button.js";
import { Head } from "../ui/panel.js";
import { Failure, Waiting } from "../ui/states.js";
import { Line } from "./trace/line.js";
import { Drop } from "./trace/drop.js";
import { Ledger } from "./trace/ledger.js";
import { Verdict } from "./trace/verdict.js";

function Trace({ steps }) {
  const [examined, setExamined] = useState(/** @type {null | {name: string, found?: any, error?: Error}} */ (null));
  const running = useRef(new AbortController());
  const id = steps[0];
  const isBusy = !!examined && !examined.found && !examined.error;
  /** Shows something else; what is still being examined is broken off. */
  const show = (next) => {
    running.current.abort();
    running.current = new AbortController();
    setExamined(next);
    return running.current.signal;
  };
  const examine = async (content, name) => {
    const signal = show({ name });
    const ended = await post("/api/v1/verify", content, { query: { name }, signal }).then((found) => ({ found }), (error) => ({ error }));
    if (!signal.aborted) setExamined({ name, ...ended });
  };
  useEffect(() => () => void show(null), [id]);

  if (id) {
    return html`<${Head} title=${say("Line of descent", "来历")} words=${say("What it was made from, and what was made from it, drawn from the signed records.", "由什么生成、又生成了什么，依签名记录绘出。")}>
        <${Button} icon="left" href=${href("trace")}>${say("Examine something else", "检查其他内容")}<//>
      <//>
      <${Line} id=${id} />`;
  }
  return html`<${Head} title=${say("Trace", "溯源")} words=${say("Drop any file or paste a text: was it made here, and is it still what was sealed?", "放入任意文件或粘贴文字：它是否由此生成？是否仍是封印时的样子？")} />
    <${Drop} isSmall=${!!examined} isBusy=${isBusy} onExamine=${examine} />
    <div class="trace-found" aria-live="polite">
      ${isBusy && html`<${Waiting} words=${say("Examining it …", "正在检查……")} />`}
      ${examined?.error && html`<${Failure} error=${examined.error} />`}
      ${examined?.found && html`<${Verdict} name=${examined.name} found=${examined.found} />`}
    </div>
    ${!examined && html`<${Teaching} />`}
    <${Ledger} />`;
}

const Teaching = () => html`<section class="teaching" aria-label=${say("What it can say", "可能的结论")}>
  <h2>${say("What it can say", "可能的结论")}</h2>
  <ul class="grid">
    ${["trusted", "changed", "marks_removed", "unknown"].map((standing) => html`<li key=${standing}><${Verdict.Short} standing=${standing} /></li>`)}
  </ul>
</section>`;

export const page = {
  name: "trace",
  order: 40,
  icon: "trace",
  title: { en: "Trace", zh: "溯源" },
  layout: "wide",
  Page: Trace,
};
