/** Settings: this browser, the installation, labels, checks, keys, backups; each section has an address of its own. */
import { lazy } from "../core/lazy.js";

export const page = {
  name: "settings",
  order: 60,
  icon: "settings",
  title: { en: "Settings", zh: "设置" },
  Page: lazy(() => import("./settings/page.js"), "Settings"),
};
