/** Fields of forms: a label, the control, what it is for, and what is off. Each is driven by `value` and `onChange`. */
import { classes, html, useEffect, useId, useRef, useState } from "../core/html.js";
import { say } from "../core/language.js";

/**
 * The frame of a field. `control` gets what it must be given: id, aria-describedby, aria-invalid, required.
 * @param {object} props
 * @param {string} props.label
 * @param {string} [props.help]
 * @param {string} [props.error]
 * @param {boolean} [props.required]
 * @param {boolean} [props.inline] the label stands beside the control
 * @param {unknown} [props.aside] at the right end of the label: a value, a unit
 * @param {(given: Record<string, unknown>) => unknown} props.control
 */
export function Field({ label, help, error, required, inline, aside, control }) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const given = { id, "aria-describedby": described, "aria-invalid": error ? "true" : undefined, required };
  return html`<div class=${classes("field", inline && "field-inline", error && "field-off")}>
    <div class="field-label">
      <label for=${id}>${label}</label>
      ${aside && html`<span class="faint">${aside}</span>`}
    </div>
    ${control(given)}
    ${help && html`<p class="field-help" id=${`${id}-help`}>${help}</p>`}
    ${error && html`<p class="field-error" id=${`${id}-error`} role="alert">${error}</p>`}
  </div>`;
}

/** One line of text. @param {any} props label, help, error, value, onChange, and what an input takes */
export const TextField = ({ label, help, error, required, aside, value, onChange, type = "text", ...rest }) => html`<${Field}
  ...${{ label, help, error, required, aside }}
  control=${(given) =>
    html`<input class="input" type=${type} value=${value ?? ""} onInput=${(event) => onChange(event.target.value)} ...${rest} ...${given} />`}
/>`;

/** Several lines; grows with what is written. @param {any} props as TextField; rows: the least */
export const LongField = ({ label, help, error, required, aside, value, onChange, rows = 3, ...rest }) => html`<${Field}
  ...${{ label, help, error, required, aside }}
  control=${(given) => html`<${Growing} value=${value ?? ""} onChange=${onChange} rows=${rows} ...${rest} ...${given} />`}
/>`;

/** A text area as high as its text. @param {any} props value, onChange, and what a textarea takes; inputRef: its ref */
export function Growing({ value, onChange, inputRef, class: more, ...rest }) {
  const own = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const box = inputRef ?? own;
  useEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight + 2}px`;
  }, [value]);
  return html`<textarea ref=${box} class=${classes("input", "input-growing", more)} value=${value} onInput=${(event) => onChange(event.target.value)} ...${rest} />`;
}

/**
 * A number; a slider beside the box where both ends are known and near.
 * @param {any} props as TextField; min, max, step, unit, isInteger; onChange gets undefined for an empty box
 */
export function NumberField({ label, help, error, required, value, onChange, min, max, step, unit, isInteger, placeholder }) {
  const [typed, setTyped] = useState("");
  const hasSlider = min !== undefined && max !== undefined && max - min <= 100;
  const fine = step ?? (isInteger ? 1 : hasSlider && max - min <= 5 ? 0.01 : "any");
  const take = (event) => {
    const text = event.target.value;
    const read = Number(text);
    setTyped(text);
    onChange(text === "" || Number.isNaN(read) ? undefined : read);
  };
  // "0.0" is on its way to "0.05": it stays as it was typed while it means the same number.
  const shown = typed !== "" && Number(typed) === value ? typed : (value ?? "");
  const box = (given) => html`<span class="number-box"
    ><input class="input" type="number" inputmode=${isInteger ? "numeric" : "decimal"} min=${min} max=${max} step=${fine} value=${shown}
      placeholder=${placeholder} onInput=${take} ...${given} />${unit && html`<span class="unit faint">${unit}</span>`}</span>`;
  return html`<${Field}
    ...${{ label, help, error, required }}
    control=${(given) =>
      hasSlider
        ? html`<div class="slider-row">
            <input class="slider" type="range" min=${min} max=${max} step=${fine === "any" ? 0.01 : fine} value=${value ?? placeholder ?? min}
              aria-label=${label} onInput=${take} />
            ${box(given)}
          </div>`
        : box(given)}
  />`;
}

/** One of several. @param {any} props as TextField; choices: {value, title}[]; empty: words for none */
export const ChoiceField = ({ label, help, error, required, aside, value, onChange, choices, empty, ...rest }) => html`<${Field}
  ...${{ label, help, error, required, aside }}
  control=${(given) => html`<${Select} value=${value} onChange=${onChange} choices=${choices} empty=${empty} ...${rest} ...${given} />`}
/>`;

/** The bare list of choices. @param {any} props value, onChange, choices, empty */
export function Select({ value, onChange, choices, empty, ...rest }) {
  const at = choices.findIndex((choice) => choice.value === value);
  return html`<select class="input select" value=${at < 0 ? "" : String(at)}
    onChange=${(event) => onChange(event.target.value === "" ? undefined : choices[Number(event.target.value)].value)} ...${rest}>
    ${(empty !== undefined || at < 0) && html`<option value="" selected=${at < 0}>${empty ?? "—"}</option>`}
    ${choices.map((choice, index) => html`<option key=${index} value=${String(index)} selected=${index === at}>${choice.title}</option>`)}
  </select>`;
}

/** On or off. @param {any} props label, help, value, onChange */
export const SwitchField = ({ label, help, error, value, onChange }) => html`<${Field}
  inline
  ...${{ label, help, error }}
  control=${({ required, ...given }) =>
    html`<input class="switch" type="checkbox" role="switch" checked=${!!value} onChange=${(event) => onChange(event.target.checked)} ...${given} />`}
/>`;

const filledLines = (text) => text.split("\n").filter(Boolean);

/** Several short texts, one a line. @param {any} props as TextField; value: string[] */
export function ListField({ label, help, error, required, value, onChange, placeholder }) {
  const [typed, setTyped] = useState("");
  const given = (value ?? []).join("\n");
  const take = (text) => {
    setTyped(text);
    const lines = filledLines(text);
    onChange(lines.length ? lines : undefined);
  };
  // An empty line is no text of the list, yet it stays in the box: the next one is written there.
  return html`<${LongField}
    ...${{ label, error, required, placeholder }}
    help=${[help, say("One a line", "每行一个")].filter(Boolean).join(" · ")}
    rows=${2}
    value=${filledLines(typed).join("\n") === given ? typed : given}
    onChange=${take}
  />`;
}
