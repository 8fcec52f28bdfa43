/** Text files that somebody chooses, as text. */

/** UTF-8, else the older code of Chinese files; null for what is neither. @param {Blob} file @returns {Promise<string | null>} */
export async function textOf(file) {
  const bytes = await file.arrayBuffer();
  for (const code of ["utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(code, { fatal: true }).decode(bytes);
      return text.includes("\0") ? null : text;
    } catch {
      continue;
    }
  }
  return null;
}
