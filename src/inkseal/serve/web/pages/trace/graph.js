/** Draws a placed line of descent. Every artifact is a button that opens its story; the same stands in words for who cannot see it. */
import { dateTime } from "../../core/format.js";
import { classes, html, useId, useMemo } from "../../core/html.js";
import { languageTag, say } from "../../core/language.js";
import { layout, NODE } from "./layout.js";

const PAD = 10;
const LEAST_SCALE = 0.85;
const SHAPES = {
  active: "M5 12.500l4.500 4.500L19 7",
  withdrawn: "M12 3l7 3v5c0 4.500-3 8-7 10-4-2-7-5.500-7-10V6z",
  deleted: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  elsewhere: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 18v.01",
  broken: "M12 4l9 16H3zM12 10v4M12 17v.01",
};

/**
 * @param {object} props
 * @param {import("./layout.js").Node[]} props.nodes
 * @param {import("./layout.js").Edge[]} props.edges
 * @param {string} props.here the id of what was asked for
 * @param {(id: string) => void} props.onOpen
 */
export function Graph({ nodes, edges, here, onOpen }) {
  const placed = useMemo(() => layout(nodes, edges), [nodes, edges]);
  const title = useId();
  const width = placed.width + 2 * PAD;
  const height = placed.height + 2 * PAD;
  // A drawing that is a little too wide is made smaller; one that would become unreadable is scrolled.
  return html`<svg class="graph" style=${{ minWidth: `${Math.round(width * LEAST_SCALE)}px` }} width=${width} height=${height} viewBox=${`${-PAD} ${-PAD} ${width} ${height}`} role="group" aria-labelledby=${title}>
    <title id=${title}>${say(`${nodes.length} things, ${edges.length} steps`, `共 ${nodes.length} 项、${edges.length} 步`)}</title>
    ${placed.edges.map((edge) => html`<path key=${`${edge.from}>${edge.to}`} class=${classes("edge", (edge.from === here || edge.to === here) && "edge-here")} d=${edge.path} />`)}
    ${placed.nodes.map((node) => html`<${KINDS[node.kind]} key=${node.id} node=${node} isHere=${node.id === here} onOpen=${onOpen} />`)}
  </svg>`;
}

function ArtifactNode({ node, isHere, onOpen }) {
  const { title, state, valid, created_at: made, app, model } = node.data;
  const words = title || stateWords(state);
  const isBroken = valid === false;
  const about = state === "elsewhere" ? say("no record here", "本机无记录") : [app || model, made && day(made)].filter(Boolean).join(" · ");
  const open = () => onOpen(node.id);
  const canOpen = state !== "elsewhere";
  const label = [words, about, isBroken ? say("its record was changed", "清单被改动") : stateWords(state), isHere && say("this one", "当前")];
  return html`<g
    class=${classes("node", `node-${isBroken ? "broken" : state}`, isHere && "node-here")}
    transform=${`translate(${node.x} ${node.y})`}
    role=${canOpen ? "button" : "img"}
    tabindex=${canOpen ? 0 : undefined}
    aria-label=${label.filter(Boolean).join(say(", ", "，"))}
    onClick=${canOpen ? open : undefined}
    onKeyDown=${(event) => canOpen && (event.key === "Enter" || event.key === " ") && (event.preventDefault(), open())}
  >
    <title>${[words, made && dateTime(made)].filter(Boolean).join("\n")}</title>
    <rect class="node-box" width=${NODE.width} height=${NODE.height} rx="12" />
    <g class="node-mark" transform="translate(14 14) scale(.8)"><path d=${SHAPES[isBroken ? "broken" : state]} /></g>
    <foreignObject x="40" y="8" width=${NODE.width - 50} height=${NODE.height - 14}>
      <div class="node-words"><b>${words}</b><span>${about}</span></div>
    </foreignObject>
  </g>`;
}

const ModelNode = ({ node }) => html`<g class="node node-model" transform=${`translate(${node.x} ${node.y})`} role="img" aria-label=${say(`Model ${node.data.model}, licence ${node.data.licence || "unknown"}`, `模型 ${node.data.model}，许可 ${node.data.licence || "未知"}`)}>
  <title>${`${node.data.model}\n${node.data.model_sha256 ?? ""}`}</title>
  <rect class="node-box" width=${NODE.width} height=${NODE.height} rx=${NODE.height / 2} />
  <foreignObject x="26" y="8" width=${NODE.width - 52} height=${NODE.height - 14}>
    <div class="node-words node-words-middle"><b>${node.data.model}</b><span>${say(`Model · ${short(node.data.licence) || "licence unknown"}`, `模型 · ${short(node.data.licence) || "许可未知"}`)}</span></div>
  </foreignObject>
</g>`;

const FileNode = ({ node }) => {
  const { format, entries } = node.data;
  const words = entries.length > 1 ? say(`${entries.length} files`, `${entries.length} 份文件`) : say("1 file", "1 份文件");
  return html`<g class="node node-file" transform=${`translate(${node.x} ${node.y})`} role="img" aria-label=${say(`Exported as ${format}: ${words}`, `导出为 ${format}：${words}`)}>
    <path class="node-box" d=${`M8 0h${NODE.width - 26}l18 18v${NODE.height - 26}q0 8-8 8h-${NODE.width - 16}q-8 0-8-8v-${NODE.height - 16}q0-8 8-8z`} />
    <foreignObject x="20" y="8" width=${NODE.width - 44} height=${NODE.height - 14}>
      <div class="node-words"><b>${format}</b><span>${words} · ${say("labelled", "带标识")}</span></div>
    </foreignObject>
  </g>`;
};

const KINDS = { artifact: ArtifactNode, model: ModelNode, file: FileNode };

const short = (licence) => licence.split(" (")[0];

const day = (moment) => new Intl.DateTimeFormat(languageTag(), { month: "short", day: "numeric" }).format(new Date(moment));

const stateWords = (state) =>
  ({
    active: say("sealed", "已封印"),
    withdrawn: say("withdrawn", "已撤回"),
    deleted: say("content deleted", "内容已删除"),
    elsewhere: say("made elsewhere, or another's", "来自别处或他人"),
  })[state];
