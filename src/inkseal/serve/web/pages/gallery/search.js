/** The line in which one looks for something: by words while one types, or by meaning. */
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Icon } from "../../ui/icon.js";

const PAUSE_MS = { words: 180, meaning: 600 };

/**
 * @param {object} props
 * @param {string} props.query
 * @param {"words" | "meaning"} props.by
 * @param {boolean} props.hasMeaning the embedding model is here
 * @param {(change: {query?: string, by?: string}) => void} props.onChange
 * @param {() => void} props.onDown goes into the list
 */
export function Search({ query, by, hasMeaning, onChange, onDown }) {
  const [text, setText] = useState(query);
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(0);
  const told = useRef(query);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    // What this box has told comes back as the query; by then more may have been typed.
    if (query === told.current) return;
    told.current = query;
    clearTimeout(timer.current);
    setText(query);
  }, [query]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const ask = (value, pause) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      told.current = value.trim();
      latest.current({ query: told.current });
    }, pause);
  };
  const type = (event) => {
    setText(event.target.value);
    if (!event.isComposing) ask(event.target.value, PAUSE_MS[by]);
  };
  const press = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") ask(text, 0);
    else if (event.key === "ArrowDown") {
      event.preventDefault();
      onDown();
    } else if (event.key === "Escape" && text) {
      event.preventDefault();
      setText("");
      ask("", 0);
    }
  };
  return html`<div class="search" role="search">
    <div class="search-line">
      <${Icon} name="search" size=${20} />
      <input
        ref=${box}
        class="input"
        type="search"
        value=${text}
        maxlength="1000"
        autocomplete="off"
        spellcheck=${false}
        aria-label=${say("Search everything that was made", "在所有作品中查找")}
        placeholder=${by === "meaning" ? say("Describe what it is about …", "描述它讲了什么……") : say("Words in it …", "其中的词……")}
        onInput=${type}
        onCompositionEnd=${type}
        onKeyDown=${press}
      />
      ${text ? html`<${Button} kind="quiet" small icon="close" label=${say("Clear", "清除")} onClick=${() => (setText(""), ask("", 0), box.current.focus())} />` : html`<kbd aria-hidden="true" title=${say("Press / to search", "按 / 开始查找")}>/</kbd>`}
    </div>
    <div class="search-by" role="group" aria-label=${say("How to look", "查找方式")}>
      <button type="button" aria-pressed=${by === "words" ? "true" : "false"} onClick=${() => onChange({ by: undefined })}>${say("Words", "词语")}</button>
      <button
        type="button"
        aria-pressed=${by === "meaning" ? "true" : "false"}
        disabled=${!hasMeaning && by !== "meaning"}
        title=${hasMeaning ? say("Finds what is about it, in any language", "查找讲同一件事的作品，可跨语言") : say("Needs the embedding model: fetch it on the page Models", "需要向量模型：请在“模型”页获取")}
        onClick=${() => onChange({ by: "meaning" })}
      >
        ${say("Meaning", "语义")}
      </button>
    </div>
  </div>`;
}
