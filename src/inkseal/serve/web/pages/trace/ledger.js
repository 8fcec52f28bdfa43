/** The ledger: whether it is whole, and its signed length to be kept elsewhere. */
import { get } from "../../core/api.js";
import { dateTime, number } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { may } from "../../core/session.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { Panel } from "../../ui/panel.js";
import { Failure, Note } from "../../ui/states.js";

export function Ledger() {
  const { value: head } = useLoad((signal) => get("/api/v1/ledger/head", { signal }), []);
  const [state, setState] = useState(/** @type {{isBusy: boolean, report?: any, error?: Error}} */ ({ isBusy: false }));
  const check = async () => {
    setState({ isBusy: true });
    try {
      setState({ isBusy: false, report: await get("/api/v1/ledger/verification") });
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };
  return html`<${Panel}
    class="ledger"
    title=${say("The ledger", "账本")}
    words=${say("Every result, export and deletion, each entry signed and chained to the one before it. Nothing can be taken out unseen.", "每次生成、导出与删除都有签名条目，逐条相接，任何删改都会被发现。")}
    does=${may("admin") && html`<${Button} icon="shield" busy=${state.isBusy} onClick=${check}>${say("Check all of it", "核验全部")}<//>`}
  >
    ${state.error && html`<${Failure} error=${state.error} again=${check} />`}
    <div aria-live="polite">
      ${state.report &&
      (state.report.valid
        ? html`<${Note} kind="good" title=${say("Whole", "完整")}>${say(`${number(state.report.num_entries)} entries: none changed, removed or moved.`, `共 ${number(state.report.num_entries)} 条：无一被改动、删除或移动。`)}<//>`
        : html`<${Note} kind="bad" title=${say("It does not add up", "账本有问题")}>
            <ul>${state.report.problems.slice(0, 20).map((one, index) => html`<li key=${index}>#${one.seq} ${one.field}: ${one.reason}</li>`)}</ul>
          <//>`)}
    </div>
    ${head &&
    html`<p class="ledger-head faint">
      <span>${say(`${number(head.seq)} entries by ${dateTime(head.created_at)}.`, `截至 ${dateTime(head.created_at)} 共 ${number(head.seq)} 条。`)} ${say("Keep its signed head elsewhere, and nobody can shorten it unnoticed:", "将签名的账本头另存他处，即可防止账本被悄悄截短：")}</span>
      <${Copy} text=${() => JSON.stringify(head)} label=${say("Copy the head", "复制账本头")} />
    </p>`}
  <//>`;
}
