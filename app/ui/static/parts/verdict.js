/** Whether to use a fine-tuned encoder, in a badge and the service's own sentence. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

export function badge(encoder) {
  if (encoder.recommended === true) return h("span.badge", { data: { kind: "good" } }, icon("check"), "Recommended");
  if (encoder.recommended === false) return h("span.badge", { data: { kind: "warn" } }, "Frozen one is better");
  if (encoder.available === false) return h("span.badge", {}, "Not on this machine");
  return null;
}

export function verdict(encoder) {
  if (!encoder.verdict) return null;
  const kind = encoder.recommended ? "good" : "warn";
  return h(
    "p.verdict",
    { data: { kind } },
    icon(encoder.recommended ? "check" : "warning"),
    h("span", {}, encoder.verdict),
  );
}
