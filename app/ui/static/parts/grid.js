/**
 * An endless grid of pictures. Only the tiles near the screen exist, whatever the number of images; items come page by
 * page as they are needed, and empty tiles hold their places until then.
 *
 *   new Grid({ load, total, selection, open, caption, label, signal })
 *
 * `load(cursor)` gives {items, next_cursor} as every list of the API does; an item has image_id and name.
 * `total` is how many there will be, or null where nobody knows. `open(item, place)` is called for Enter and a double
 * click, or for a plain click where there is no `selection`.
 */
import { h } from "../core/dom.js";
import { basename } from "../core/format.js";
import { thumbnail } from "./picture.js";
import { selecting } from "./selecting.js";
import { complain } from "./toast.js";

const GAP = 6; // pixels between tiles
const SPARE_ROWS = 3; // beyond either edge of the screen
const SETTLE_MS = 60; // a tile that is scrolled past faster asks for no picture

export class Grid {
  constructor({ load, total = null, selection = null, open, caption = null, label, signal, size = 168 }) {
    Object.assign(this, { load, total, selection, open, caption, size, signal });
    this.items = [];
    this.tiles = new Map();
    this.cursor = null;
    this.exhausted = false;
    this.current = 0;
    this.node = h("div.grid", {
      role: "listbox",
      "aria-label": label,
      tabindex: 0,
      "aria-multiselectable": Boolean(selection),
    });
    this.#listen(signal);
  }

  /** The first page; the grid is worth showing after it. */
  async ready() {
    await this.more();
    return this;
  }

  get length() {
    return this.exhausted ? this.items.length : Math.max(this.total ?? 0, this.items.length);
  }

  async more() {
    if (this.exhausted) return;
    this.loading ??= this.load(this.cursor).finally(() => (this.loading = null));
    const page = await this.loading;
    if (page.taken) return;
    page.taken = true; // two callers may have waited for one page
    this.items.push(...page.items);
    this.cursor = page.next_cursor;
    this.exhausted = !page.next_cursor;
    this.layout();
  }

  /** Take items out, as after a move to elsewhere; what follows closes up. */
  remove(places) {
    const gone = new Set(places);
    this.items = this.items.filter((_, place) => !gone.has(place));
    if (this.total !== null) this.total -= gone.size;
    this.selection?.clear();
    this.redraw();
  }

  redraw() {
    for (const tile of this.tiles.values()) this.#drop(tile);
    this.tiles.clear();
    this.layout();
  }

  layout() {
    const width = this.node.clientWidth;
    if (!width) return;
    const wanted = Math.min(this.size, (width - 2 * GAP) / 3);
    this.columns = Math.max(1, Math.floor((width + GAP) / (wanted + GAP)));
    this.step = (width + GAP) / this.columns;
    this.sharp = (this.step - GAP) * devicePixelRatio <= 140 ? 128 : 256;
    this.rows = Math.ceil(this.length / this.columns);
    this.node.style.setProperty("height", `${Math.max(0, this.rows * this.step - GAP)}px`);
    this.node.style.setProperty("--tile", `${this.step - GAP}px`);
    for (const [place, tile] of this.tiles) this.#position(tile, place);
    this.draw();
  }

  /** Bring the tiles that exist in line with what can be seen. */
  draw() {
    if (!this.columns) return;
    const top = -this.node.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.step) - SPARE_ROWS) * this.columns;
    const end = Math.min(this.length, (Math.ceil((top + innerHeight) / this.step) + SPARE_ROWS) * this.columns);
    for (const [place, tile] of this.tiles) {
      if (place < first || place >= end || (tile.empty && this.items[place])) {
        this.#drop(tile);
        this.tiles.delete(place);
      }
    }
    for (let place = first; place < end; place++) if (!this.tiles.has(place)) this.#add(place);
    if (end >= this.items.length && !this.exhausted) this.more().catch(complain);
  }

  /** Where the keyboard is. Scrolls there. */
  focus(place) {
    this.current = Math.max(0, Math.min(place, this.length - 1));
    const top = Math.floor(this.current / this.columns) * this.step + this.node.getBoundingClientRect().top;
    const roof = 120; // what stands at the top of the screen
    if (top < roof) scrollBy(0, top - roof);
    else if (top + this.step > innerHeight) scrollBy(0, top + this.step - innerHeight + GAP);
    this.draw();
    this.mark();
  }

  /** Show on the tiles what is selected and where the keyboard is. */
  mark() {
    for (const [place, { node }] of this.tiles) {
      node.setAttribute("aria-selected", String(Boolean(this.selection?.has(place))));
      node.classList.toggle("current", place === this.current);
    }
    const current = this.tiles.get(this.current)?.node;
    current
      ? this.node.setAttribute("aria-activedescendant", current.id)
      : this.node.removeAttribute("aria-activedescendant");
  }

  /** Places whose tile touches a rectangle of the grid, in its own pixels. */
  within({ left, top, right, bottom }) {
    const column = (x) => Math.max(0, Math.min(this.columns - 1, Math.floor(x / this.step)));
    const row = (y) => Math.max(0, Math.min(this.rows - 1, Math.floor(y / this.step)));
    const places = [];
    for (let y = row(top); y <= row(bottom); y++) {
      for (let x = column(left); x <= column(right); x++) {
        const place = y * this.columns + x;
        if (place < this.items.length) places.push(place);
      }
    }
    return places;
  }

  placeOf(target) {
    const tile = target.closest?.(".tile");
    return tile ? Number(tile.dataset.place) : null;
  }

  #listen(signal) {
    const redraw = () => (this.frame ??= requestAnimationFrame(() => ((this.frame = null), this.draw())));
    addEventListener("scroll", redraw, { passive: true, signal });
    const watching = new ResizeObserver(() => this.layout());
    watching.observe(this.node);
    signal?.addEventListener("abort", () => watching.disconnect());
    this.selection?.addEventListener("change", () => this.mark());
    selecting(this);
  }

  #add(place) {
    const item = this.items[place];
    const node = h("div.tile", {
      role: "option",
      id: `tile-${place}`,
      data: { place },
      "aria-setsize": this.length,
      "aria-posinset": place + 1,
      "aria-label": item?.name,
      "aria-selected": Boolean(this.selection?.has(place)),
      title: item?.name,
    });
    const tile = { node, empty: !item };
    if (item) this.#fill(tile, item);
    node.classList.toggle("current", place === this.current);
    this.#position(tile, place);
    this.tiles.set(place, tile);
    this.node.append(node);
  }

  #fill(tile, item) {
    const image = h("img", { alt: "", decoding: "async", draggable: false });
    image.addEventListener("error", () => image.classList.add("missing"));
    tile.timer = setTimeout(() => (image.src = thumbnail(item.image_id, this.sharp)), SETTLE_MS);
    tile.node.append(image);
    const words = this.caption?.(item) ?? basename(item.name);
    if (words) tile.node.append(h("span.caption", {}, words));
  }

  #position({ node }, place) {
    const x = (place % this.columns) * this.step;
    const y = Math.floor(place / this.columns) * this.step;
    node.style.setProperty("transform", `translate(${x}px, ${y}px)`);
  }

  #drop({ node, timer }) {
    clearTimeout(timer);
    node.remove();
  }
}
