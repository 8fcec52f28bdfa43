/** A quiz in a form: its questions to be read, and a place for each answer, instead of JSON and lines. */
import { html, useId } from "../../core/html.js";
import { say } from "../../core/language.js";
import { Button } from "../../ui/button.js";
import { TextField } from "../../ui/field.js";

const LETTERS = "ABCDEFGH";

/**
 * Returns the controls of a form that grades a quiz; none for other forms, or while no quiz is filled in.
 * @param {Record<string, any>} schema
 * @param {Record<string, any>} values
 */
export function quizControls(schema, values) {
  const [name] = Object.entries(schema.properties).find(([, part]) => part["x-field"] === "json" && part.properties?.questions) ?? [];
  const questions = name && values[name]?.questions;
  if (!Array.isArray(questions) || !questions.every((one) => typeof one?.question === "string")) return {};
  const answers = (props) => html`<${Answers} ...${props} questions=${questions} />`;
  return { [name]: Questions, ...(schema.properties.answers ? { answers } : {}) };
}

const Questions = ({ field, value, onChange }) => html`<div class="quiz-head">
  <span>${say(`${field.label}: ${value.questions.length} questions`, `${field.label}：共 ${value.questions.length} 题`)}</span>
  <${Button} small kind="quiet" icon="close" onClick=${() => onChange(undefined)}>${say("Another quiz", "换一份试题")}<//>
</div>`;

function Answers({ field, value, onChange, error, questions }) {
  const given = questions.map((_, index) => value?.[index] ?? "");
  const set = (index, text) => {
    const next = given.map((one, at) => (at === index ? text : one));
    // The places of the others must stay, and a list takes no empty text.
    onChange(next.some((one) => one && one !== "-") ? next.map((one) => one || "-") : undefined);
  };
  return html`<fieldset class="group quiz">
    <legend>${field.label}</legend>
    ${questions.map((one, index) => html`<${Question} key=${index} number=${index + 1} question=${one} value=${given[index] === "-" ? "" : given[index]} onChange=${(text) => set(index, text)} />`)}
    ${error && html`<p class="field-error" role="alert">${error}</p>`}
  </fieldset>`;
}

function Question({ number, question, value, onChange }) {
  const name = useId();
  const label = `${number}. ${question.question}`;
  if (!question.options?.length) return html`<${TextField} label=${label} value=${value} onChange=${onChange} />`;
  return html`<div class="quiz-question" role="radiogroup" aria-label=${label}>
    <p>${label}</p>
    ${question.options.map((option, index) => {
      const letter = LETTERS[index];
      return html`<label key=${index} class="quiz-option"
        ><input type="radio" name=${name} checked=${value === letter || value === option} onChange=${() => onChange(letter)} /><span>${letter}. ${option}</span></label
      >`;
    })}
  </div>`;
}
