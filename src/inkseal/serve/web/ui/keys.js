/** Help for the keyboard, and the list from which everything can be reached by writing its name. */
import { html, signal, useEffect, useId, useRef, useState } from "../core/html.js";
import { chosenLanguage, language, say, sayWords } from "../core/language.js";
import { listed } from "../core/pages.js";
import { go } from "../core/route.js";
import { isLocal, session, signOut } from "../core/session.js";
import { hasLetters, isMac, shortcuts, useShortcuts } from "../core/shortcuts.js";
import { turnTheme } from "../core/theme.js";
import { Dialog } from "./dialog.js";
import { SwitchField } from "./field.js";
import { Icon } from "./icon.js";
import { toastError } from "./toast.js";

const shown = signal(/** @type {"" | "help" | "palette"} */ (""));
const close = () => {
  shown.value = "";
};

/** Opens the help. */
export const openHelp = () => {
  shown.value = "help";
};

/** What the shell draws once: the keys that hold everywhere, and the windows they open. */
export function Keys() {
  const letters = new Map();
  for (const page of listed.value) {
    const letter = [...page.name].find((one) => !letters.has(one));
    if (letter) letters.set(letter, page);
  }
  const names = [...letters.values()].map((page) => page.name).join();
  useShortcuts(
    [
      { keys: "Mod+k", words: () => say("Go anywhere", "前往任意页面"), does: () => (shown.value = "palette") },
      { keys: "?", words: () => say("Show this help", "显示此帮助"), does: openHelp },
      { keys: "/", words: () => say("To the page's first text box", "跳到页面的第一个输入框"), does: toTextBox },
      ...[...letters].map(([letter, page]) => ({ keys: `g ${letter}`, words: () => sayWords(page.title), does: () => go(page.name) })),
    ],
    [names],
  );
  return html`${shown.value === "help" && html`<${Help} />`}${shown.value === "palette" && html`<${Palette} />`}`;
}

function toTextBox() {
  const found = document.querySelector('main :is(textarea, input[type="search"], input[type="text"]):not(:disabled, .unseen)');
  found?.focus();
  if (found?.type === "search") found.select();
}

const Help = () => html`<${Dialog} title=${say("Keyboard", "键盘快捷键")} onClose=${close}>
  <dl class="keys">
    ${shortcuts.value.map((one) => html`<div key=${one.keys}><dt>${one.words()}</dt><dd><${KeyNames} keys=${one.keys} /></dd></div>`)}
    <div><dt>${say("Close a window", "关闭窗口")}</dt><dd><kbd>Esc</kbd></dd></div>
  </dl>
  <${SwitchField}
    label=${say("Keys without Ctrl", "不含 Ctrl 的快捷键")}
    help=${say("Switch them off when your software for speech or typing presses letters by itself.", "如语音或输入软件会自行键入字母，请关闭。")}
    value=${hasLetters.value}
    onChange=${(is) => (hasLetters.value = is)}
  />
<//>`;

const KeyNames = ({ keys }) =>
  keys.split(/[ +]/).map((key, index) => html`${index > 0 && " "}<kbd>${key === "Mod" ? (isMac ? "⌘" : "Ctrl") : key.length === 1 && keys.includes("+") ? key.toUpperCase() : key}</kbd>`);

function entries() {
  const pages = listed.value.map((page) => ({ icon: page.icon, title: sayWords(page.title), also: `${page.name} ${page.title.en} ${page.title.zh}`, does: () => go(page.name) }));
  const other = language.value === "zh" ? "en" : "zh";
  return [
    ...pages,
    { icon: "language", title: other === "zh" ? "中文" : "English", also: "language 语言", does: () => (chosenLanguage.value = other) },
    { icon: "contrast", title: say("Change the theme", "切换主题"), also: "theme dark light 主题 深色 浅色", does: turnTheme },
    { icon: "help", title: say("Keyboard", "键盘快捷键"), also: "help shortcuts 帮助", does: openHelp },
    session.value && !isLocal.value && { icon: "leave", title: say("Sign out", "退出登录"), also: "sign out", does: () => signOut().catch(toastError) },
  ].filter(Boolean);
}

function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const wanted = text.trim().toLowerCase();
  const found = entries().filter((one) => `${one.title} ${one.also}`.toLowerCase().includes(wanted));
  const here = Math.min(at, found.length - 1);
  const choose = (one) => {
    close();
    one?.does();
  };
  const press = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((here + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter" && !event.isComposing) choose(found[here]);
    else return;
    event.preventDefault();
  };
  useEffect(() => box.current?.children[here]?.scrollIntoView({ block: "nearest" }), [here]);
  return html`<${Dialog} title=${say("Go anywhere", "前往")} onClose=${close}>
    <input
      class="input"
      autofocus
      role="combobox"
      aria-label=${say("Page or command", "页面或命令")}
      aria-expanded="true"
      aria-controls=${list}
      aria-activedescendant=${found.length ? `${list}-${here}` : undefined}
      placeholder=${say("Write a name", "输入名称")}
      value=${text}
      onInput=${(event) => (setText(event.target.value), setAt(0))}
      onKeyDown=${press}
    />
    <ul class="palette" id=${list} role="listbox" aria-label=${say("Pages and commands", "页面与命令")} ref=${box}>
      ${found.map(
        (one, index) => html`<li
          key=${one.also}
          id=${`${list}-${index}`}
          role="option"
          aria-selected=${String(index === here)}
          onClick=${() => choose(one)}
          onPointerMove=${() => index !== here && setAt(index)}
        >
          <${Icon} name=${one.icon} size=${18} /><span>${one.title}</span>
        </li>`,
      )}
    </ul>
    ${!found.length && html`<p class="faint" role="status">${say("Nothing is called so.", "没有匹配的内容。")}</p>`}
  <//>`;
}
