/** The map of a clustering as one sees and handles it: points, card, legend and selection together. */
import { clustersOf, nameOf } from "../core/clusters.js";
import { editsOf } from "../core/edits.js";
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { address, go, query } from "../core/router.js";
import { gestures, within } from "./gestures.js";
import { hue, onTheme } from "./hues.js";
import { lasso } from "./lasso.js";
import { MapCard } from "./map-card.js";
import { inks, shuffle } from "./map-colours.js";
import { mapOf } from "./map-data.js";
import { legend } from "./map-legend.js";
import { MapSelection } from "./map-selection.js";
import { Nearest } from "./nearest.js";
import { Points } from "./points.js";
import { shortcuts } from "./shortcuts.js";
import { complain } from "./toast.js";

const REACH_PX = 12; // so near the pointer a point is meant
const MIDDLE_PX = 40; // and so near the middle, by keyboard
const STEP_PX = 70; // an arrow key
const NEARER = 1.4;
const REMEMBER_MS = 400;

export class GalleryMap {
  constructor(page, found, data, clusters) {
    Object.assign(this, { page, found, data, clusters });
    this.chosen = new Set((page.query.get("cluster") ?? "").split(",").filter(Boolean).map(Number));
    this.looked = null;
    this.nearest = new Nearest(data.xy);
    this.shuffled = shuffle(data.count);
    const label =
      `Map of ${counted(data.count, "picture")}. ` +
      "Arrows move it, plus and minus zoom, 0 shows all, Enter opens the picture in the middle. Its clusters are listed beside it.";
    this.points = new Points(data.xy, { label, signal: page.signal });
    this.card = new MapCard();
    this.selection = new MapSelection(this, () => this.recolour());
    this.side = h("aside.map-side");
    this.node = this.#layout();
    this.#listen();
    this.#restore();
    this.#legend();
    this.recolour();
  }

  async ready() {
    this.edits = await editsOf(this.found.clustering.id, this.page, () => this.refresh().catch(complain));
    return this;
  }

  name = (number) => (number < 0 ? "In no cluster" : (this.names.get(number) ?? `Cluster ${number}`));

  address = (id) => address(`${this.found.path}/images/${id}`, { in: "map", clustering: this.found.clustering.id });

  /** After a correction the pictures lie where they lay; their clusters may be others. */
  async refresh() {
    const id = this.found.clustering.id;
    [this.data, this.clusters] = await Promise.all([mapOf(id, this.page), clustersOf(id, this.page)]);
    this.selection.clear();
    this.#legend();
    this.recolour();
  }

  recolour() {
    const { data, shuffled, chosen, looked, selection } = this;
    const bright =
      looked !== null
        ? (point) => data.clusters[point] === looked
        : selection.points.length
          ? (point) => selection.has(point)
          : null;
    const { order, colours } = inks({ clusters: data.clusters, shuffled, chosen, bright });
    this.points.show(order, colours);
  }

  shown = (point) => !this.chosen.size || this.chosen.has(this.data.clusters[point]);

  #layout() {
    const button = (text, label, run) =>
      h("button.small", { type: "button", "aria-label": label, title: label, onclick: run }, text);
    this.lassoButton = h(
      "button.small",
      { type: "button", "aria-pressed": "false", title: "Draw around pictures (L)", onclick: () => this.lasso() },
      "Lasso",
    );
    const help = shortcuts(this.page, this.#keys());
    const tools = h(
      "div.map-tools",
      { role: "group", "aria-label": "Map" },
      this.lassoButton,
      button("+", "Zoom in (+)", () => this.points.zoom(NEARER)),
      button("−", "Zoom out (-)", () => this.points.zoom(1 / NEARER)),
      button("Fit", "Fit the whole map in (0)", () => this.points.fit()),
      help,
    );
    return h(
      "div.map-view",
      {},
      h("div.map-main", {}, this.points.node, tools, this.selection.bar),
      this.side,
      this.card.node,
      this.selection.sheet,
    );
  }

  #keys() {
    return [
      { keys: ["L"], words: "Lasso on or off; holding Shift while drawing does it too", run: () => this.lasso() },
      { keys: ["Escape"], words: "Clear the selection", run: () => this.escape() },
      { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], words: "Move the map (when it has the focus)" },
      { keys: ["+", "-", "0"], words: "Zoom in, zoom out, show all (when it has the focus)" },
      { keys: ["Enter"], words: "Open the picture in the middle (when it has the focus)" },
    ];
  }

  #listen() {
    const { node } = this.points;
    const { signal } = this.page;
    gestures(node, {
      pan: (dx, dy) => (this.card.hide(), this.points.pan(dx, dy)),
      zoom: (factor, x, y) => (this.card.hide(), this.points.zoom(factor, x, y)),
      tap: (place, event) => this.#tap(place, event),
      claimed: (event) => this.#claimed(event),
      signal,
    });
    node.addEventListener("pointermove", (event) => event.buttons || this.#hover(event));
    node.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.card.hide());
    node.addEventListener("keydown", (event) => this.#key(event));
    node.addEventListener("blur", () => this.card.hide());
    this.points.addEventListener("sight", () => this.#remember());
    onTheme(() => (this.recolour(), this.legend.update()), signal);
    addEventListener("scroll", () => this.card.hide(), { passive: true, signal });
  }

  lasso(on = this.lassoButton.getAttribute("aria-pressed") === "false") {
    this.lassoButton.setAttribute("aria-pressed", String(on));
    this.points.node.classList.toggle("drawing", on);
    this.card.hide();
  }

  escape() {
    if (this.selection.points.length) this.selection.clear();
    else this.lasso(false);
  }

  /** The lasso stays on for fingers and after L; with Shift it is for once. */
  #claimed(event) {
    if (!event.shiftKey && !this.points.node.classList.contains("drawing")) return false;
    this.card.hide();
    lasso(this.points.node, event, (corners) => {
      const line = [];
      for (let place = 0; place < corners.length; place += 2) {
        const { x, y } = this.points.toData(corners[place], corners[place + 1]);
        line.push(x, y);
      }
      this.selection.set(this.nearest.inside(line).filter(this.shown));
    });
    return true;
  }

  #at({ x, y }, reach = REACH_PX) {
    const place = this.points.toData(x, y);
    const wide = Math.max(reach, this.points.sight.diameter / 2) / this.points.sight.scale;
    return this.nearest.to(place.x, place.y, wide, this.shown);
  }

  #hover(event) {
    if (event.pointerType !== "mouse" || this.points.node.classList.contains("drawing")) return;
    const point = this.#at(within(this.points.node, event));
    this.points.node.classList.toggle("pointing", point >= 0);
    if (point < 0) this.card.hide();
    else this.#describe(point, event.clientX, event.clientY);
  }

  #describe(point, x, y, open = null) {
    const number = this.data.clusters[point];
    this.card.show({ id: this.data.id(point), cluster: this.name(number), colour: hue(number), x, y, open });
  }

  #tap(place, event) {
    const point = this.#at(place, event.pointerType === "mouse" ? REACH_PX : 2 * REACH_PX);
    if (point < 0) return this.card.hide();
    const href = this.address(this.data.id(point));
    if (event.pointerType === "mouse") go(href);
    else this.#describe(point, event.clientX, event.clientY, href);
  }

  #key(event) {
    const pan = { ArrowLeft: [STEP_PX, 0], ArrowRight: [-STEP_PX, 0], ArrowUp: [0, STEP_PX], ArrowDown: [0, -STEP_PX] }[
      event.key
    ];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pan) this.points.pan(...pan);
    else if (event.key === "+" || event.key === "=") this.points.zoom(NEARER);
    else if (event.key === "-") this.points.zoom(1 / NEARER);
    else if (event.key === "0") this.points.fit();
    else if (event.key === "Enter" && this.middle >= 0) go(this.address(this.data.id(this.middle)));
    else return;
    event.preventDefault();
    if (event.key !== "Enter") this.#describeMiddle();
  }

  #describeMiddle() {
    const { width, height } = this.points.sight;
    this.middle = this.#at({ x: width / 2, y: height / 2 }, MIDDLE_PX);
    if (this.middle < 0) return this.card.hide();
    const place = this.points.node.getBoundingClientRect();
    const { x, y } = this.points.toScreen(this.middle);
    this.#describe(this.middle, place.left + x, place.top + y);
  }

  #legend() {
    const sizes = new Map();
    for (const number of this.data.clusters) sizes.set(number, (sizes.get(number) ?? 0) + 1);
    this.names = new Map(this.clusters.map((one) => [one.id, nameOf(one)]));
    const chosen = { clustering: this.found.clustering.id };
    const entries = this.clusters.map(({ id }) => ({
      number: id,
      name: this.name(id),
      size: sizes.get(id) ?? 0,
      href: address(`${this.found.path}/clusters/${id}`, chosen),
    }));
    if (sizes.has(-1)) entries.push({ number: -1, name: this.name(-1), size: sizes.get(-1), href: null });
    const highlight = (number) => {
      this.looked = number;
      this.recolour();
    };
    this.legend = legend({
      entries,
      chosen: this.chosen,
      highlight,
      toggle: (number) => this.#toggle(number),
      clear: () => this.#toggle(null),
    });
    this.side.replaceChildren(this.legend);
  }

  #toggle(number) {
    if (number === null) this.chosen.clear();
    else this.chosen.delete(number) || this.chosen.add(number);
    query({ cluster: [...this.chosen].join(",") });
    this.legend.update();
    this.recolour();
  }

  #restore() {
    const [x, y, times] = (this.page.query.get("at") ?? "").split(",").map(Number);
    if (times > 0 && Number.isFinite(x + y)) this.points.lookAt(x, y, times);
  }

  /** Where one looks stands in the address, but not at every step of the way. */
  #remember() {
    clearTimeout(this.remembering);
    if (this.page.signal.aborted) return;
    this.remembering = setTimeout(() => {
      if (this.page.signal.aborted) return;
      const { sight, fitting, times } = this.points;
      query({ at: fitting ? null : [sight.x.toFixed(3), sight.y.toFixed(3), times.toFixed(2)].join(",") });
    }, REMEMBER_MS);
  }
}
