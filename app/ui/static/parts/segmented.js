/** A choice of a few, side by side, one of which is pressed. */
import { h } from "../core/dom.js";

/** segmented("Order", [["size", "Biggest"], ["cohesion", "Most alike"]], "size", (value) => ...) */
export function segmented(label, choices, value, chosen) {
  const buttons = choices.map(([key, words]) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(key === value), data: { value: key }, onclick: () => press(key) },
      words,
    ),
  );
  const press = (key) => {
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.value === key));
    chosen(key);
  };
  return h("div.segmented", { role: "group", "aria-label": label }, buttons);
}
