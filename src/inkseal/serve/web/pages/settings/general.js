/** What this browser shows, and what the installation may use up. */
import { html } from "../../core/html.js";
import { chosenLanguage, say } from "../../core/language.js";
import { may } from "../../core/session.js";
import { theme } from "../../core/theme.js";
import { ChoiceField, NumberField } from "../../ui/field.js";
import { Panel } from "../../ui/panel.js";
import { Change } from "./change.js";

const GB = 1e9;

export const General = () => html`<${Browser} />${may("admin") && html`<${Installation} />`}`;

/** Kept in this browser only. */
const Browser = () => html`<${Panel} title=${say("This browser", "此浏览器")} words=${say("Kept here, for you alone.", "仅保存在此浏览器，只影响您自己。")}>
  <div class="form">
    <${ChoiceField}
      label=${say("Language", "语言")}
      value=${chosenLanguage.value ?? undefined}
      onChange=${(value) => (chosenLanguage.value = value ?? null)}
      empty=${say("As the server has it", "与服务器一致")}
      choices=${[{ value: "en", title: "English" }, { value: "zh", title: "中文" }]}
    />
    <${ChoiceField}
      label=${say("Theme", "主题")}
      value=${theme.value}
      onChange=${(value) => (theme.value = value)}
      choices=${[
        { value: "system", title: say("As the system", "跟随系统") },
        { value: "light", title: say("Light", "浅色") },
        { value: "dark", title: say("Dark", "深色") },
      ]}
    />
  </div>
<//>`;

/** Holds for everybody. */
const Installation = () => html`<${Panel}
  title=${say("This installation", "本服务")}
  words=${say("For everybody. Where files are and which addresses answer is set on the machine.", "对所有人生效。文件位置与监听地址须在服务器本机设置。")}
>
  <${Change} only=${["language", "memory_budget_bytes", "threads", "offline"]} controls=${{ memory_budget_bytes: Gigabytes, language: ServerLanguage }} />
<//>`;

/** For programs and for browsers that have chosen none. */
const ServerLanguage = ({ field, value, onChange, error }) => html`<${ChoiceField}
  label=${say("Language of the server", "服务器的语言")}
  help=${say("For programs, and for browsers that have chosen none", "用于程序，以及未选择语言的浏览器")}
  error=${error}
  value=${value}
  onChange=${onChange}
  empty=${say("As the machine has it", "与系统一致")}
  choices=${field.choices}
/>`;

/** Bytes, asked for in gigabytes. */
const Gigabytes = ({ field, value, onChange, error }) => html`<${NumberField}
  label=${field.label}
  help=${field.help}
  error=${error}
  unit="GB"
  min=${0.1}
  step=${0.1}
  value=${value === undefined ? undefined : Math.round(value / (GB / 10)) / 10}
  onChange=${(given) => onChange(given === undefined ? undefined : Math.round(given * GB))}
/>`;
