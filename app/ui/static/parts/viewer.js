/**
 * One picture, large: wheel, two fingers, double click, + - 0 and 1 zoom, dragging moves it. It shows the thumbnail
 * and, once that is too coarse, the original where the browser can show its format.
 */
import { h } from "../core/dom.js";
import { basename } from "../core/format.js";
import { gestures } from "./gestures.js";
import { thumbnail } from "./picture.js";

const SHOWABLE = new Set(["jpeg", "png", "webp", "gif", "bmp", "avif"]);
const NEARER = 1.35;
const DEEPEST = 4; // screen pixels for one of the picture
const SIZE = 1024; // of the thumbnail's shorter side
const CROPPED = 0.02; // the thumbnail of a very long picture shows its middle only

export class Viewer extends EventTarget {
  /** image: an ImageOut that is ready. claimed(event): another mode takes this press. */
  constructor(image, { signal, claimed = () => false }) {
    super();
    this.image = image;
    this.at = { scale: 1, x: 0, y: 0 };
    this.picture = h("img", { src: thumbnail(image.id, SIZE), alt: basename(image.name), draggable: false });
    this.node = h(
      "div.viewer",
      {
        tabindex: 0,
        role: "group",
        "aria-label": `${basename(image.name)}, large. Plus and minus zoom, 0 fits, 1 shows it in full size, arrows move it while it is zoomed.`,
      },
      this.picture,
    );
    this.picture.addEventListener("load", () => this.#fit());
    this.picture.addEventListener("error", () => this.#fallen());
    gestures(this.node, {
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, x, y) => this.zoom(factor, x, y),
      claimed,
      signal,
    });
    this.node.addEventListener("keydown", (event) => this.#key(event));
    const watching = new ResizeObserver(() => this.#fit());
    watching.observe(this.node);
    signal.addEventListener("abort", () => watching.disconnect());
  }

  get zoomed() {
    return this.at.scale > 1.001;
  }

  /** Times the size it has when it fits, at which a pixel of the picture is one of the page. */
  get full() {
    return this.wide ? this.image.width / this.wide : 1;
  }

  fit() {
    this.#show({ scale: 1, x: 0, y: 0 });
  }

  actual() {
    this.zoom(this.full / this.at.scale);
  }

  pan(dx, dy) {
    this.#show({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  /** About a place of the viewer, by default its middle. */
  zoom(factor, px = this.node.clientWidth / 2, py = this.node.clientHeight / 2) {
    const [dx, dy] = [px - this.node.clientWidth / 2, py - this.node.clientHeight / 2];
    const scale = Math.min(Math.max(8, DEEPEST * this.full), Math.max(1, this.at.scale * factor));
    const grown = scale / this.at.scale;
    this.#show({ scale, x: dx - (dx - this.at.x) * grown, y: dy - (dy - this.at.y) * grown });
  }

  /** Pixels of the viewer to fractions of the picture, and back. */
  toPicture({ x, y }) {
    const [width, height] = [this.wide * this.at.scale, this.high * this.at.scale];
    const left = (this.node.clientWidth - width) / 2 + this.at.x;
    const top = (this.node.clientHeight - height) / 2 + this.at.y;
    return { x: (x - left) / width, y: (y - top) / height };
  }

  toViewer({ x, y }) {
    const [width, height] = [this.wide * this.at.scale, this.high * this.at.scale];
    return {
      x: (this.node.clientWidth - width) / 2 + this.at.x + x * width,
      y: (this.node.clientHeight - height) / 2 + this.at.y + y * height,
    };
  }

  #fit() {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    const { clientWidth: room, clientHeight: rise } = this.node;
    if (!width || !room) return;
    const least = Math.min(room / width, rise / height, Math.max(1, this.image.width / width)); // small ones stay small
    [this.wide, this.high] = [width * least, height * least];
    this.picture.style.setProperty("width", `${this.wide}px`);
    this.picture.style.setProperty("height", `${this.high}px`);
    this.#show(this.at);
  }

  #show({ scale, x, y }) {
    const free = (size, room) => Math.max(0, (size * scale - room) / 2);
    const [right, down] = [free(this.wide ?? 0, this.node.clientWidth), free(this.high ?? 0, this.node.clientHeight)];
    this.at = { scale, x: Math.max(-right, Math.min(right, x)), y: Math.max(-down, Math.min(down, y)) };
    this.picture.style.setProperty("transform", `translate(${this.at.x}px, ${this.at.y}px) scale(${scale})`);
    this.node.classList.toggle("zoomed", this.zoomed);
    if (this.wide * scale * devicePixelRatio > this.picture.naturalWidth * 1.05) this.#sharpen();
    this.dispatchEvent(new Event("sight"));
  }

  /** The original takes the thumbnail's place when it has come, not before. */
  async #sharpen() {
    const { id, format, width, height } = this.image;
    if (this.sharp || !SHOWABLE.has(format) || width <= this.picture.naturalWidth) return;
    if (Math.abs(Math.log(width / height / (this.picture.naturalWidth / this.picture.naturalHeight))) > CROPPED) return;
    this.sharp = true;
    const original = new Image();
    original.src = `/v1/images/${id}/file`;
    try {
      await original.decode();
    } catch {
      return; // the thumbnail stays: coarse, but there
    }
    this.picture.src = original.src;
  }

  #fallen() {
    this.picture.classList.add("missing");
    this.node.append(
      h("p.quiet.viewer-words", {}, "This picture cannot be shown here. Its original can still be downloaded."),
    );
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step && this.zoomed) this.pan(...step);
    else if (event.key === "+" || event.key === "=") this.zoom(NEARER);
    else if (event.key === "-") this.zoom(1 / NEARER);
    else if (event.key === "0") this.fit();
    else if (event.key === "1") this.actual();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
