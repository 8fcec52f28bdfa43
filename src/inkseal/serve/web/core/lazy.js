/** Components whose file is fetched when they are first drawn. */
import { html, useEffect, useState } from "./html.js";
import { Waiting, Failure } from "../ui/states.js";

/**
 * Returns a component that stands for one of another file: `lazy(() => import("./chart.js"), "Chart")`.
 * @param {() => Promise<Record<string, any>>} load
 * @param {string} name
 */
export function lazy(load, name) {
  let found = null;
  return function Lazy(props) {
    const [error, setError] = useState(null);
    const [, drawn] = useState(0);
    useEffect(() => {
      if (found) return;
      load().then((module) => {
        found = module[name];
        drawn(1);
      }, setError);
    }, []);
    if (error) return html`<${Failure} error=${error} />`;
    return found ? html`<${found} ...${props} />` : html`<${Waiting} />`;
  };
}
