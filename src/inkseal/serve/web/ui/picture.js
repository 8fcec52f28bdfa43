/** A picture that was made, straight from its artifact: shown as an image and as nothing else, whatever its bytes are. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { Note } from "./states.js";

/**
 * @param {object} props
 * @param {string} props.id the artifact's
 * @param {string} [props.title] what it was asked for with
 * @param {boolean} [props.small] a thumbnail
 */
export function Picture({ id, title, small }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return html`<${Note} kind="warn">${say("The picture cannot be shown.", "无法显示图片。")}<//>`;
  return html`<img
    class=${small ? "picture picture-small" : "picture"}
    src=${`/api/v1/artifacts/${id}/content`}
    alt=${title || say("A picture made by a model", "由模型生成的图片")}
    loading="lazy"
    decoding="async"
    draggable=${false}
    onError=${() => setBroken(true)}
  />`;
}

/** True for an artifact, or an item of a list, that is a picture and still there. @param {{media_type?: string} | null | undefined} item */
export const isPicture = (item) => !!item?.media_type?.startsWith("image/");
