/** What a person chooses for this browser: language, theme, who they are. */
import { html } from "../core/html.js";
import { chosenLanguage, language, say } from "../core/language.js";
import { theme, turnTheme } from "../core/theme.js";
import { isLocal, session, signOut } from "../core/session.js";
import { Button } from "./button.js";
import { openHelp } from "./keys.js";
import { Menu } from "./menu.js";
import { toastError } from "./toast.js";

const ROLES = { admin: ["admin", "管理员"], creator: ["creator", "创作者"], viewer: ["viewer", "查看者"] };

/** Language, theme and person in a row. @param {{above?: boolean}} props */
export const Choices = ({ above = true }) => html`<div class="choices">
  <${LanguageSwitch} />
  <${ThemeSwitch} />
  <${Button} kind="quiet" icon="help" class="choices-help" label=${say("Keyboard shortcuts", "键盘快捷键")} onClick=${openHelp} />
  <${Person} above=${above} />
</div>`;

/** Says the other language in its own words, as its readers look for it. */
export const LanguageSwitch = () => html`<${Button}
  kind="quiet"
  icon="language"
  label=${language.value === "zh" ? "English" : "中文"}
  lang=${language.value === "zh" ? "en" : "zh-CN"}
  onClick=${() => (chosenLanguage.value = language.value === "zh" ? "en" : "zh")}
/>`;

export const ThemeSwitch = () => html`<${Button}
  kind="quiet"
  icon=${{ system: "contrast", light: "sun", dark: "moon" }[theme.value]}
  label=${{
    system: say("Theme: as the system", "主题：跟随系统"),
    light: say("Theme: light", "主题：浅色"),
    dark: say("Theme: dark", "主题：深色"),
  }[theme.value]}
  onClick=${turnTheme}
/>`;

function Person({ above }) {
  const who = session.value;
  if (!who || isLocal.value) return null;
  const role = say(...ROLES[who.role]);
  return html`<${Menu}
    above=${above}
    icon="user"
    label=${say(`${who.name}, ${role}`, `${who.name}，${role}`)}
    items=${[{ title: say(`Sign out ${who.name}`, `退出 ${who.name}`), icon: "leave", onChoose: () => signOut().catch(toastError) }]}
  />`;
}
