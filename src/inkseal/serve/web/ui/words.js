/** What checks and file formats are called. */
import { say } from "../core/language.js";

const CHECKS = {
  limits: ["Length and shape", "长度与格式"],
  injection: ["Prompt injection", "提示注入"],
  personal_data: ["Personal data", "个人信息"],
  sensitive_terms: ["Sensitive terms", "敏感词"],
  image_safety: ["Pictures", "图片安全"],
};
const FORMATS = { markdown: "Markdown", txt: "TXT", html: "HTML", pdf: "PDF", png: "PNG", jpeg: "JPEG", webp: "WebP" };

/** @param {string} check */
export const checkName = (check) => (CHECKS[check] ? say(...CHECKS[check]) : check);

/** @param {string} format */
export const formatName = (format) => FORMATS[format] ?? format;
