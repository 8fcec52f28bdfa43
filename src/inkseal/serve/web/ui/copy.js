/** Copies a text to the clipboard and says so. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { Button } from "./button.js";
import { toast } from "./toast.js";

/** @param {{text: string | (() => string), label?: string, small?: boolean}} props */
export function Copy({ text, label, small = true }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    } catch {
      toast(say("The browser does not allow copying here.", "浏览器不允许在此复制。"), { kind: "bad" });
    }
  };
  const name = isDone ? say("Copied", "已复制") : (label ?? say("Copy", "复制"));
  return html`<${Button} kind="quiet" small=${small} icon=${isDone ? "check" : "copy"} label=${name} onClick=${copy} />`;
}
