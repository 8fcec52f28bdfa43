/** One artifact in the gallery: how it begins, what it is, and the marks that people look for. */
import { Component } from "preact";
import { classes, html } from "../../core/html.js";
import { ago, dateTime, percent } from "../../core/format.js";
import { say } from "../../core/language.js";
import { href } from "../../core/route.js";
import { Icon } from "../../ui/icon.js";
import { Picture, isPicture } from "../../ui/picture.js";
import { SealMark } from "../../ui/seal.js";
import { Tag } from "../../ui/tag.js";
import { checkName } from "../../ui/words.js";
import { modalityIcon, modalityName, stateName, titleOf } from "./words.js";

/** A card that is drawn again only when what it shows has changed: while one scrolls, most have not. */
export class Card extends Component {
  shouldComponentUpdate(next) {
    return SHOWN.some((name) => next[name] !== this.props[name]);
  }

  render(props) {
    return html`<${Drawn} ...${props} />`;
  }
}

const SHOWN = ["item", "index", "count", "isCurrent", "isChosen", "query", "words"];

/**
 * @param {object} props
 * @param {import("./types.js").Item | undefined} props.item undefined while it is still on its way
 * @param {number} props.index
 * @param {number} props.count
 * @param {boolean} props.isCurrent the one that the keys act on
 * @param {boolean} props.isChosen
 * @param {Record<string, string>} props.query of the address, which an opened artifact keeps
 * @param {string[]} props.sought words to show where they stand
 * @param {string} props.words the language that is spoken
 * @param {{current: {choose: (index: number, range: boolean) => void, focus: (index: number) => void}}} props.does
 */
function Drawn({ item, index, count, isCurrent, isChosen, query, sought, does }) {
  if (!item) return html`<li class="card card-coming" aria-hidden="true"><span /><span /><span /></li>`;
  const { title, rest } = cut(item);
  const flag = item.flags[0];
  return html`<li
    class=${classes("card", isChosen && "card-chosen", item.state !== "active" && "card-gone")}
    data-index=${index}
    aria-posinset=${index + 1}
    aria-setsize=${count}
  >
    <a class="card-open" href=${href("gallery", [item.id], query)} tabindex=${isCurrent ? 0 : -1} aria-describedby=${`about-${index}`} onFocus=${() => does.current.focus(index)}>
      <${Marked} text=${title} sought=${sought} />
    </a>
    ${isPicture(item) && item.state === "active"
      ? html`<${Picture} key=${item.id} id=${item.id} title=${title} small />`
      : html`<p class="card-words">${rest && html`<${Marked} text=${rest} sought=${sought} />`}</p>`}
    <p class="card-facts" id=${`about-${index}`}>
      <${Icon} name=${modalityIcon(item.modality)} size=${15} /><span class="unseen">${modalityName(item.modality)}, </span>
      <time datetime=${item.created_at} title=${dateTime(item.created_at)}>${ago(item.created_at)}</time>
      <span class="card-model">${item.app || item.model}</span>
    </p>
    <p class="card-marks">
      ${item.state === "active" ? html`<span class="card-seal" title=${say("Sealed", "已封印")}><${SealMark} size=${20} /><span class="unseen">${say("Sealed", "已封印")}</span></span>` : html`<${Tag} icon="trash">${stateName(item.state)}<//>`}
      ${item.state === "active" && item.regime !== "none" && html`<${Tag}>${say("AI-made", "AI 生成")}<//>`}
      ${flag && html`<${Tag} kind="warn" icon="shield" title=${item.flags.map((one) => checkName(one.check)).join(" · ")}>${checkName(flag.check)}<//>`}
      ${item.score !== null && html`<${Tag} kind="good" title=${say("How near it is in meaning", "语义接近程度")}>${percent(Math.max(0, item.score))}<//>`}
    </p>
    <label class="card-choose" title=${say("Choose", "选择")}>
      <input
        type="checkbox"
        checked=${isChosen}
        tabindex=${isCurrent ? 0 : -1}
        aria-label=${say(`Choose: ${title}`, `选择：${title}`)}
        onFocus=${() => does.current.focus(index)}
        onClick=${(event) => does.current.choose(index, event.shiftKey)}
      />
    </label>
  </li>`;
}

/** Returns the title and what follows it; a title that was cut off in a word gives the word back. */
function cut(item) {
  const plain = item.excerpt.replace(/^[#>*\s]+/, "");
  const isCut = item.title.endsWith("…");
  let bare = item.title.replace(/…$/, "");
  if (!bare || !plain.startsWith(bare)) return { title: titleOf(item), rest: plain };
  if (isCut && /[\p{Script=Latin}\d]$/u.test(bare) && /^[\p{Script=Latin}\d]/u.test(plain.slice(bare.length))) bare = bare.replace(/\S+$/u, "").trimEnd() || bare;
  const rest = plain.slice(bare.length).replace(/^[\s.。…]+/, "").replace(/[#*`>]+/g, "");
  return { title: isCut ? `${bare}…` : item.title, rest };
}

/** A text with the sought words marked. @param {{text: string, sought: string[]}} props */
function Marked({ text, sought }) {
  if (!sought.length) return text;
  const pattern = new RegExp(`(${sought.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "giu");
  return text.split(pattern).map((piece, index) => (index % 2 ? html`<mark key=${index}>${piece}</mark>` : piece));
}

/** Returns the words of a query that can be marked: those of a search by words. @param {Record<string, string>} query */
export const soughtOf = (query) =>
  query.query && query.by !== "meaning" ? query.query.split(/[\s,.;:!?，。；：！？、]+/u).filter((word) => word.length > 1 || /\p{Script=Han}/u.test(word)).slice(0, 12) : [];
