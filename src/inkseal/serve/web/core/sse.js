/** Server-sent events read from any stream of bytes, so that they can be asked for with a body and headers. */

/** @typedef {{id: string, event: string, data: string}} Frame */

/**
 * Yields each event that has data; comments, which are signs of life, fall out.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Frame>}
 */
export async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let frame = fresh("");
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line) take(frame, line);
        else {
          if (frame.lines.length) yield { id: frame.id, event: frame.event, data: frame.lines.join("\n") };
          frame = fresh(frame.id);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

const fresh = (id) => ({ id, event: "message", lines: /** @type {string[]} */ ([]) });

function take(frame, line) {
  const colon = line.indexOf(":");
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (field === "data") frame.lines.push(value);
  else if (field === "event") frame.event = value;
  else if (field === "id") frame.id = value;
}
