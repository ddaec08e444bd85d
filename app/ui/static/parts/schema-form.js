/** A form out of a JSON schema: what the API accepts is what can be filled in, with its words and its limits. */
import { h, uid } from "../core/dom.js";

/** Inputs for each property of an object schema, under the names `params.<property>`. */
export function schemaFields(schema, { skip = [], definitions = schema.$defs ?? {} } = {}) {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !skip.includes(name))
    .map(([name, property]) => schemaField(name, resolved(property, definitions)));
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

function resolved(property, definitions) {
  if (property.$ref) return { ...definitions[property.$ref.split("/").at(-1)], ...property };
  const choices = property.anyOf?.filter((one) => one.type !== "null");
  if (!choices) return property;
  return { ...property, ...choices[0], mixed: choices.length > 1, optional: property.anyOf.length > choices.length };
}

function schemaField(name, property) {
  const id = uid("field");
  const hint = [property.description, limits(property)].filter(Boolean).join(" ");
  const about = hint ? h("small", { id: `${id}-about` }, hint) : null;
  const input = inputFor(name, property);
  input.id = id;
  if (hint) input.setAttribute("aria-describedby", `${id}-about`);
  return h(`div.field${property.type === "boolean" ? ".check" : ""}`, {}, h("label", { for: id }, property.title ?? words(name)), input, about);
}

function inputFor(name, property) {
  const shared = { name: `params.${name}` };
  const initial = property.default;
  if (property.enum) {
    return h("select", shared, property.enum.map((value) => h("option", { value: String(value), selected: value === initial }, String(value))));
  }
  if (property.type === "boolean") return h("input", { ...shared, type: "checkbox", checked: Boolean(initial) });
  const shown = initial === null || initial === undefined ? "" : typeof initial === "object" ? JSON.stringify(initial) : String(initial);
  if (!property.mixed && ["number", "integer"].includes(property.type)) {
    const step = property.type === "integer" ? 1 : "any";
    const low = property.minimum ?? (property.type === "integer" && property.exclusiveMinimum !== undefined ? property.exclusiveMinimum + 1 : null);
    return h("input", { ...shared, type: "number", value: shown, step, min: low, max: property.maximum ?? null, placeholder: property.optional ? "automatic" : null });
  }
  return h("input", { ...shared, type: "text", value: shown, autocomplete: "off", placeholder: property.optional ? "automatic" : null });
}

function typed(input, property) {
  if (property.type === "boolean") return input.checked;
  const text = input.value.trim();
  if (text === "") return undefined;
  if (property.type === "string" && !property.mixed) return text;
  if (property.enum) return property.enum.find((value) => String(value) === text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function limits({ minimum, maximum, exclusiveMinimum }) {
  const low = minimum ?? exclusiveMinimum;
  if (low !== undefined && maximum !== undefined) return `${low} to ${maximum}.`;
  return low !== undefined && low !== 0 ? `${minimum === undefined ? "Above" : "At least"} ${low}.` : "";
}

const words = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");
