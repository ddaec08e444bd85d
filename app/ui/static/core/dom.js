/**
 * Elements without markup. Text is always a text node: the name of a file can never become a tag.
 *
 *   h("button.primary", { onclick: save, disabled: false }, icon("check"), "Save")
 */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(props ?? {})) set(node, key, value);
  return append(node, ...children);
}

/** Children may be nodes, texts, numbers, arrays of them; null, undefined and false are left out. */
export function append(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, ...children);
}

/** Everything that has one of these: $(".tile", grid), $$("button", dialog). */
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function set(node, key, value) {
  if (value === null || value === undefined) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "class") node.classList.add(...value.split(" ").filter(Boolean));
  else if (key === "data") Object.assign(node.dataset, value);
  else if (key === "style") for (const [name, what] of Object.entries(value)) node.style.setProperty(name, what);
  else if (key.includes("-") || key === "role" || key === "for" || !(key in node)) attribute(node, key, value);
  else node[key] = value;
}

/** aria-* say true and false in words; of all others a boolean means there or not there. */
function attribute(node, key, value) {
  if (typeof value !== "boolean" || key.startsWith("aria-")) node.setAttribute(key, value);
  else node.toggleAttribute(key, value);
}

let names = 0;

/** An id nobody else has, to bind a label or a description to its element. */
export const uid = (prefix = "u") => `${prefix}-${++names}`;
