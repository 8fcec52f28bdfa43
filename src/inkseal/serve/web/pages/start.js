/** Where one comes in. */
import { html } from "../core/html.js";
import { say } from "../core/language.js";
import { listed } from "../core/pages.js";
import { Head } from "../ui/panel.js";
import { Icon } from "../ui/icon.js";
import { sayWords } from "../core/language.js";

const Start = () => html`<${Head}
    title=${say("What will you make?", "今天想创作什么？")}
    words=${say("Everything made here is checked, labelled, signed and can be traced.", "这里生成的一切都经过检查、标识与签名，来源可查。")}
  />
  <ul class="grid">
    ${listed.value.map((page) => html`<li key=${page.name}><a class="panel row" href=${`#/${page.name}`}><${Icon} name=${page.icon} />${sayWords(page.title)}</a></li>`)}
  </ul>`;

export const page = { name: "start", order: 0, icon: "seal", title: { en: "Start", zh: "开始" }, hidden: true, Page: Start };
