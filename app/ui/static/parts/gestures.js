/**
 * Dragging, wheel, two fingers and double click, all as two things: pan and zoom about a point. Coordinates are CSS
 * pixels from the element's top left. The element needs `touch-action: none`.
 *
 *   gestures(node, { pan(dx, dy), zoom(factor, x, y), tap(point, event), claimed(event), signal })
 *
 * `claimed` says that another mode, such as a lasso, takes this press for itself.
 */
const STILL_PX = 5; // a press that moves less is a tap
const LINE_PX = 16; // a wheel that counts lines
const DOUBLE = 2;

export function gestures(node, { pan, zoom, tap = () => {}, claimed = () => false, signal }) {
  const fingers = new Map();
  let travelled = 0;
  const listen = (kind, handle, options) => node.addEventListener(kind, handle, { signal, ...options });

  const down = (event) => {
    if (event.button || claimed(event)) return;
    node.setPointerCapture(event.pointerId);
    travelled = fingers.size ? Infinity : 0;
    fingers.set(event.pointerId, within(node, event));
  };
  const move = (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = within(node, event);
    const resting = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (resting) pinch(resting, before, now);
    else if (travelled > STILL_PX) pan(now.x - before.x, now.y - before.y);
  };
  const pinch = (resting, before, now) => {
    const factor = apart(resting, now) / Math.max(1, apart(resting, before));
    pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    zoom(factor, (resting.x + now.x) / 2, (resting.y + now.y) / 2);
  };
  const up = (event) => {
    if (fingers.delete(event.pointerId) && event.type === "pointerup" && travelled <= STILL_PX)
      tap(within(node, event), event);
  };
  const wheel = (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    const point = within(node, event);
    zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), point.x, point.y);
  };
  const twice = (event) => {
    const point = within(node, event);
    zoom(DOUBLE, point.x, point.y);
  };

  listen("pointerdown", down);
  listen("pointermove", move);
  listen("pointerup", up);
  listen("pointercancel", up);
  listen("wheel", wheel, { passive: false });
  listen("dblclick", twice);
}

/** Where in the element an event happened. */
export function within(node, event) {
  const place = node.getBoundingClientRect();
  return { x: event.clientX - place.left, y: event.clientY - place.top };
}

const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
