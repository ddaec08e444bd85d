/** A box on a picture, drawn with the pointer or set with the keys; `done([x, y, width, height])` in fractions. */
import { h } from "../core/dom.js";
import { within } from "./gestures.js";

const LEAST_PX = 8; // less is a slip
const STEP = 0.02; // an arrow key
const SMALLEST = 0.03;

export class Box {
  constructor(viewer, { done, ended }) {
    Object.assign(this, { viewer, done, ended, box: null });
    this.node = h("div.box", {
      tabindex: 0,
      role: "group",
      hidden: true,
      "aria-label":
        "Part of the picture. Arrows move it, Shift with arrows makes it larger or smaller, Enter searches, Escape ends.",
      onkeydown: (event) => this.#key(event),
    });
    viewer.node.append(this.node);
    viewer.addEventListener("sight", () => this.#place());
  }

  get on() {
    return this.viewer.node.classList.contains("boxing");
  }

  /** With the keyboard there is a box at once, to be moved; the pointer draws its own. */
  start() {
    this.viewer.node.classList.add("boxing");
    this.box = [0.3, 0.3, 0.4, 0.4];
    this.#place();
    this.node.focus({ preventScroll: true });
  }

  stop() {
    this.viewer.node.classList.remove("boxing");
    this.box = null;
    this.node.hidden = true;
    this.viewer.node.focus({ preventScroll: true });
    this.ended();
  }

  /** Draws from this press on; true when it is ours. */
  press(event) {
    if (!this.on || event.button) return false;
    const { node } = this.viewer;
    const from = within(node, event);
    const controller = new AbortController();
    const listen = (kind, handle) => node.addEventListener(kind, handle, { signal: controller.signal });
    node.setPointerCapture(event.pointerId);
    listen("pointermove", (event) => this.#between(from, within(node, event)));
    listen("pointerup", (event) => {
      controller.abort();
      const to = within(node, event);
      if (Math.min(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) >= LEAST_PX) this.#search();
    });
    listen("pointercancel", () => controller.abort());
    return true;
  }

  #between(from, to) {
    const [a, b] = [from, to].map((place) => this.viewer.toPicture(place));
    const [left, right] = [a.x, b.x].map(kept).sort((one, other) => one - other);
    const [top, bottom] = [a.y, b.y].map(kept).sort((one, other) => one - other);
    this.box = [left, top, right - left, bottom - top];
    this.#place();
  }

  #search() {
    const [x, y, width, height] = this.box.map((part) => Number(part.toFixed(4)));
    if (width <= 0 || height <= 0) return;
    this.done([x, y, Math.min(width, 1 - x), Math.min(height, 1 - y)].map((part) => Number(part.toFixed(4))));
  }

  #place() {
    if (!this.box) return;
    const [x, y, width, height] = this.box;
    const from = this.viewer.toViewer({ x, y });
    const to = this.viewer.toViewer({ x: x + width, y: y + height });
    this.node.hidden = false;
    for (const [side, value] of [
      ["left", from.x],
      ["top", from.y],
      ["width", to.x - from.x],
      ["height", to.y - from.y],
    ]) {
      this.node.style.setProperty(side, `${value}px`);
    }
  }

  #key(event) {
    const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (by) this.#nudge(by, event.shiftKey);
    else if (event.key === "Enter") this.#search();
    else if (event.key === "Escape") this.stop();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #nudge([dx, dy], grow) {
    const [x, y, width, height] = this.box;
    if (grow)
      this.box = [
        x,
        y,
        Math.min(1 - x, Math.max(SMALLEST, width + dx)),
        Math.min(1 - y, Math.max(SMALLEST, height + dy)),
      ];
    else
      this.box = [Math.max(0, Math.min(1 - width, x + dx)), Math.max(0, Math.min(1 - height, y + dy)), width, height];
    this.#place();
  }
}

const kept = (share) => Math.max(0, Math.min(1, share));
