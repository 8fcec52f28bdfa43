/** Models: what there is, what it takes, how fast it is here; fetched, loaded and removed by who may. */
import { lazy } from "../core/lazy.js";

export const page = {
  name: "models",
  order: 50,
  icon: "models",
  title: { en: "Models", zh: "模型" },
  layout: "wide",
  Page: lazy(() => import("./models/page.js"), "Models"),
};
