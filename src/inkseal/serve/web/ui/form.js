/** A form drawn from a JSON schema, so that a new option needs no new page. Its value is an object of what was filled in. */
import { html, useState } from "../core/html.js";
import { say } from "../core/language.js";
import { fieldsOf } from "../core/schema.js";
import { ChoiceField, ListField, LongField, NumberField, SwitchField, TextField } from "./field.js";

/**
 * @param {object} props
 * @param {Record<string, any>} props.schema of an object
 * @param {Record<string, any>} props.value what was filled in; what is absent keeps its default
 * @param {(value: Record<string, any>) => void} props.onChange
 * @param {string[]} [props.omit] fields that are not drawn
 * @param {string[]} [props.only] the fields that are drawn, in this order
 * @param {Record<string, string>} [props.errors] by the field's path, as `sampling.top_p`
 * @param {Record<string, string>} [props.labels] better words by the field's path
 * @param {Record<string, any>} [props.controls] a component of one's own by the field's path; gets {field, value, onChange, error}
 */
export function Form({ schema, value, onChange, omit = [], only, errors = {}, labels = {}, controls = {} }) {
  return html`<div class="form">${draw({ fields: chosen(fieldsOf(schema), only, omit), value, onChange, errors, labels, controls, omit, path: "" })}</div>`;
}

/** Returns the errors of a form from the server's answer. @param {{param?: string | null, message: string}} error */
export const errorsOf = (error) => (error?.param ? { [error.param]: error.message } : {});

const chosen = (fields, only, omit) =>
  (only ? only.map((name) => fields.find((field) => field.name === name)).filter(Boolean) : fields).filter((field) => !omit.includes(field.name));

function draw({ fields, value, onChange, errors, labels, controls, omit, path }) {
  return fields
    .filter((field) => !omit.includes(path + field.name))
    .map((field) => {
      const where = path + field.name;
      const set = (part) => {
        const { [field.name]: _, ...others } = value ?? {};
        onChange(part === undefined ? others : { ...others, [field.name]: part });
      };
      const label = labels[where] ?? field.label;
      const own = controls[where];
      const given = { field: { ...field, label }, value: value?.[field.name], onChange: set, error: errors[where] };
      if (own) return html`<${own} key=${where} ...${given} />`;
      if (field.kind === "group") return html`<${Group} key=${where} ...${given} ...${{ errors, labels, controls, omit }} path=${`${where}.`} />`;
      return html`<${Control} key=${where} ...${given} />`;
    });
}

function Group({ field, value, onChange, errors, labels, controls, omit, path }) {
  return html`<fieldset class="group">
    <legend>${field.label}</legend>
    ${field.help && html`<p class="field-help">${field.help}</p>`}
    ${draw({
      fields: field.fields,
      value,
      onChange: (whole) => onChange(Object.keys(whole).length ? whole : undefined),
      errors,
      labels,
      controls,
      omit,
      path,
    })}
  </fieldset>`;
}

/** One field of any kind but a group. @param {{field: import("../core/schema.js").Field, value: any, onChange: (value: any) => void, error?: string}} props */
export function Control({ field, value, onChange, error }) {
  const { label, help, required, min, max, unit, maxLength } = field;
  const shown = value ?? (field.kind === "switch" || field.kind === "choice" ? field.default : undefined);
  const common = { label, help, error, required, value: shown, onChange };
  const hint = field.default === null || field.default === undefined || typeof field.default === "object" ? undefined : String(field.default);
  switch (field.kind) {
    case "choice": {
      const none = field.nullable || (field.default === undefined && !required);
      return html`<${ChoiceField} ...${common} choices=${field.choices} empty=${none ? say("As the server has it", "按服务器默认") : undefined} />`;
    }
    case "switch":
      return html`<${SwitchField} ...${common} />`;
    case "integer":
    case "number":
      return html`<${NumberField} ...${common} isInteger=${field.kind === "integer"} ...${{ min, max, unit }} placeholder=${hint} />`;
    case "list":
      return html`<${ListField} ...${common} />`;
    case "long":
      return html`<${LongField} ...${common} onChange=${orNothing(onChange)} maxLength=${maxLength} placeholder=${hint} />`;
    case "json":
      return html`<${JsonField} ...${common} />`;
    default:
      return html`<${TextField} ...${common} onChange=${orNothing(onChange)} maxLength=${maxLength} placeholder=${hint} />`;
  }
}

const orNothing = (onChange) => (text) => onChange(text === "" ? undefined : text);

/** Any JSON value, written as such. */
function JsonField({ label, help, error, required, value, onChange }) {
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState("");
  const take = (given) => {
    setText(given);
    if (!given.trim()) {
      setWrong("");
      return onChange(undefined);
    }
    try {
      onChange(JSON.parse(given));
      setWrong("");
    } catch {
      setWrong(say("This is not JSON yet.", "还不是有效的 JSON。"));
    }
  };
  return html`<${LongField} ...${{ label, help, required }} class="mono" spellcheck=${false} error=${wrong || error} value=${text} onChange=${take} />`;
}
