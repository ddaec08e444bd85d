/** The keyboard keeps its place when what it stands on is drawn anew. */
import { $$ } from "./dom.js";

const CONTROLS = "a, button, input, select, textarea, summary, [tabindex]";

/** Call it before `root` is drawn anew; the function it gives puts the focus on the same thing again, if it is there. */
export function heldFocus(root) {
  const node = document.activeElement;
  if (!node || node === root || !root.contains(node)) return () => false;
  const wanted = likeness(node);
  const place = alike(root, wanted).indexOf(node);
  return () => {
    const there = alike(root, wanted);
    (there[place] ?? there[0])?.focus({ preventScroll: true });
    return there.length > 0;
  };
}

const alike = (root, wanted) => $$(CONTROLS, root).filter((node) => likeness(node) === wanted);

/** What a person would call it; ids are new each time. */
function likeness(node) {
  const label = node.getAttribute("aria-label") ?? node.labels?.[0]?.textContent;
  const own = node.matches("a, button, summary") ? node.textContent : "";
  return [node.tagName, node.type, node.name, label, own].join("|");
}
