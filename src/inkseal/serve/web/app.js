/** Starts the studio: who is asking, which pages there are, then draws. */
import { html, render } from "./core/html.js";
import "./core/theme.js";
import { fetchPage, firstPage } from "./core/pages.js";
import { recall } from "./core/session.js";
import { Shell } from "./ui/shell.js";

addEventListener("unhandledrejection", (event) => {
  // A call that was broken off on purpose is no fault.
  if (event.reason?.name === "AbortError") event.preventDefault();
});

const root = document.getElementById("app");
await Promise.all([recall(), fetchPage(firstPage())]);
root.replaceChildren();
render(html`<${Shell} />`, root);
performance.mark("inkseal-drawn");
