/** How alike a cluster's pictures are, as a small meter with a word: the number alone says nothing to most people. */
import { h } from "../core/dom.js";
import { decimal } from "../core/format.js";

const WORDS = [
  [0.8, "very alike"],
  [0.65, "alike"],
  [0.5, "mixed"],
  [-1, "loose"],
];

export function cohesion(value) {
  const word = WORDS.find(([least]) => value >= least)[1];
  const meter = h(
    "span.meter",
    {
      role: "meter",
      "aria-label": "Cohesion",
      "aria-valuemin": 0,
      "aria-valuemax": 1,
      "aria-valuenow": decimal(value, 2),
      "aria-valuetext": `${word}, ${decimal(value, 2)}`,
    },
    h("span", { style: { width: `${Math.max(0, Math.min(1, value)) * 100}%` } }),
  );
  return h(
    "span.cohesion",
    { title: `Mean similarity of the pictures to their centre: ${decimal(value, 2)}` },
    meter,
    h("span.quiet", { "aria-hidden": "true" }, word),
  );
}
