/** Some of the installation's settings as a form: what is changed holds at once, and is kept in settings.toml. */
import { html, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { say } from "../../core/language.js";
import { useLoad } from "../../core/load.js";
import { Button } from "../../ui/button.js";
import { errorsOf, Form } from "../../ui/form.js";
import { Failure, Note, Waiting } from "../../ui/states.js";
import { toast } from "../../ui/toast.js";

/** All settings with their schema. */
export const useSettings = () => useLoad((signal) => api.get("/api/v1/settings", { signal }));

/** @param {{only: string[], controls?: Record<string, any>}} props only: the settings, in this order */
export function Change({ only, controls }) {
  const { value: found, error, again } = useSettings();
  if (error) return html`<${Failure} error=${error} again=${again} />`;
  if (!found) return html`<${Waiting} />`;
  return html`<${Filled} key=${JSON.stringify(found.settings)} found=${found} only=${only} controls=${controls} onSaved=${again} />`;
}

function Filled({ found, only, controls, onSaved }) {
  const mine = found.settings.filter((setting) => only.includes(setting.name));
  const fixed = mine.filter((setting) => setting.source === "environment").map((setting) => setting.name);
  const before = Object.fromEntries(mine.filter((setting) => setting.source === "file").map((setting) => [setting.name, setting.value]));
  const [filled, setFilled] = useState(before);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const change = Object.fromEntries(
    only.filter((name) => !fixed.includes(name) && filled[name] !== before[name]).map((name) => [name, filled[name] ?? null]),
  );
  const isChanged = Object.keys(change).length > 0;
  const save = async (event) => {
    event.preventDefault();
    if (!isChanged || isBusy) return;
    setBusy(true);
    try {
      await api.patch("/api/v1/settings", change);
      toast(say("Saved; it holds from now on.", "已保存，立即生效。"), { kind: "good" });
      onSaved();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return html`<form class="stack" onSubmit=${save} novalidate>
    <${Form} schema=${found.change_schema} value=${filled} onChange=${(value) => (setFilled(value), setError(null))} only=${only} omit=${fixed} errors=${errorsOf(error)} controls=${controls} />
    ${fixed.map((name) => html`<${Note} key=${name}>${say(`INKSEAL_${name.toUpperCase()} sets this; change it there.`, `由环境变量 INKSEAL_${name.toUpperCase()} 设定，请在那里修改。`)}<//>`)}
    ${error && !error.param && html`<${Failure} error=${error} />`}
    <div class="row">
      <${Button} type="submit" kind=${isChanged ? "primary" : "plain"} busy=${isBusy} disabled=${!isChanged}>${say("Save", "保存")}<//>
      ${isChanged && html`<${Button} kind="quiet" onClick=${() => setFilled(before)}>${say("Discard", "放弃更改")}<//>`}
    </div>
  </form>`;
}
