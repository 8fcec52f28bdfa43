/** What stands behind a result: how it was made, checked, signed and recorded, and the files it can be saved as. */
import { download, get } from "../core/api.js";
import { dateTime, duration, number, size } from "../core/format.js";
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { useLoad } from "../core/load.js";
import { href } from "../core/route.js";
import { Button } from "./button.js";
import { Copy } from "./copy.js";
import { energyOf } from "./energy.js";
import { Icon } from "./icon.js";
import { Label } from "./label.js";
import { Facts } from "./panel.js";
import { SealMark } from "./seal.js";
import { Failure, Note, Waiting } from "./states.js";
import { toastError } from "./toast.js";
import { checkName, formatName } from "./words.js";

const ACTIONS = {
  allow: { icon: "check", kind: "good", words: () => say("passed", "通过") },
  flag: { icon: "info", kind: "warn", words: () => say("noted", "已提示") },
  redact: { icon: "shield", kind: "warn", words: () => say("covered up", "已遮盖") },
  block: { icon: "warning", kind: "bad", words: () => say("blocked", "已拦截") },
};
const RULE = "app.";
const PARTS = {
  manifest: () => say("its record was changed", "清单被改动"),
  content: () => say("its content was changed", "内容被改动"),
  record: () => say("the ledger's entry does not agree", "账本条目不一致"),
};

/** @param {{artifactId: string}} props */
export function SealStory({ artifactId }) {
  const { value: report, error, again } = useLoad((signal) => get(`/api/v1/artifacts/${artifactId}/seal`, { signal }), [artifactId]);
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!report) return html`<${Waiting} words=${say("Proving it …", "正在验证……")} />`;
  const manifest = report.manifest?.manifest;
  return html`<div class="story">
    <${Proof} report=${report} />
    ${report.label && html`<p class="story-label"><${Label} text=${report.label} /></p>`}
    ${manifest && html`<${Made} report=${report} manifest=${manifest} />`}
    ${report.app && html`<${App} app=${report.app} rules=${report.checks.filter(isRule)} />`}
    <${Checks} checks=${report.checks.filter((check) => !isRule(check))} />
    ${report.model && html`<${Model} model=${report.model} facts=${manifest.model} />`}
    ${manifest && html`<${Cost} usage=${manifest.usage} />`}
    <${Descent} report=${report} />
    ${manifest && html`<${Duties} requirements=${manifest.requirements} />`}
    <${Save} report=${report} />
    ${manifest && html`<${Raw} signed=${report.manifest} />`}
  </div>`;
}

function Proof({ report }) {
  if (!report.intact) {
    const parts = report.broken.map((part) => PARTS[part]?.() ?? part).join(say("; ", "；"));
    return html`<${Note} kind="bad" title=${say("The seal is broken", "封印已破损")}>${parts}<//>`;
  }
  const who =
    report.signed_by?.kind === "self" ? say("Signed by this installation", "由本机签名") : say("Signed by a known installation", "由已知的安装签名");
  return html`<div class="story-proof">
    <${SealMark} size=${52} />
    <div>
      <p class="story-verdict">${say("The seal holds", "封印完好")}</p>
      <p class="faint">${who}${say(". Content, record and ledger agree.", "。内容、清单与账本一致。")}</p>
      ${report.state !== "active" && html`<p class="faint">${report.state === "deleted" ? say("The content was deleted.", "内容已删除。") : say("It was withdrawn.", "已撤回。")}</p>`}
    </div>
  </div>`;
}

const Part = ({ title, children }) => html`<section class="story-part"><h3>${title}</h3>${children}</section>`;

const Made = ({ report, manifest }) => html`<${Part} title=${say("Made", "生成")}>
  <${Facts}
    facts=${[
      [say("When", "时间"), dateTime(manifest.created_at)],
      [say("Seed", "随机种子"), manifest.seed === null ? "" : html`<code>${manifest.seed}</code>`],
      [say("Run by", "引擎"), manifest.backend?.name],
      [say("Ended", "结束原因"), endOf(manifest.finish_reason)],
      [say("Prompt", "提示词摘要"), manifest.prompt && html`<${Digest} text=${manifest.prompt.value} />`],
      [say("Content", "内容摘要"), html`<${Digest} text=${manifest.content_sha256} />`],
      [say("Id", "编号"), html`<${Digest} text=${report.artifact.id} />`],
    ]}
  />
  <p class="faint">
    ${say("The prompt's words are not in the record, only a keyed digest that this installation alone can confirm.", "记录中没有提示词原文，只有本机才能核对的带密钥摘要。")}
  </p>
<//>`;

const Digest = ({ text }) => html`<span class="digest"><code title=${text}>${text.length > 30 ? `${text.slice(0, 16)}…${text.slice(-6)}` : text}</code><${Copy} text=${text} /></span>`;

const endOf = (reason) =>
  ({
    stop: say("by itself", "自然结束"),
    length: say("at the longest length", "达到长度上限"),
    tool_calls: say("to call a tool", "请求调用工具"),
    cancelled: say("stopped by you", "被手动停止"),
    blocked: say("withdrawn by a check", "被检查撤回"),
  })[reason] ?? reason;

/** The rules of an app give verdicts as checks do. */
const isRule = ({ check }) => check.startsWith(RULE);

const App = ({ app, rules }) => html`<${Part} title=${say("App", "应用")}>
  <p><a href=${href("apps", [app.name])}><b>${app.title}</b></a> <span class="faint">${app.name}</span></p>
  <${Facts}
    facts=${[
      [say("This is", "内容"), app.step ? say(`the step “${app.step}”`, `步骤“${app.step}”`) : say("the result of all steps", "全部步骤的结果")],
      [say("App's file", "应用文件摘要"), html`<${Digest} text=${app.sha256} />`],
      [say("By now", "现况"), app.same === null ? say("the app is not here", "该应用不在本机") : app.same ? say("the same file", "文件相同") : say("the file was changed", "文件已更改")],
    ]}
  />
  ${rules.length > 0 &&
  html`<ul class="story-checks" aria-label=${say("Rules", "规则")}>
    ${rules.map((rule, index) => {
      const { icon, kind } = ACTIONS[rule.action];
      return html`<li key=${index} class=${`story-${kind}`}>
        <${Icon} name=${icon} size=${16} />
        <span>${say("Rule", "规则")} <code>${rule.check.slice(RULE.length)}</code>${say(": ", "：")}${rule.words}</span>
      </li>`;
    })}
  </ul>`}
<//>`;

const Checks = ({ checks }) => html`<${Part} title=${say("Checked", "检查")}>
  ${checks.length === 0 && html`<p class="faint">${say("No check is on record.", "没有检查记录。")}</p>`}
  <ul class="story-checks">
    ${checks.map((check, index) => {
      const action = ACTIONS[check.action];
      return html`<li key=${index} class=${`story-${action.kind}`}>
        <${Icon} name=${action.icon} size=${16} />
        <span><b>${checkName(check.check)}</b> <span class="faint">${check.stage === "prompt" ? say("of the prompt", "（提示词）") : say("of the result", "（结果）")}</span>
          <br />${action.words()}: ${check.words}</span>
      </li>`;
    })}
  </ul>
<//>`;

const Model = ({ model, facts }) => html`<${Part} title=${say("Model", "模型")}>
  <p><b>${model.title}</b> <span class="faint">${model.name}</span></p>
  <p>${model.description}</p>
  <${Facts}
    facts=${[
      [say("Licence", "许可"), model.licence],
      [say("Limits", "局限"), model.limits],
      [say("Provider", "服务商"), facts?.provider && `${facts.provider.name} · ${facts.provider.base_url}`],
      [say("Weights", "权重摘要"), facts?.sha256 && html`<${Digest} text=${facts.sha256} />`],
      [say("On this machine", "本机现况"), model.same === null ? "" : model.same ? say("the same weights", "权重相同") : say("other weights by now", "权重已更换")],
    ]}
  />
<//>`;

const Cost = ({ usage }) => html`<${Part} title=${say("Took", "开销")}>
  <${Facts}
    facts=${[
      [say("Tokens", "词元"), `${number(usage.prompt_tokens)} + ${number(usage.completion_tokens)}`],
      [say("Time", "用时"), duration(usage.total_seconds)],
      [say("Memory", "内存峰值"), usage.peak_memory_bytes ? size(usage.peak_memory_bytes) : say("unknown", "未知")],
      [say("Energy", "能耗"), energyOf(usage.energy)],
    ]}
  />
<//>`;

const Descent = ({ report }) =>
  report.parents.length > 0 &&
  html`<${Part} title=${say("Made from", "来源")}>
    <ul class="story-parents">
      ${report.parents.map(
        (parent) => html`<li key=${parent.id}><a href=${href("trace", [parent.id])}>${parent.artifact?.title || parent.id}</a></li>`,
      )}
    </ul>
  <//>`;

const Duties = ({ requirements }) =>
  requirements.length > 0 &&
  html`<${Part} title=${say("Labelling duties", "标识要求")}>
    <ul class="story-checks">
      ${requirements.map(
        (one) => html`<li key=${one.regime + one.id} class=${one.met ? "story-good" : "story-warn"}>
          <${Icon} name=${one.met ? "check" : "info"} size=${16} />
          <span>${one.reason} <span class="faint">${one.source}</span></span>
        </li>`,
      )}
    </ul>
  <//>`;

function Save({ report }) {
  const [busy, setBusy] = useState("");
  const save = async (format) => {
    setBusy(format);
    try {
      await download(`/api/v1/artifacts/${report.artifact.id}/export`, { query: { format } });
    } catch (error) {
      toastError(error);
    }
    setBusy("");
  };
  return html`<${Part} title=${say("Save with its label", "带标识导出")}>
    ${report.formats.length === 0 && html`<p class="faint">${say("There is nothing left to save.", "没有可导出的内容。")}</p>`}
    <div class="story-does">
      ${report.formats.map(
        (format) => html`<${Button} key=${format.name} small icon="download" busy=${busy === format.name} onClick=${() => save(format.name)}
          >${formatName(format.name)}<//>`,
      )}
    </div>
  <//>`;
}

const Raw = ({ signed }) => {
  const text = JSON.stringify(signed, null, 2);
  return html`<details class="story-raw">
    <summary>${say("Manifest, as it was signed", "清单原文（已签名）")}</summary>
    <div class="story-raw-head"><${Copy} text=${text} label=${say("Copy the manifest", "复制清单")} /></div>
    <pre tabindex="0" role="region" aria-label=${say("Manifest", "清单")}>${text}</pre>
  </details>`;
};
