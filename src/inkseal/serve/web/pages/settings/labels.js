/** Which labels results carry. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Panel } from "../../ui/panel.js";
import { Note } from "../../ui/states.js";
import { Change } from "./change.js";

export const Labels = () => html`<${Panel}
    title=${say("Labels of results", "作品标识")}
    words=${say("What is made from now on carries them: visibly, in the file's own data, and in its signed record.", "此后生成的作品均带有标识：可见标识、文件内标识与签名记录。")}
  >
    <${Change} only=${["regime", "producer"]} />
  <//>
  <${Note} title=${say("What this is, and what it is not", "说明")}>
    <p>${say(
      "China: GB 45438-2025 and the labelling measures. European Union: article 50 of the AI Act. Inkseal helps you label; whether a use is lawful is for you to judge. What was made before keeps the labels it was made with.",
      "中国：GB 45438-2025 与标识办法。欧盟：《人工智能法案》第 50 条。墨印帮助您添加标识；用途是否合法须由您判断。此前的作品保留其生成时的标识。",
    )}</p>
  <//>`;
