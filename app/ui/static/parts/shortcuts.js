/** Keys of a view: they work wherever nobody is writing, and "?" lists them all. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { sheet } from "./dialog.js";

/**
 * shortcuts(page, [{ keys: ["R", "F2"], words: "Rename", run }, ...]) returns a button that shows the list.
 * A key is written as on the keyboard: "R", "Ctrl+Shift+Z", "Space", "?". Without `run` it is only listed, without
 * `words` it only works.
 */
export function shortcuts(page, list) {
  const show = () => help(list);
  const all = [...list, { keys: ["?"], words: "Show this list", run: show }];
  document.addEventListener("keydown", (event) => press(event, all), { signal: page.signal });
  return h(
    "button.plain",
    { type: "button", "aria-label": "Keyboard help", title: "Keyboard help (?)", onclick: show },
    icon("keyboard"),
  );
}

/** Undo and redo are the same keys everywhere. */
export const undoKeys = (undo, redo) => [
  { keys: ["Ctrl+Z"], words: "Undo the last correction", run: undo },
  { keys: ["Ctrl+Shift+Z", "Ctrl+Y"], words: "Redo", run: redo },
];

function press(event, list) {
  if (event.defaultPrevented || event.isComposing || busy(event.target)) return;
  const name = nameOf(event);
  if ((name === "Space" || name === "Enter") && event.target.closest?.("button, a, summary, input")) return; // that is a click
  const found = list.find(({ keys, run }) => run && keys.includes(name));
  if (!found) return;
  event.preventDefault();
  found.run(event);
}

const busy = (target) =>
  Boolean(document.querySelector("dialog[open], .menu:popover-open")) ||
  Boolean(target.closest?.("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]"));

/** Shift is part of a name only beside Control: on its own it is in the character already. */
function nameOf(event) {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const control = event.ctrlKey || event.metaKey;
  return `${event.altKey ? "Alt+" : ""}${control ? "Ctrl+" : ""}${control && event.shiftKey ? "Shift+" : ""}${key}`;
}

function help(list) {
  const rows = [...list.filter(({ words }) => words), { keys: ["?"], words: "Show this list" }].map(({ keys, words }) =>
    h(
      "tr",
      {},
      h(
        "td.keys",
        {},
        keys.map((key) => h("kbd", {}, key)),
      ),
      h("td", {}, words),
    ),
  );
  sheet("Keyboard", h("table.keys-table", {}, h("tbody", {}, rows)));
}
