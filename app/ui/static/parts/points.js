/**
 * Many points to look at: panned, zoomed, and drawn by WebGL (docs/decisions/0012).
 *
 *   const points = new Points(xy, { label, signal });
 *   points.show(order, colours)       which points, the last ones on top, and 4 bytes of colour for each, by number
 *   points.fit(); points.pan(dx, dy); points.zoom(factor, x, y)
 *   points.toData(x, y); points.toScreen(point)
 *
 * Says "sight" when another part is looked at. While it moves, a machine that cannot keep up is shown fewer points.
 */
import { h } from "../core/dom.js";
import { boundsOf } from "./nearest.js";
import { plain, webgl } from "./painters.js";

const MARGIN = 0.92; // of the canvas is filled by a map that fits
const DEEPEST = 400; // times larger than fitting
const SLOW_MS = 26;
const FAST_MS = 18;
const LEAST_SHARE = 0.12;
const RESTS_MS = 160; // after the last move all points are drawn
const RESTORED_MS = 1500; // a lost context that is not back by then is not waited for

export class Points extends EventTarget {
  constructor(xy, { label, signal }) {
    super();
    this.xy = xy;
    this.bounds = boundsOf(xy);
    this.order = new Uint32Array();
    this.colours = new Uint8Array();
    this.sight = { scale: 1, x: 0, y: 0, width: 0, height: 0, ratio: 1, diameter: 4, share: 1 };
    this.fitting = true;
    this.node = h("div.points", {
      tabindex: 0,
      role: "application",
      "aria-label": label,
      "aria-roledescription": "map",
    });
    this.#canvas(true);
    const watching = new ResizeObserver(() => this.#resize());
    watching.observe(this.node);
    signal?.addEventListener("abort", () => (watching.disconnect(), cancelAnimationFrame(this.asked)));
  }

  show(order, colours) {
    Object.assign(this, { order, colours });
    this.painter.load(this.xy, order, colours);
    this.redraw();
  }

  fit() {
    const { left, right, bottom, top } = this.bounds;
    const { width, height } = this.sight;
    this.fitting = true;
    this.whole = MARGIN * Math.min(width / Math.max(right - left, 1e-6), height / Math.max(top - bottom, 1e-6));
    this.#look({ scale: this.whole, x: (left + right) / 2, y: (bottom + top) / 2 });
  }

  pan(dx, dy) {
    this.fitting = false;
    const { scale, x, y } = this.sight;
    this.#look({ x: x - dx / scale, y: y + dy / scale });
    this.#moving();
  }

  /** About a place of the canvas, by default its middle. */
  zoom(factor, px = this.sight.width / 2, py = this.sight.height / 2) {
    this.fitting = false;
    const scale = Math.min(this.whole * DEEPEST, Math.max(this.whole / 3, this.sight.scale * factor));
    const at = this.toData(px, py);
    this.sight.scale = scale;
    const now = this.toData(px, py);
    this.#look({ x: this.sight.x + at.x - now.x, y: this.sight.y + at.y - now.y });
    this.#moving();
  }

  /** Look at (x, y), so many times larger than fitting. */
  lookAt(x, y, times) {
    this.fitting = false;
    this.start = { x, y, times };
    if (this.whole) this.#look({ x, y, scale: this.whole * times });
  }

  get times() {
    return this.sight.scale / this.whole;
  }

  toData(px, py) {
    const { scale, x, y, width, height } = this.sight;
    return { x: x + (px - width / 2) / scale, y: y - (py - height / 2) / scale };
  }

  toScreen(point) {
    const { scale, x, y, width, height } = this.sight;
    return { x: (this.xy[2 * point] - x) * scale + width / 2, y: height / 2 - (this.xy[2 * point + 1] - y) * scale };
  }

  redraw() {
    this.asked ??= requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now) {
    this.asked = null;
    if (!this.sight.width || this.lost) return;
    this.#pace(now);
    this.sight.diameter = this.#diameter();
    this.painter.draw(this.sight);
  }

  /** While moving: fewer points after a slow frame, more after a fast one. At rest: all. */
  #pace(now) {
    const took = now - (this.drawn ?? -Infinity);
    this.drawn = now;
    if (!this.moves) this.sight.share = 1;
    else if (took < 500 && took > SLOW_MS) this.sight.share = Math.max(LEAST_SHARE, this.sight.share * 0.75);
    else if (took < FAST_MS) this.sight.share = Math.min(1, this.sight.share * 1.1);
  }

  #moving() {
    this.moves = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.moves = false;
      this.redraw();
    }, RESTS_MS);
  }

  /** Few points are drawn large, many small; they grow with the zoom, but slower. */
  #diameter() {
    const { width, height } = this.sight;
    const room = Math.sqrt((width * height) / Math.max(1, this.order.length));
    return Math.min(26, Math.max(2.2, Math.min(12, 0.26 * room)) * Math.max(1, this.times) ** 0.4);
  }

  #look(changes) {
    Object.assign(this.sight, changes);
    this.redraw();
    this.dispatchEvent(new Event("sight"));
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (!width || !height) return;
    const ratio = Math.min(2, devicePixelRatio || 1); // more than two pixels a pixel nobody sees
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    Object.assign(this.sight, { width, height, ratio });
    const { start, fitting, times, sight } = this;
    const [x, y] = [sight.x, sight.y];
    this.fit();
    if (start) this.lookAt(start.x, start.y, start.times);
    else if (!fitting) this.lookAt(x, y, times);
    this.start = null;
  }

  #canvas(accelerated) {
    this.canvas?.remove();
    this.canvas = h("canvas", { "aria-hidden": "true" });
    const painter = accelerated ? webgl(this.canvas) : plain(this.canvas);
    if (!painter) return this.#canvas(false); // a canvas that was tried for the one is no good for the other
    this.painter = painter;
    this.node.prepend(this.canvas);
    this.painter.load(this.xy, this.order, this.colours);
    this.canvas.addEventListener("webglcontextlost", (event) => this.#dropped(event));
    this.canvas.addEventListener("webglcontextrestored", () => this.#again(true));
  }

  /** A driver may take the drawing away at any time, and mostly gives it back. */
  #dropped(event) {
    event.preventDefault();
    if (event.target !== this.canvas) return; // one that was replaced
    this.lost = true;
    this.giveUp = setTimeout(() => this.#again(false), RESTORED_MS);
  }

  #again(accelerated) {
    clearTimeout(this.giveUp);
    this.lost = false;
    this.#canvas(accelerated);
    this.#resize();
  }
}
