/** What checks, actions, origins and stages are called. */
import { say } from "../../core/language.js";
import { checkName } from "../../ui/words.js";

const TEXTS = {
  injection: ["Texts that try to take the model over. One layer, not a proof: a patient attack can pass.", "试图操控模型的文字。这只是一层防护，耐心的攻击仍可能通过。"],
  limits: ["Too much text, and characters that nobody types. Exact: there is nothing to estimate.", "过长的文字与无人会输入的字符。判断精确，无需估计。"],
  personal_data: [
    "Identity cards, mobile numbers, bank cards, e-mail addresses, passports. The figures are those of the kind it knows least.",
    "身份证、手机号、银行卡、邮箱、护照。所列为最弱一类的数据。",
  ],
  image_safety: [
    "Nudity and sex in pictures that were made; nothing of violence or hate. Without its model every picture is noted as not checked.",
    "检查生成图片中的裸露与色情，不识别暴力与仇恨。没有模型时，每张图片都标记为“未经检查”。",
  ],
  sensitive_terms: [
    "Words, not meaning: a paraphrase passes. Rules and test are of the same hand, which flatters; HarmBench, by others, does not.",
    "匹配词语而非含义：换个说法即可通过。规则与测试出自同一人手，数据偏乐观；HarmBench 出自他人。",
  ],
};

const ACTIONS = {
  allow: ["let pass", "放行"],
  flag: ["note", "标记"],
  redact: ["replace", "替换"],
  block: ["block", "拦截"],
};

const ORIGINS = {
  user: ["the user's own words", "用户自己的文字"],
  document: ["a document", "文档"],
  web: ["a web page", "网页"],
  tool: ["a tool's result", "工具结果"],
  system: ["the system prompt", "系统提示词"],
  assistant: ["an earlier answer", "先前的回答"],
};

const STAGES = { prompt: ["going in (prompt)", "输入（提示词）"], result: ["coming out (result)", "输出（结果）"] };

/** @param {string} name @returns {{title: string, text: string}} */
export const checkWords = (name) => ({ title: checkName(name), text: say(...(TEXTS[name] ?? ["", ""])) });

/** @param {string} action */
export const actionWords = (action) => say(...(ACTIONS[action] ?? [action, action]));

/** @param {"allow" | "flag" | "redact" | "block" | string} action */
export const actionKind = (action) => ({ allow: "good", flag: "warn", redact: "warn", block: "bad" })[action] ?? "plain";

export const actionChoices = () => Object.entries(ACTIONS).map(([value, words]) => ({ value, title: say(...words) }));
export const originChoices = () => Object.entries(ORIGINS).map(([value, words]) => ({ value, title: say(...words) }));
export const stageChoices = () => Object.entries(STAGES).map(([value, words]) => ({ value, title: say(...words) }));

/** Gives the fields of a schema that hold actions their words. @param {Record<string, any>} schema */
export function withActionWords(schema) {
  const titles = (at) => Object.fromEntries(Object.entries(ACTIONS).map(([name, words]) => [name, words[at]]));
  const properties = Object.entries(schema.properties).map(([name, part]) =>
    part.enum?.includes("redact") ? [name, { ...part, en_titles: titles(0), zh_titles: titles(1) }] : [name, part],
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}
