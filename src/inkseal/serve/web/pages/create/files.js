/** Reads the text files that somebody attaches. What is no text, or too much of it, is refused by name. */
import { textOf } from "../../core/text_file.js";

const MAX_BYTES = 1_000_000;
const TEXT_TYPE = /^(text\/|application\/(json|xml|x-yaml|yaml|toml|javascript|sql|csv))/;
const TEXT_NAME = /\.(txt|md|markdown|csv|tsv|json|jsonl|ya?ml|toml|ini|xml|html?|css|js|mjs|ts|tsx|jsx|py|rb|go|rs|java|kt|c|h|cc|cpp|cs|sh|sql|r|tex|log|srt|vtt)$/i;

/** True when a file can be read as text. @param {File} file */
export const isText = (file) => TEXT_TYPE.test(file.type) || TEXT_NAME.test(file.name);

/**
 * @param {File[]} files
 * @returns {Promise<{read: {name: string, text: string}[], refused: string[]}>}
 */
export async function readFiles(files) {
  const read = [];
  const refused = [];
  for (const file of files) {
    const text = isText(file) && file.size <= MAX_BYTES ? await textOf(file) : null;
    if (text === null) refused.push(file.name);
    else read.push({ name: file.name, text });
  }
  return { read, refused };
}
