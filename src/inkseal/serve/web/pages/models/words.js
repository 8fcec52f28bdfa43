/** Facts of a model in words. */
import { html } from "../../core/html.js";
import { number, size } from "../../core/format.js";
import { language, say } from "../../core/language.js";
import { Tag } from "../../ui/tag.js";

const TASKS = {
  embed: ["meaning", "语义向量"],
  font: ["typeface", "字体"],
  picture_safety: ["check of pictures", "图片检查"],
  upscale: ["enlarging pictures", "图片放大"],
};
const MAKES = { text: ["text and code", "文本与代码"], image: ["pictures", "图片"] };

/** What a model is for. @param {{task: string, modality: string}} model */
export function taskWords({ task, modality }) {
  const [words, name] = task === "generate" ? [MAKES[modality], modality] : [TASKS[task], task];
  return say(...(words ?? [name, name]));
}

/** @param {string[]} tags such as zh, en */
export function languageWords(tags) {
  const names = new Intl.DisplayNames([language.value === "zh" ? "zh-CN" : "en"], { type: "language" });
  const words = tags.map((tag) => names.of(tag) ?? tag);
  if (words.length <= 3) return words.join(say(", ", "、"));
  return say(`${words.length} languages`, `${words.length} 种语言`);
}

/** @param {number | null} count */
export function parameterWords(count) {
  if (!count) return "";
  const billions = count / 1e9;
  if (language.value === "zh") return `${number(count / 1e8, { maximumFractionDigits: 1 })} 亿`;
  return billions >= 1 ? `${number(billions, { maximumFractionDigits: 1 })} B` : `${number(count / 1e6, { maximumFractionDigits: 0 })} M`;
}

/** How much memory a model takes, and how that is known. @param {any} model */
export function needWords(model) {
  const { bytes, known_by: by } = model.need;
  if (!bytes) return "";
  if (by === "engine") return say(`${size(bytes)} now`, `现占 ${size(bytes)}`);
  return by === "forecast" ? say(`about ${size(bytes)}, by its files`, `约 ${size(bytes)}，按文件预测`) : say(`about ${size(bytes)}, by its card`, `约 ${size(bytes)}，据模型卡`);
}

/** Whether it fits into memory, as a tag. @param {{model: any, models?: any[]}} props */
export function Fit({ model }) {
  const { fit, evicts, missing_bytes: missing } = model.need;
  switch (fit) {
    case "loaded":
      return html`<${Tag} kind="good" icon="check">${say("in memory", "已在内存")}<//>`;
    case "fits":
      return html`<${Tag}>${say("fits into memory", "内存足够")}<//>`;
    case "evicts":
      return html`<${Tag} kind="warn" title=${evicts.join(", ")}>${say(`would push out ${evicts.join(", ")}`, `将换出 ${evicts.join("、")}`)}<//>`;
    case "too_large":
      return html`<${Tag} kind="bad">${say(`${size(missing)} of memory missing`, `内存还差 ${size(missing)}`)}<//>`;
    default:
      return null;
  }
}

/** Speed as it was here. @param {{num_runs: number, tokens_per_second: number, first_token_seconds: number} | null} pace */
export function paceWords(pace) {
  if (!pace) return "";
  const rate = number(pace.tokens_per_second, { maximumFractionDigits: pace.tokens_per_second < 100 ? 1 : 0 });
  return say(
    `${rate} tokens/s, the median of ${pace.num_runs} ${pace.num_runs === 1 ? "answer" : "answers"}`,
    `${rate} 词元/秒（${pace.num_runs} 次回答的中位数）`,
  );
}

/** Where the files come from. @param {string} name */
export function sourceWords(name) {
  const known = {
    hub: ["model hub", "模型库"],
    folder: ["folder on this machine", "本机文件夹"],
    package_registry: ["Python package registry", "Python 软件源"],
    npm: ["npm registry", "npm 软件源"],
    debian: ["Debian archive", "Debian 软件源"],
    url: ["web address", "网址"],
    import: ["imported here", "本机导入"],
  }[name];
  return known ? say(...known) : name;
}
