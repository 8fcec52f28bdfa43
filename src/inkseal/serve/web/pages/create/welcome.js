/** What stands where no conversation is yet: what this place is, and a few first words to take. */
import { html } from "../../core/html.js";
import { say } from "../../core/language.js";
import { SealMark } from "../../ui/seal.js";

const STARTS = [
  {
    title: { en: "Explain", zh: "讲解" },
    text: { en: "Explain in five sentences why the sky is blue, for a curious ten-year-old.", zh: "用五句话向一个好奇的十岁孩子解释天空为什么是蓝色的。" },
  },
  {
    title: { en: "Write", zh: "写作" },
    text: { en: "Write a short, warm product text for a hand-thrown tea cup.", zh: "为一只手工拉坯的茶杯写一段简短温暖的产品文案。" },
  },
  {
    title: { en: "Code", zh: "编程" },
    text: { en: "Write a Python function that finds the longest palindrome in a text, with two tests.", zh: "写一个 Python 函数，找出文本中最长的回文，并附两个测试。" },
  },
  {
    title: { en: "Plan", zh: "规划" },
    text: { en: "Plan a quiet weekend in an old town: a table with times, places and why.", zh: "规划一个古镇的安静周末：用表格列出时间、地点和理由。" },
  },
];

/** @param {{onStart: (text: string) => void}} props */
export const Welcome = ({ onStart }) => html`<div class="welcome">
  <${SealMark} size=${64} />
  <h1>${say("What shall we make?", "今天想创作什么？")}</h1>
  <p class="faint">${say("Each answer is checked, labelled and sealed. Its seal tells how it was made.", "每个回答都经过检查、标识与封印；点开封印即知来历。")}</p>
  <div class="welcome-starts">
    ${STARTS.map(
      ({ title, text }) => html`<button key=${title.en} type="button" class="welcome-start" onClick=${() => onStart(say(text.en, text.zh))}>
        <b>${say(title.en, title.zh)}</b><span>${say(text.en, text.zh)}</span>
      </button>`,
    )}
  </div>
</div>`;
