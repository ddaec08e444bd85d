/** A line drawn around points. `done` gets its corners, x and y one after the other, in pixels of the element. */
import { within } from "./gestures.js";

const STEP_PX = 4; // corners nearer than that say nothing
const FEWEST = 3;
const SVG = "http://www.w3.org/2000/svg";

/** Draws from this press on until the button or finger is lifted. */
export function lasso(node, pressed, done) {
  const corners = [];
  const overlay = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  overlay.setAttribute("class", "lasso");
  overlay.setAttribute("aria-hidden", "true");
  overlay.append(path);
  node.append(overlay);
  node.setPointerCapture(pressed.pointerId);
  const controller = new AbortController();
  const listen = (kind, handle) => node.addEventListener(kind, handle, { signal: controller.signal });
  const add = (event) => {
    const { x, y } = within(node, event);
    const [lastX, lastY] = corners.slice(-2);
    if (corners.length && Math.hypot(x - lastX, y - lastY) < STEP_PX) return;
    corners.push(x, y);
    path.setAttribute("d", `M${corners.join(" ")}Z`);
  };
  const end = (event) => {
    controller.abort();
    overlay.remove();
    if (event.type === "pointerup" && corners.length >= 2 * FEWEST) done(corners);
  };
  add(pressed);
  listen("pointermove", (event) => (event.getCoalescedEvents?.() ?? [event]).forEach(add));
  listen("pointerup", end);
  listen("pointercancel", end);
}
