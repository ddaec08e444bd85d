/** Undo and redo as buttons, for those who do not know the keys. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { complain } from "./toast.js";

export function undoButtons(edits) {
  const one = (name, symbol, keys, run) => {
    const press = async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      button.setAttribute("aria-disabled", true); // a disabled one would drop the focus
      await run().catch(complain);
      button.setAttribute("aria-disabled", false);
    };
    const button = h(
      "button.plain",
      { type: "button", "aria-label": name, title: `${name} (${keys})`, onclick: press },
      icon(symbol),
    );
    return button;
  };
  return [one("Undo", "undo", "Ctrl+Z", () => edits.undo()), one("Redo", "redo", "Ctrl+Shift+Z", () => edits.redo())];
}
