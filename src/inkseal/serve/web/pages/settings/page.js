/** Settings: this browser, the installation, labels, checks, keys, audit log, backups; each section has an address of its own. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { replace } from "../../core/route.js";
import { may } from "../../core/session.js";
import { Head } from "../../ui/panel.js";
import { Tabs } from "../../ui/tabs.js";
import { Audit } from "./audit.js";
import { Backup } from "./backup.js";
import { General } from "./general.js";
import { GuardSection } from "./guard.js";
import { Keys, MadeKey } from "./keys.js";
import { Labels } from "./labels.js";

const SECTIONS = {
  general: { title: ["General", "通用"], Section: General },
  labels: { title: ["Labels", "标识"], role: "admin", Section: Labels },
  guard: { title: ["Checks", "检查"], Section: GuardSection },
  keys: { title: ["Keys", "密钥"], role: "admin", Section: Keys },
  audit: { title: ["Audit log", "审计日志"], role: "admin", Section: Audit },
  backup: { title: ["Backup", "备份"], role: "admin", Section: Backup },
};

/** @param {{steps: string[]}} props */
export function Settings({ steps }) {
  const open = Object.entries(SECTIONS).filter(([, section]) => may(section.role));
  const chosen = open.some(([name]) => name === steps[0]) ? steps[0] : "general";
  const { Section } = SECTIONS[chosen];
  return html`<${Head} title=${say("Settings", "设置")} />
    <${Tabs}
      label=${say("Sections", "分类")}
      tabs=${open.map(([name, section]) => ({ name, title: say(...section.title) }))}
      chosen=${chosen}
      onChoose=${(name) => replace("settings", [name])}
    >
      <div class="stack" key=${chosen}><${Section} steps=${steps.slice(1)} /></div>
    <//>
    <${MadeKey} />`;
}
