/** The line of descent of an artifact, drawn from the records: models, what it was made from, what was made from it, files. */
import { get } from "../../core/api.js";
import { dateTime } from "../../core/format.js";
import { html, useEffect, useMemo, useRef, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { lazy } from "../../core/lazy.js";
import { useLoad } from "../../core/load.js";
import { href } from "../../core/route.js";
import { Button } from "../../ui/button.js";
import { Drawer } from "../../ui/dialog.js";
import { Panel } from "../../ui/panel.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { formatName } from "../../ui/words.js";
import { Graph } from "./graph.js";

const SealStory = lazy(() => import("../../ui/seal_story.js"), "SealStory");

const EVENTS = {
  artifact_sealed: () => say("Made and sealed", "生成并封印"),
  artifact_withdrawn: () => say("Withdrawn", "撤回"),
  artifact_deleted: () => say("Content deleted", "内容删除"),
  exported: (body) => say(`Exported as ${formatName(body.format)} with its labels`, `导出为带标识的 ${formatName(body.format)}`),
  unlabelled_export: (body) => say(`Exported without labels; agreed by ${body.agreed_by}`, `导出为无标识文件；同意人 ${body.agreed_by}`),
};

/** @param {{id: string}} props */
export function Line({ id }) {
  const { value, error, again } = useLoad((signal) => get(`/api/v1/artifacts/${id}/descent`, { signal }), [id]);
  const [opened, setOpened] = useState("");
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const drawn = useMemo(() => (value ? pieces(value) : null), [value]);
  useEffect(() => {
    // What was asked for stands in the middle, also where the drawing is wider than the window.
    const here = box.current?.querySelector(".node-here");
    if (here) box.current.scrollLeft = here.getBoundingClientRect().left - box.current.getBoundingClientRect().left + box.current.scrollLeft - box.current.clientWidth / 2 + 98;
  }, [drawn]);
  if (error) return error.status === 404 ? html`<${Note}>${say("There is no record of it here for you.", "本机没有您可查看的记录。")}<//>` : html`<${Failure} error=${error} again=${again} />`;
  if (!value) return html`<${Waiting} words=${say("Reading the records …", "正在读取记录……")} />`;
  return html`<${Panel} class="line" title=${value.nodes[0].title || say("Line of descent", "来历")} words=${say("From left to right: what it rests on, itself, and what came of it. Open a node for its story.", "自左至右：它的依据、它自身、由它而来者。点开节点查看来历。")}>
      <div class="line-drawing" ref=${box} tabindex="0" role="region" aria-label=${say("Drawing of the line of descent", "来历图")}>
        <${Graph} nodes=${drawn.nodes} edges=${drawn.edges} here=${id} onOpen=${setOpened} />
      </div>
      ${value.truncated && html`<p class="faint small">${say("There is more than is drawn here.", "还有更多，未全部绘出。")}</p>`}
    <//>
    <${Panel} class="line" title=${say("What the ledger says of it", "账本中的记录")}>
      <ol class="history">
        ${value.history.map(
          (entry) => html`<li key=${entry.seq}>
            <span class="faint number">#${entry.seq}</span>
            <span>${EVENTS[entry.kind]?.(entry.body) ?? entry.kind}</span>
            <time class="faint" datetime=${entry.created_at}>${dateTime(entry.created_at)}</time>
          </li>`,
        )}
      </ol>
    <//>
    ${opened &&
    html`<${Drawer} title=${say("Its story", "来历")} onClose=${() => setOpened("")} does=${opened !== id && html`<${Button} icon="trace" href=${href("trace", [opened])} onClick=${() => setOpened("")}>${say("Draw from here", "以此为中心")}<//>`}>
      <${SealStory} artifactId=${opened} />
    <//>`}`;
}

/** Turns the records into what is drawn: artifacts, the models that made them, and files that were exported of this one. */
function pieces({ artifact_id: id, nodes, edges, history }) {
  const first = Math.min(...nodes.map((node) => node.depth));
  const found = nodes.map((node) => ({ id: node.id, kind: "artifact", depth: node.depth, data: node }));
  const lines = edges.map(({ parent, child }) => ({ from: parent, to: child }));
  for (const node of [...nodes].sort((one, other) => one.depth - other.depth)) {
    // A model stands left of the first generation; those that only made what came later would only be in the way.
    if (!node.model || node.depth > 0) continue;
    const model = `model:${node.model}:${node.model_sha256 ?? ""}`;
    if (!found.some((one) => one.id === model)) found.push({ id: model, kind: "model", depth: first - 1, data: node });
    // One that made the first generation needs no second line across the drawing.
    const isFirst = node.depth === first;
    if (isFirst || (node.id === id && !lines.some(({ from }) => from === model))) lines.push({ from: model, to: node.id });
  }
  const lastDepth = Math.max(1, ...nodes.map((node) => node.depth));
  const files = history.filter((entry) => entry.kind === "exported" || entry.kind === "unlabelled_export");
  const byFormat = new Map();
  for (const entry of files) byFormat.set(entry.body.format, [...(byFormat.get(entry.body.format) ?? []), entry]);
  for (const [format, entries] of byFormat) {
    found.push({ id: `file:${format}`, kind: "file", depth: Math.min(1, lastDepth), data: { format: formatName(format), entries } });
    lines.push({ from: id, to: `file:${format}` });
  }
  return { nodes: found, edges: lines };
}
