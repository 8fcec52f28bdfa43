/** Everything that was made: searched, filtered, opened, compared, collected, saved and deleted. */
import { number } from "../core/format.js";
import { html, useEffect, useMemo, useRef, useState } from "../core/html.js";
import { language, say } from "../core/language.js";
import { lazy } from "../core/lazy.js";
import { go, href, replace } from "../core/route.js";
import { may } from "../core/session.js";
import { Button } from "../ui/button.js";
import { Head } from "../ui/panel.js";
import { Empty, Failure, Note, Waiting } from "../ui/states.js";
import { WindowList } from "../ui/window_list.js";
import { Card, soughtOf } from "./gallery/card.js";
import { Choosing } from "./gallery/choosing.js";
import { Filters } from "./gallery/filters.js";
import { isNarrowed, useFacets, useItems } from "./gallery/items.js";
import { moveOf } from "./gallery/keys.js";
import { Search } from "./gallery/search.js";

const Compare = lazy(() => import("./gallery/compare.js"), "Compare");
const CollectDialog = lazy(() => import("./gallery/collect.js"), "CollectDialog");
const DeleteDialog = lazy(() => import("./gallery/deletion.js"), "DeleteDialog");
const View = lazy(() => import("./gallery/view.js"), "View");

const ROW_HEIGHT = 196;
const MIN_WIDTH = 248;
const GAP = 14;

function Gallery({ steps, query }) {
  if (steps[0] === "compare" && steps[2]) return html`<${Compare} left=${steps[1]} right=${steps[2]} query=${query} />`;
  return html`<${Everything} opened=${steps[0]} query=${query} />`;
}

function Everything({ opened, query }) {
  const list = useItems(query);
  const { facets, collections, again: againFacets } = useFacets(query);
  const [chosen, setChosen] = useState(/** @type {Map<string, import("./gallery/types.js").Item>} */ (new Map()));
  const [at, setAt] = useState(0);
  const [work, setWork] = useState(/** @type {null | {kind: "collect" | "delete", ids: string[]}} */ (null));
  const last = useRef(0);
  const handle = useRef(null);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const does = useRef(/** @type {any} */ (null));
  const sought = useMemo(() => soughtOf(query), [query]);
  const change = (more) => replace("gallery", opened ? [opened] : [], { ...query, ...more });
  const renew = () => {
    list.again();
    againFacets();
  };
  useEffect(() => setAt(0), [list.key]);

  const focusOn = (index) => {
    const kept = Math.max(0, Math.min(list.total - 1, index));
    setAt(kept);
    handle.current?.show(kept);
    // The card may only be drawn after the list has moved.
    const take = (left) => requestAnimationFrame(() => {
      const link = box.current?.querySelector(`[data-index="${kept}"] .card-open`);
      if (link) link.focus({ preventScroll: true });
      else if (left) take(left - 1);
    });
    take(20);
  };
  const choose = (index, isRange) => {
    const next = new Map(chosen);
    const turnedOn = !chosen.has(list.items[index]?.id);
    const [from, to] = isRange ? [Math.min(last.current, index), Math.max(last.current, index)] : [index, index];
    for (const item of list.items.slice(from, to + 1)) if (item) turnedOn ? next.set(item.id, item) : next.delete(item.id);
    last.current = index;
    setChosen(next);
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moveOf(event.key, at, handle.current?.columns ?? 1, list.total);
    const item = list.items[at];
    if (to !== null) focusOn(to);
    else if (event.key === " " && event.target.tagName === "A") choose(at, event.shiftKey);
    else if (event.key === "Delete" && item && may("creator")) setWork({ kind: "delete", ids: chosen.size ? [...chosen.keys()] : [item.id] });
    else if (event.key === "Escape" && chosen.size) setChosen(new Map());
    else return;
    event.preventDefault();
  };
  does.current = { choose, focus: setAt };
  const place = list.items.findIndex((item) => item?.id === opened);
  const step = place < 0 ? null : (by) => list.items[place + by] && replace("gallery", [list.items[place + by].id], query);

  return html`<${Head} title=${say("Gallery", "作品库")} words=${say("Everything that was made here, each with its seal.", "在此生成的一切作品，各有封印。")} />
    <${Search} query=${query.query ?? ""} by=${query.by === "meaning" ? "meaning" : "words"} hasMeaning=${facets?.meaning ?? false} onChange=${change} onDown=${() => list.total && focusOn(at)} />
    <${Filters} query=${query} facets=${facets} collections=${collections} onChange=${change} />
    <${Said} list=${list} query=${query} />
    <div class="gallery" ref=${box} onKeyDown=${press}>
      ${list.error
        ? html`<${Problem} error=${list.error} again=${list.again} query=${query} onChange=${change} />`
        : list.total
          ? html`<${WindowList}
              count=${list.total}
              items=${list.items}
              rowHeight=${ROW_HEIGHT}
              minWidth=${MIN_WIDTH}
              gap=${GAP}
              handle=${handle}
              label=${say("Results", "作品")}
              onSee=${list.see}
              draw=${(index) => html`<${Card}
                key=${index}
                item=${list.items[index]}
                index=${index}
                count=${list.total}
                isCurrent=${index === at}
                isChosen=${chosen.has(list.items[index]?.id)}
                query=${query}
                sought=${sought}
                words=${language.value}
                does=${does}
              />`}
            />`
          : list.isLoading
            ? html`<${Waiting} />`
            : html`<${Nothing} query=${query} hasMeaning=${facets?.meaning} onChange=${change} />`}
    </div>
    ${chosen.size > 0 && html`<${Choosing} chosen=${chosen} query=${query} onClear=${() => setChosen(new Map())} onWork=${(kind) => setWork({ kind, ids: [...chosen.keys()] })} />`}
    ${opened &&
    html`<${View}
      id=${opened}
      onClose=${() => {
        replace("gallery", [], query);
        if (place >= 0) focusOn(place);
      }}
      onCollect=${(ids) => setWork({ kind: "collect", ids })}
      onDelete=${(ids) => setWork({ kind: "delete", ids })}
      onCompare=${(id) => {
        setChosen(new Map([...chosen, [id, list.items[place]]]));
        replace("gallery", [], query);
      }}
      onStep=${step}
    />`}
    ${work?.kind === "collect" && html`<${CollectDialog} ids=${work.ids} collections=${collections} from=${query.collection} onClose=${() => setWork(null)} onDone=${renew} />`}
    ${work?.kind === "delete" &&
    html`<${DeleteDialog}
      ids=${work.ids}
      onClose=${() => setWork(null)}
      onDone=${(deleted) => {
        setWork(null);
        setChosen(new Map([...chosen].filter(([id]) => !deleted.includes(id))));
        if (deleted.includes(opened)) replace("gallery", [], query);
        renew();
      }}
    />`}`;
}

function Said({ list, query }) {
  const count = number(list.total);
  const words = query.query
    ? say(`${count} found, the nearest first`, `找到 ${count} 个，最接近的在前`)
    : say(list.total === 1 ? "1 result" : `${count} results, the newest first`, `共 ${count} 个，最新的在前`);
  return html`<p class="gallery-count faint" role="status">${list.isLoading ? (query.query ? say("Searching …", "正在查找……") : "") : list.error || !list.total ? "" : words}</p>
    ${list.numUnread > 0 &&
    html`<${Note} title=${say("Still reading", "仍在读入")}>
      <p>${say(`${number(list.numUnread)} older contents are being read for their meaning. Look again in a moment for better results.`, `还有 ${number(list.numUnread)} 个较早的内容正在按语义读入，稍后再查会更完整。`)}</p>
      <p><${Button} small icon="refresh" onClick=${list.again}>${say("Look again", "再查一次")}<//></p>
    <//>`}`;
}

const Problem = ({ error, again, query, onChange }) =>
  error.code === "model_not_found" && query.by === "meaning"
    ? html`<${Empty} icon="models" title=${say("Searching by meaning needs one more model", "按语义查找还需要一个模型")}>
        <p>${error.message}</p>
        <p class="row"><${Button} kind="primary" href=${href("models")}>${say("To the models", "前往模型页")}<//><${Button} onClick=${() => onChange({ by: undefined })}>${say("Search by words", "按词语查找")}<//></p>
      <//>`
    : html`<${Failure} error=${error} again=${again} />`;

function Nothing({ query, hasMeaning, onChange }) {
  if (!isNarrowed(query)) {
    return html`<${Empty} icon="gallery" title=${say("Nothing has been made yet", "还没有作品")}>
      <p>${say("Whatever you make appears here by itself: checked, sealed, and ready to be found again.", "您生成的一切都会自动出现在这里：经过检查、加盖封印、随时可查。")}</p>
      ${may("creator") && html`<p><${Button} kind="primary" icon="create" onClick=${() => go("create")}>${say("Make the first", "创作第一个")}<//></p>`}
    <//>`;
  }
  const cleared = Object.fromEntries(Object.keys(query).map((name) => [name, undefined]));
  return html`<${Empty} icon="search" title=${say("Nothing like that here", "没有符合的作品")}>
    <p>${query.by === "meaning" ? say("Describe it in other words, in any language.", "换一种说法描述，任何语言均可。") : say("A word is found as a word: “rain” finds “rain” and, while you type, “rainbow”.", "按词查找：“下雨”会找到含该词的作品；输入时末尾的词可以不完整。")}</p>
    <p class="row">
      ${query.query && query.by !== "meaning" && hasMeaning && html`<${Button} icon="spark" onClick=${() => onChange({ by: "meaning" })}>${say("Search by meaning", "按语义查找")}<//>`}
      <${Button} icon="close" onClick=${() => onChange(cleared)}>${say("Show everything", "显示全部")}<//>
    </p>
  <//>`;
}

export const page = {
  name: "gallery",
  order: 30,
  icon: "gallery",
  title: { en: "Gallery", zh: "作品库" },
  layout: "wide",
  Page: Gallery,
};
