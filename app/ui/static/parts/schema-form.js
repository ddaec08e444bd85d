/** A form out of a JSON schema: what the API accepts is what can be filled in, with its words and its limits. */
import { h, uid } from "../core/dom.js";

/**
 * Inputs for each property of an object schema, under the names `params.<property>`.
 * `only` chooses some and their order, `skip` leaves some out; `names` and `hints` say it better than the schema does.
 */
export function schemaFields(
  schema,
  { skip = [], only = null, names = {}, hints = {}, definitions = schema.$defs ?? {} } = {},
) {
  const properties = schema.properties ?? {};
  return (only ?? Object.keys(properties))
    .filter((name) => name in properties && !skip.includes(name))
    .map((name) => schemaField(name, resolved(properties[name], definitions), names[name], hints[name]));
}

/** What was filled in, without what was left at its default. */
export function schemaValues(form, schema) {
  const values = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const input = form.elements.namedItem(`params.${name}`);
    if (!input) continue;
    const value = typed(input, resolved(property, schema.$defs ?? {}));
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(property.default)) values[name] = value;
  }
  return values;
}

/** References followed, and "this or null" taken apart: {..., optional, mixed}. */
function resolved(property, definitions) {
  if (property.$ref)
    return resolved({ ...definitions[property.$ref.split("/").at(-1)], ...without(property, "$ref") }, definitions);
  if (property.allOf?.length === 1)
    return resolved({ ...property.allOf[0], ...without(property, "allOf") }, definitions);
  const choices = property.anyOf?.filter((one) => one.type !== "null").map((one) => resolved(one, definitions));
  if (!choices) return property;
  return {
    ...property,
    ...choices[0],
    mixed: choices.length > 1,
    choices,
    optional: property.anyOf.length > choices.length,
  };
}

function without(object, key) {
  const { [key]: _, ...rest } = object;
  return rest;
}

function schemaField(name, property, title, hint) {
  const id = uid("field");
  const about = [hint ?? property.description?.replace(/\bnull:/, "empty:"), limits(property), emptied(property)]
    .filter(Boolean)
    .join(" ");
  const input = inputFor(name, property);
  input.id = id;
  if (about) input.setAttribute("aria-describedby", `${id}-about`);
  return h(
    `div.field${property.type === "boolean" ? ".check" : ""}`,
    {},
    h("label", { for: id }, title ?? heading(name, property)),
    input,
    about ? h("small", { id: `${id}-about` }, about) : null,
  );
}

function inputFor(name, property) {
  const shared = { name: `params.${name}` };
  const initial = property.default;
  if (property.enum) {
    return h(
      "select",
      shared,
      property.enum.map((value) => h("option", { value: String(value), selected: value === initial }, String(value))),
    );
  }
  if (property.type === "boolean") return h("input", { ...shared, type: "checkbox", checked: Boolean(initial) });
  const text = { ...shared, value: shown(initial, property), placeholder: placeholder(property), autocomplete: "off" };
  if (property.mixed) return h("input", { ...text, type: "text", pattern: pattern(property) });
  if (property.type === "integer" || property.type === "number")
    return h("input", { ...text, type: "number", ...bounds(property) });
  return h("input", { ...text, type: "text", required: property.minLength > 0 ? true : null });
}

/** What the browser checks by itself. Limits that are excluded stay the service's to check, unless numbers are whole. */
function bounds({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }) {
  const whole = type === "integer";
  const low = minimum ?? (exclusiveMinimum === undefined ? null : whole ? exclusiveMinimum + 1 : exclusiveMinimum);
  const high = maximum ?? (exclusiveMaximum === undefined ? null : whole ? exclusiveMaximum - 1 : exclusiveMaximum);
  return { min: low, max: high, step: multipleOf ?? (whole ? 1 : "any"), inputmode: whole ? "numeric" : "decimal" };
}

/** A number or one of some words, as in "3" or "auto". */
function pattern({ choices }) {
  const constants = choices.flatMap((one) => one.enum ?? (one.const === undefined ? [] : [one.const]));
  const numbers = { integer: "-?[0-9]+", number: "-?[0-9]*\\.?[0-9]+([eE]-?[0-9]+)?" };
  const kinds = choices.map(({ type }) => numbers[type]).filter(Boolean);
  const free = choices.some(
    (one) => one.type === "array" || (one.type === "string" && one.const === undefined && !one.enum),
  );
  return free ? null : [...constants, ...kinds].join("|");
}

function shown(value, property) {
  if (value === null || value === undefined) return "";
  if (property.type === "array" && Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const placeholder = ({ optional, default: initial }) =>
  !optional ? null : initial === null || initial === undefined ? "automatic" : "none";

function typed(input, property) {
  if (property.type === "boolean") return input.checked;
  const text = input.value.trim();
  if (text === "")
    return property.optional && property.default !== null && property.default !== undefined ? null : undefined;
  if (property.enum) return property.enum.find((value) => String(value) === text);
  if (property.type === "array" && !text.startsWith("["))
    return text
      .split(/[\s,;]+/)
      .filter(Boolean)
      .map(parsed);
  return property.type === "string" && !property.mixed ? text : parsed(text);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function limits({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, type }) {
  if (!["integer", "number"].includes(type)) return type === "array" ? "Several, with commas between." : "";
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  const [above, below] = [minimum === undefined ? "above" : "at least", maximum === undefined ? "below" : "at most"];
  const plain = above === "at least" && below === "at most";
  if (low !== undefined && high !== undefined && high < 2 ** 31)
    return plain ? `${low} to ${high}.` : sentence(`${above} ${low}, ${below} ${high}.`);
  return low !== undefined && low !== 0 ? sentence(`${above} ${low}.`) : "";
}

const emptied = (property) => (property.optional && placeholder(property) === "none" ? "Empty: none." : "");

/** Pydantic makes titles like "Max Minutes" out of names; only one that somebody wrote is kept. */
function heading(name, { title }) {
  const plain = name.replaceAll("_", " ");
  return title && title.toLowerCase() !== plain.toLowerCase() ? title : sentence(plain);
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);
