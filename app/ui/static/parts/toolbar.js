/** What can be done with what is selected. It floats over the page's lower edge, so that nothing moves when it comes. */
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { menu } from "./menu.js";
import { announce, complain } from "./toast.js";

/**
 * toolbar(selection, "picture", [{ name, icon, key, run, least, most }], more) - an entry is off while the selection
 * is smaller than `least` or larger than `most`, and while its `run` goes on. `more` are entries of a menu.
 */
export function toolbar(selection, unit, entries, more = []) {
  const words = h("strong.selection-words");
  const buttons = entries.map(button);
  const clear = h(
    "button.plain",
    {
      type: "button",
      "aria-label": "Clear the selection",
      title: "Clear the selection (Esc)",
      onclick: () => selection.clear(),
    },
    icon("close"),
  );
  const node = h(
    "div.selection-bar",
    { role: "toolbar", "aria-label": "With the selection", hidden: true },
    words,
    h(
      "div.selection-actions",
      {},
      buttons.map((one) => one.node),
      more.length ? menu("More for the selection", more) : null,
    ),
    clear,
  );
  let before = null;
  node.addEventListener("focusin", ({ relatedTarget: from }) => {
    if (from && !node.contains(from)) before = from;
  });
  selection.addEventListener("change", () => {
    if (!selection.size && node.contains(document.activeElement)) before?.focus({ preventScroll: true });
    node.hidden = !selection.size;
    words.textContent = `${counted(selection.size, unit)} selected`;
    buttons.forEach((one) => one.update(selection.size));
    announce(words.textContent);
  });
  return node;
}

function button({ name, icon: symbol, key, run, least = 1, most = Infinity, hint }) {
  let size = 0;
  let runs = false;
  const node = h(
    "button",
    {
      type: "button",
      title: [hint ?? name, key && `(${key})`].filter(Boolean).join(" "),
      "aria-label": name,
      onclick: () => press(),
    },
    icon(symbol),
    h("span", {}, name),
  );
  const update = (now) => {
    size = now;
    node.disabled = size < least || size > most;
    node.setAttribute("aria-disabled", runs);
  };
  const press = async () => {
    if (runs) return;
    runs = true;
    update(size);
    try {
      await run();
    } catch (error) {
      complain(error);
    }
    runs = false;
    update(size);
  };
  return { node, update };
}
