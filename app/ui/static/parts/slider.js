/** A number by a slider, shown beside it. `changed` hears of it when the hand rests, not at every step. */
import { h, uid } from "../core/dom.js";

const RESTS_MS = 250;

/** slider("Similarity", { min: 30, max: 100, step: 1, value: 95, words: (value) => `${value}%` }, changed) */
export function slider(label, { min, max, step = 1, value, words = String }, changed) {
  const id = uid("slider");
  const output = h("output", { for: id }, words(value));
  let timer = 0;
  const moved = () => {
    const now = Number(input.value);
    output.textContent = words(now);
    input.setAttribute("aria-valuetext", words(now));
    clearTimeout(timer);
    timer = setTimeout(() => input.isConnected && changed(now), RESTS_MS);
  };
  const input = h("input", {
    id,
    type: "range",
    min,
    max,
    step,
    value,
    "aria-valuetext": words(value),
    oninput: moved,
  });
  return h("div.slider", {}, h("label", { for: id }, label), input, output);
}
