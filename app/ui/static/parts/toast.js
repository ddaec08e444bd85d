/** Short messages at the edge of the page; a screen reader hears them too. */
import { $, h } from "../core/dom.js";
import { icon } from "../core/icons.js";

const SHOWN_MS = 6000;
const WITH_ACTION_MS = 12_000;

/** toast("Merged", { action: "Undo", run: undo }) */
export function toast(text, { action, run, kind = "info" } = {}) {
  const node = h(
    `div.toast.${kind}`,
    {},
    h("span", {}, text),
    action && h("button.link", { type: "button", onclick: () => (close(), run()) }, action),
    h("button.plain", { type: "button", "aria-label": "Dismiss", onclick: () => close() }, icon("close")),
  );
  let timer = 0;
  const close = () => (clearTimeout(timer), node.remove());
  const wait = () => (timer = setTimeout(close, action ? WITH_ACTION_MS : SHOWN_MS));
  node.addEventListener("pointerenter", () => clearTimeout(timer));
  node.addEventListener("pointerleave", wait);
  $("#toasts").append(node);
  while ($("#toasts").children.length > 4) $("#toasts").firstChild.remove();
  wait();
  return close;
}

/** What went wrong with something that a person just asked for. Leaving a view is nothing wrong. */
export function complain(error) {
  if (error.name === "AbortError") return;
  if (error.status === undefined) console.error(error);
  toast(error.detail || error.message, { kind: "bad" });
}

/** Only for screen readers. */
export function announce(text) {
  $("#announcer").textContent = text;
}
