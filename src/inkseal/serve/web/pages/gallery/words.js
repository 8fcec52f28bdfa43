/** What values of filters are called. */
import { say } from "../../core/language.js";

const MODALITIES = {
  text: () => say("Text", "文本"),
  image: () => say("Images", "图像"),
  audio: () => say("Sound", "声音"),
  video: () => say("Video", "视频"),
  mesh: () => say("3D", "三维"),
};
const ICONS = { text: "book", image: "spark", audio: "play", video: "play", mesh: "models" };
const VERDICTS = {
  allow: () => say("Passed every check", "通过所有检查"),
  flag: () => say("Noted by a check", "检查有提示"),
  redact: () => say("Something was covered up", "有内容被遮盖"),
  block: () => say("Blocked", "被拦截"),
};
const REGIMES = {
  none: () => say("No label", "无标识"),
  cn: () => say("China: GB 45438", "中国 GB 45438"),
  eu: () => say("EU: AI Act", "欧盟《AI 法案》"),
  both: () => say("China and EU", "中国与欧盟"),
};
const STATES = {
  active: () => say("Kept", "现存"),
  withdrawn: () => say("Withdrawn", "已撤回"),
  deleted: () => say("Deleted", "已删除"),
};

const named = (table) => (value) => table[value]?.() ?? value;
export const modalityName = named(MODALITIES);
export const verdictName = named(VERDICTS);
export const regimeName = named(REGIMES);
export const stateName = named(STATES);
/** @param {string} modality */
export const modalityIcon = (modality) => ICONS[modality] ?? "file";

/** Returns what an artifact is called where it has no words to be called by. @param {import("./types.js").Item} item */
export const titleOf = (item) =>
  item.title ||
  { withdrawn: say("Withdrawn by a check", "被检查撤回"), deleted: say("Deleted", "已删除") }[item.state] ||
  say("Without a title", "无标题");
