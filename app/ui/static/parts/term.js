/** A word of the field with its meaning, shown on hover, focus and press. Above everything, so that no table clips it. */
import { h, uid } from "../core/dom.js";

/** term("RankMe", "How many dimensions the vectors really use.") */
export function term(name, meaning) {
  const id = uid("term");
  const tip = h("span.tip", { id, role: "tooltip", popover: "manual" }, meaning);
  const button = h("button.term", { type: "button", "aria-describedby": id }, name);
  const show = () => {
    if (!tip.matches(":popover-open")) tip.showPopover();
    beside(tip, button);
  };
  const hide = () => tip.matches(":popover-open") && tip.hidePopover();
  for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) button.addEventListener(event, hide);
  button.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return h("span.term-anchor", {}, button, tip);
}

function beside(tip, button) {
  const place = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, innerWidth - tip.offsetWidth - 8));
  const above = place.top - tip.offsetHeight - 6;
  tip.style.setProperty("left", `${left}px`);
  tip.style.setProperty("top", `${above > 8 ? above : place.bottom + 6}px`);
}
