/** What a check shall do, as a form from its config's schema. */
import { html, useState } from "../../core/html.js";
import * as api from "../../core/api.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { Drawer } from "../../ui/dialog.js";
import { Form } from "../../ui/form.js";
import { Failure, Note } from "../../ui/states.js";
import { toast } from "../../ui/toast.js";
import { ChoiceField } from "../../ui/field.js";
import { sayWords } from "../../core/language.js";
import { actionChoices, checkWords, withActionWords } from "./guard_words.js";

/** @param {{check: any, onClose: () => void, onSaved: () => void}} props check: of the settings */
export function CheckDialog({ check, onClose, onSaved }) {
  const [filled, setFilled] = useState(check.changed);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const fixed = Object.entries(check.config_schema.properties).filter(([, part]) => isForTheFile(part)).map(([name]) => name);
  const keyed = Object.entries(check.config_schema.properties).filter(([, part]) => part.keys).map(([name]) => [name, ByKey]);
  const save = async (values) => {
    setBusy(true);
    try {
      await api.put(`/api/v1/settings/checks/${check.name}`, values);
      toast(say("Saved; it holds from the next request on.", "已保存，自下一个请求起生效。"), { kind: "good" });
      onSaved();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  const { title, text } = checkWords(check.name);
  return html`<${Drawer}
    keeps
    title=${say(`Policy: ${title}`, `策略：${title}`)}
    onClose=${onClose}
    does=${html`<${Button} kind="quiet" onClick=${() => save({})} disabled=${!Object.keys(check.changed).length}>${say("Back to the defaults", "恢复默认")}<//>
      <${Button} kind="primary" busy=${isBusy} onClick=${() => save(filled)}>${say("Save", "保存")}<//>`}
  >
    <p class="faint">${text}</p>
    <${Form} schema=${withActionWords(check.config_schema)} value=${filled} onChange=${(value) => (setFilled(value), setError(null))} omit=${fixed} controls=${Object.fromEntries(keyed)} />
    ${error && html`<${Failure} error=${error} />`}
    ${fixed.length > 0 && html`<${Note}>${say(`Written in settings.toml on the machine, and kept as they are: ${fixed.join(", ")}.`, `以下内容写在服务器的 settings.toml 中，保持不变：${fixed.join("、")}。`)}<//>`}
  <//>`;
}

/** Files of the server, and rules with parts of their own, are no matter of a form. */
const isForTheFile = (part) => part.readOnly || !!part.$ref || !!part.allOf;

/** An action for each of the names that the schema lists. */
const ByKey = ({ field, value, onChange }) => html`<fieldset class="group">
  <legend>${field.label}</legend>
  ${Object.entries(field.schema.keys).map(
    ([key, words]) => html`<${ChoiceField}
      key=${key}
      label=${sayWords(words)}
      value=${value?.[key]}
      empty=${say("as its rules say", "按规则")}
      choices=${actionChoices()}
      onChange=${(given) => {
        const { [key]: _, ...others } = value ?? {};
        const whole = given === undefined ? others : { ...others, [key]: given };
        onChange(Object.keys(whole).length ? whole : undefined);
      }}
    />`,
  )}
</fieldset>`;
