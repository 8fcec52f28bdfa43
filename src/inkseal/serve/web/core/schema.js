/** Reads a JSON schema as pydantic writes it into the fields of a form. Knows nothing of how they are drawn. */
import { language } from "./language.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {"text" | "long" | "integer" | "number" | "switch" | "choice" | "list" | "group" | "json"} kind
 * @property {string} label
 * @property {string} help
 * @property {string} unit
 * @property {unknown} default
 * @property {boolean} required
 * @property {boolean} nullable
 * @property {number | undefined} min
 * @property {number | undefined} max
 * @property {number | undefined} maxLength
 * @property {{value: unknown, title: string}[]} choices
 * @property {Field[]} fields of a group
 * @property {Record<string, any>} schema
 */

const UNITS = { seconds: ["s", "秒"], bytes: ["B", "字节"], px: ["px", "像素"], hz: ["Hz", "赫兹"], joules: ["J", "焦"], percent: ["%", "%"], tokens: ["", ""] };
const LONG_CHARS = 400;

/**
 * Returns the fields of an object's schema, in its order.
 * @param {Record<string, any>} schema
 * @param {Record<string, any>} [root] where `$ref` leads; the schema itself when absent
 * @returns {Field[]}
 */
export function fieldsOf(schema, root = schema) {
  const whole = resolve(schema, root);
  const required = new Set(whole.required ?? []);
  return Object.entries(whole.properties ?? {})
    .filter(([, part]) => part.const === undefined || part.default === undefined)
    .map(([name, part]) => field(name, resolve(part, root), required.has(name), root));
}

/** Returns an object's schema in which fields that are open to any word offer what a model knows. */
export function narrowed(schema, choices = {}) {
  const offered = Object.entries(choices).filter(([name]) => schema.properties?.[name]);
  const parts = offered.map(([name, values]) => [name, { ...schema.properties[name], enum: values, default: undefined }]);
  return { ...schema, properties: { ...schema.properties, ...Object.fromEntries(parts) } };
}

/** Returns a schema with its references followed and `X or null` taken apart. */
export function resolve(schema, root) {
  let found = schema;
  for (let depth = 0; found.$ref && depth < 20; depth += 1) {
    const { $ref, ...beside } = found;
    found = { ...at(root, $ref), ...beside };
  }
  const options = found.anyOf ?? found.oneOf;
  if (!options && found.allOf?.length === 1) return resolve({ ...found, allOf: undefined, ...found.allOf[0] }, root);
  if (!options) return found;
  const solid = options.filter((option) => option.type !== "null");
  const nullable = solid.length < options.length;
  if (solid.length !== 1) return { ...found, nullable };
  const { anyOf, oneOf, ...beside } = found;
  return { ...resolve(solid[0], root), ...beside, nullable };
}

const at = (root, pointer) =>
  pointer
    .replace(/^#\//, "")
    .split("/")
    .reduce((found, step) => found?.[step.replace(/~1/g, "/").replace(/~0/g, "~")], root) ?? {};

function field(name, schema, required, root) {
  const kind = kindOf(schema, root);
  return {
    name,
    kind,
    ...words(name, schema),
    default: schema.default,
    required,
    nullable: !!schema.nullable,
    min: schema.minimum ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.exclusiveMaximum,
    maxLength: schema.maxLength,
    choices: choicesOf(schema),
    fields: kind === "group" ? fieldsOf(schema, root) : [],
    schema,
  };
}

function kindOf(schema, root) {
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "integer" || schema.type === "number") return schema.type;
  if (schema.type === "string") return schema.format === "long" || schema.maxLength > LONG_CHARS ? "long" : "text";
  if (schema.type === "array") return resolve(schema.items ?? {}, root).type === "string" ? "list" : "json";
  if (schema.type === "object" && schema.properties) return "group";
  return "json";
}

function choicesOf(schema) {
  const isZh = language.value === "zh";
  const titles = (isZh ? schema.zh_titles : schema.en_titles) ?? {};
  return (schema.enum ?? []).map((value) => ({ value, title: titles[value] ?? String(value) }));
}

/** A label, a help and a unit. Chinese: `zh_title`, else the first clause of `zh`. English: the title. */
function words(name, schema) {
  const isZh = language.value === "zh";
  const [bare, unit] = unitOf(name, isZh);
  const zh = schema.zh ?? "";
  const clause = /^([^：；，。（]{1,14})[：；，。（]?/.exec(zh)?.[1] ?? "";
  const en = title(schema, name) ?? spoken(bare);
  const label = isZh ? (schema.zh_title ?? (clause || en)) : en;
  const help = isZh ? zh.replace(/。$/, "") : (schema.description ?? "").replace(/\.$/, "");
  return { label, help: help === label ? "" : help, unit };
}

/** The title that somebody wrote; pydantic makes one of the name where there is none. */
function title(schema, name) {
  const made = name.split("_").map((word) => word[0]?.toUpperCase() + word.slice(1)).join(" ");
  return schema.title && schema.title !== made && !schema.properties ? schema.title : undefined;
}

function unitOf(name, isZh) {
  const cut = name.lastIndexOf("_");
  const unit = UNITS[name.slice(cut + 1)];
  if (cut < 1 || !unit?.[0]) return [name, ""];
  return [name.slice(0, cut), unit[isZh ? 1 : 0]];
}

const spoken = (name) => {
  const text = name.replaceAll("_", " ").trim();
  return text[0]?.toUpperCase() + text.slice(1);
};
