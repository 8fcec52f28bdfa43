/** The result of an app: the document with its charts, label and seal, what is not met, and what can follow. */
import * as api from "../../core/api.js";
import { html } from "../../core/html.js";
import { number } from "../../core/format.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Copy } from "../../ui/copy.js";
import { Label } from "../../ui/label.js";
import { Markdown } from "../../ui/markdown.js";
import { Menu } from "../../ui/menu.js";
import { Seal } from "../../ui/seal.js";
import { Note } from "../../ui/states.js";
import { toastError } from "../../ui/toast.js";
import { formatName } from "../../ui/words.js";

const FORMATS = ["html", "pdf", "markdown", "txt"];

/** @param {{app: any, result: any, onNext: (name: string, values: Record<string, unknown>) => void}} props */
export function Result({ app, result, onNext }) {
  const id = result.artifact.id;
  const save = (format) => api.download(`/api/v1/artifacts/${id}/export`, { query: { format } }).catch(toastError);
  const { usage } = result;
  return html`<article class="app-result" aria-label=${say("The result", "应用结果")}>
    <header class="app-result-head">
      <${Label} text=${result.label} />
      <${Seal} artifactId=${id} isNew />
    </header>
    ${result.problems.length > 0 &&
    html`<${Note} kind="warn" title=${say("Not everything that was asked for is met", "有要求未满足")}>
      <ul>${result.problems.map((text, index) => html`<li key=${index}>${text}</li>`)}</ul>
    <//>`}
    <${Document} text=${result.text} isVerse=${app.output_form === "text"} />
    ${result.steps.some((step) => step.mended) &&
    html`<p class="faint small">${say("Code took out what the rules do not allow; no word was added.", "程序删去了不合规则的部分，没有添加文字。")}</p>`}
    ${result.notice && html`<${Note}><p>${result.notice}</p><//>`}
    <footer class="app-result-foot">
      <span class="faint small">${say(
        `${number(usage.completion_tokens)} tokens · ${number(usage.total_seconds, { maximumFractionDigits: 1 })} s`,
        `${number(usage.completion_tokens)} 词元 · ${number(usage.total_seconds, { maximumFractionDigits: 1 })} 秒`,
      )}</span>
      <span class="app-result-does">
        <${Copy} text=${result.text} label=${say("Copy the result", "复制结果")} />
        <${Menu} small icon="download" label=${say("Save as a labelled file", "导出带标识的文件")}
          items=${FORMATS.map((format) => ({ title: formatName(format), onChoose: () => save(format) }))} />
        ${result.next.map(
          (one) => html`<${Button} key=${one.app} small kind="primary" icon="right" onClick=${() => onNext(one.app, given(one.values))}>${one.title}<//>`,
        )}
      </span>
    </footer>
  </article>`;
}

const given = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));

const Document = ({ text, isVerse }) =>
  isVerse ? html`<div class="prose app-verse">${text}</div>` : html`<div class="app-document"><${Markdown} text=${text} /></div>`;
