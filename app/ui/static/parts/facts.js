/** Names and values in a list: facts(["Seed", 0], ["SHA-256", hash(text)]). Entries that are null are left out. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { toast } from "./toast.js";

export const facts = (...entries) =>
  h(
    "dl.facts",
    {},
    entries
      .filter((entry) => entry && entry[1] !== null && entry[1] !== undefined)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );

/** A long hexadecimal number, shortened, with a button that copies the whole. */
export function hash(text, name) {
  if (!text) return null;
  return h("span.hash", {}, h("code", { title: text }, `${text.slice(0, 12)}…`), copyButton(text, name));
}

export function copyButton(text, name) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`${name} is copied.`);
    } catch {
      toast(`The browser lets nothing be copied here; the ${name} is ${text}`);
    }
  };
  return h(
    "button.plain",
    { type: "button", "aria-label": `Copy the ${name}`, title: "Copy", onclick: copy },
    icon("copy"),
  );
}

/** Parameters of a method or an algorithm as they were given, in plain words. */
export const parameters = (params) =>
  facts(
    ...Object.entries(params).map(([name, value]) => [
      name.replaceAll("_", " "),
      value === null ? "automatic" : String(value),
    ]),
  );
