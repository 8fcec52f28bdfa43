/** What was found out about a file or text: one word for it, why, layer by layer, and its line of descent. */
import { html, useEffect, useRef } from "../../core/html.js";
import { percent } from "../../core/format.js";
import { say } from "../../core/language.js";
import { href } from "../../core/route.js";
import { Icon } from "../../ui/icon.js";
import { Note } from "../../ui/states.js";
import { Line } from "./line.js";

const STANDINGS = {
  trusted: {
    kind: "good",
    icon: "shield",
    title: () => say("Trusted", "可信"),
    words: () => say("Whole, and sealed by an installation that is known here. Nothing was changed since.", "完好无损，由本机已知的安装封印，此后未被改动。"),
  },
  changed: {
    kind: "bad",
    icon: "warning",
    title: () => say("Changed", "被改动"),
    words: () => say("It carries a seal that does not fit it any more, or it is an edited copy of something made here.", "它所带的封印与内容不再相符，或是本机某作品的改动副本。"),
  },
  marks_removed: {
    kind: "warn",
    icon: "seal",
    title: () => say("Made here, marks removed", "由此生成，标识已去除"),
    words: () => say("Its words are on record here, but it carries no mark that holds. Only the words agree: a question with one usual answer gets the same from many.", "其文字与本机记录一致，但不带有效标识。仅文字相同：答案惯常的问题，别处也可能得到同样的文字。"),
  },
  unknown: {
    kind: "plain",
    icon: "help",
    title: () => say("Unknown", "未知"),
    words: () => say("Nothing here vouches for it. That does not say that a person made it, nor that a machine did.", "本机没有可为其作证的记录。这既不说明由人所作，也不说明由机器生成。"),
  },
};
const LAYERS = {
  visible: () => say("Visible label", "显式标识"),
  metadata: () => say("Seal in the file's metadata", "文件元数据中的封印"),
  c2pa: () => say("Content Credentials (C2PA)", "内容凭证（C2PA）"),
  manifest: () => say("Signed record", "签名清单"),
  ledger: () => say("Ledger entry", "账本条目"),
  export: () => say("Exported here as this very file", "本机导出的同一文件"),
};
const STATES = {
  valid: { icon: "check", kind: "good", words: () => say("holds", "有效") },
  changed: { icon: "warning", kind: "bad", words: () => say("changed", "被改动") },
  present: { icon: "info", kind: "warn", words: () => say("there, but nothing to check it by", "存在，但无从核验") },
  absent: { icon: "minus", kind: "plain", words: () => say("not there", "没有") },
};
const PARTS = {
  seal: () => say("the seal", "封印"),
  text: () => say("the text", "文字"),
  labels: () => say("the labels", "标识"),
  metadata: () => say("the metadata", "元数据"),
  layout: () => say("the layout", "版式"),
  file: () => say("the file", "文件"),
  manifest: () => say("the record", "清单"),
};

/**
 * @param {object} props
 * @param {string} props.name the file's; empty for a text
 * @param {{verification: any, standing: string}} props.found
 */
export function Verdict({ name, found }) {
  const { verification, standing } = found;
  const look = STANDINGS[standing];
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    box.current.focus({ preventScroll: true });
    box.current.closest("section").scrollIntoView({ block: "nearest" });
  }, [found]);
  const subject = verification.artifact_id ?? verification.layers.find((layer) => layer.state === "valid" && layer.issuer?.kind === "self")?.artifact_id;
  return html`<section class=${`verdict verdict-${look.kind}`} aria-label=${say("What was found", "检查结果")}>
      <span class="verdict-icon"><${Icon} name=${look.icon} size=${34} /></span>
      <div class="verdict-words">
        <p class="faint small">${name || say("The pasted text", "粘贴的文字")}</p>
        <h2 tabindex="-1" ref=${box}>${look.title()}</h2>
        <p>${look.words()}</p>
        <p class="verdict-summary">${verification.summary}</p>
      </div>
    </section>
    ${verification.withdrawn && html`<${Note} kind="warn">${say("A check withdrew this result when it was made.", "此结果生成时已被检查撤回。")}<//>`}
    ${verification.deleted && html`<${Note} kind="warn">${say("Its content was deleted here; its record and ledger entries remain.", "其内容已在本机删除；清单与账本条目仍在。")}<//>`}
    <div class="verdict-more">
      <section class="panel" aria-label=${say("Layer by layer", "逐层检查")}>
        <h2>${say("Layer by layer", "逐层检查")}</h2>
        <ul class="layers">${verification.layers.map((layer) => html`<${Layer} key=${layer.name} layer=${layer} />`)}</ul>
      </section>
      ${verification.matches.length > 0 && html`<${Matches} matches=${verification.matches} relation=${verification.relation} />`}
    </div>
    ${subject && html`<${Line} id=${subject} />`}`;
}

/** One standing in short, to learn what it means. @param {{standing: string}} props */
Verdict.Short = function Short({ standing }) {
  const look = STANDINGS[standing];
  return html`<div class=${`verdict verdict-short verdict-${look.kind}`}>
    <span class="verdict-icon"><${Icon} name=${look.icon} size=${22} /></span>
    <div class="verdict-words"><h3>${look.title()}</h3><p>${look.words()}</p></div>
  </div>`;
};

function Layer({ layer }) {
  const state = STATES[layer.state];
  const changed = layer.changed.map((part) => PARTS[part]?.() ?? part).join(say(", ", "、"));
  const issuer = layer.issuer && { self: say("this installation", "本机"), known: layer.issuer.name, unknown: say("an unknown issuer", "未知颁发者") }[layer.issuer.kind];
  return html`<li class=${`layer layer-${state.kind}`}>
    <${Icon} name=${state.icon} size=${18} />
    <span class="layer-name">${LAYERS[layer.name]?.() ?? layer.name}</span>
    <span class="layer-state">${state.words()}${changed && `${say(": ", "：")}${changed}`}${issuer && html`<span class="faint"> · ${issuer}</span>`}</span>
  </li>`;
}

const Matches = ({ matches, relation }) => html`<section class="panel" aria-label=${say("What it resembles", "与之相似的作品")}>
  <h2>${relation === "similar" ? say("It resembles", "与之相似") : say("On record here", "本机记录")}</h2>
  <ul class="matches">
    ${matches.map(
      (match) => html`<li key=${match.artifact_id}>
        <a href=${href("trace", [match.artifact_id])}><code>${match.artifact_id}</code></a>
        <span class="faint">${relationWords(match.likeness)}</span>
      </li>`,
    )}
  </ul>
  ${relation === "similar" && html`<p class="faint small">${say("Likeness says nothing of where something was made.", "相似并不说明其来源。")}</p>`}
</section>`;

const relationWords = (likeness) =>
  ({
    exact: say("the same words", "文字相同"),
    edited: say(`${percent(likeness.shared)} of its runs of words agree`, `${percent(likeness.shared)} 的片段相同`),
    similar: say(`alike in meaning: ${percent(likeness.shared)}`, `语义相近：${percent(likeness.shared)}`),
  })[likeness.relation];
