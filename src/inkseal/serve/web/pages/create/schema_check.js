/**
 * Says what is off with a JSON schema, and what of an answer does not fit one. Knows the common keywords; the server's
 * engine holds an answer to all of them while it is written.
 */
import { say } from "../../core/language.js";

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const MAX_FAULTS = 20;

/** Returns what is wrong with a schema's text: nothing, or words. @param {string} text */
export function schemaFault(text) {
  let schema;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    return say(`This is no JSON: ${error.message}.`, `不是有效的 JSON：${error.message}。`);
  }
  if (schema === null || typeof schema !== "object" || Array.isArray(schema)) return say("A schema is an object.", "模式须为对象。");
  return oddType(schema, 0);
}

function oddType(schema, depth) {
  if (depth > 30 || schema === null || typeof schema !== "object") return "";
  const types = [schema.type ?? []].flat();
  const odd = types.find((type) => typeof type === "string" && !TYPES.includes(type));
  if (odd) return say(`There is no type "${odd}".`, `没有类型“${odd}”。`);
  const inner = [...Object.values(schema.properties ?? {}), schema.items ?? {}];
  return inner.map((one) => oddType(one, depth + 1)).find(Boolean) ?? "";
}

/** Returns where a value does not fit a schema, in words. @param {unknown} value @param {any} schema @returns {string[]} */
export function faults(value, schema) {
  const found = [];
  check(value, schema, "", found, 0);
  return found;
}

function check(value, schema, where, found, depth) {
  if (depth > 40 || found.length >= MAX_FAULTS || schema === null || typeof schema !== "object") return;
  const place = where || say("the answer", "答案");
  const types = [schema.type ?? []].flat();
  if (types.length && !types.some((type) => isA(value, type))) {
    found.push(say(`${place} is not ${types.join(" or ")}`, `${place} 不是 ${types.join(" 或 ")}`));
    return;
  }
  if (schema.enum && !schema.enum.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
    found.push(say(`${place} is none of the values allowed`, `${place} 不在允许的取值中`));
  }
  if (Array.isArray(value)) checkArray(value, schema, where, found, depth);
  else if (value && typeof value === "object") checkObject(value, schema, where, found, depth);
  else checkBounds(value, schema, place, found);
}

function checkArray(value, schema, where, found, depth) {
  const place = where || say("the answer", "答案");
  if (value.length < (schema.minItems ?? 0)) found.push(say(`${place} has too few items`, `${place} 项数过少`));
  if (value.length > (schema.maxItems ?? Infinity)) found.push(say(`${place} has too many items`, `${place} 项数过多`));
  if (schema.items) value.forEach((item, index) => check(item, schema.items, `${where}[${index}]`, found, depth + 1));
}

function checkObject(value, schema, where, found, depth) {
  for (const name of schema.required ?? []) {
    if (!(name in value)) found.push(say(`${join(where, name)} is missing`, `缺少 ${join(where, name)}`));
  }
  for (const [name, item] of Object.entries(value)) {
    const inner = schema.properties?.[name];
    if (inner) check(item, inner, join(where, name), found, depth + 1);
    else if (schema.additionalProperties === false) found.push(say(`${join(where, name)} is not in the schema`, `${join(where, name)} 不在模式中`));
  }
}

function checkBounds(value, schema, place, found) {
  const isOff =
    (typeof value === "number" && (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))) ||
    (typeof value === "string" && ([...value].length < (schema.minLength ?? 0) || [...value].length > (schema.maxLength ?? Infinity)));
  if (isOff) found.push(say(`${place} is out of bounds`, `${place} 超出范围`));
}

const join = (where, name) => (where ? `${where}.${name}` : name);

function isA(value, type) {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
