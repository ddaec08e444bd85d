/** What can be done with the points inside a lasso: move them, look at them as a grid, let go of them. */
import { h, replace } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { go } from "../core/router.js";
import { chooseCluster } from "./choose-cluster.js";
import { Grid } from "./grid.js";
import { complain } from "./toast.js";

const AT_ONCE = 10_000; // images of one edit, says the API
const OUT = "out";

/**
 * map: { data, clusters, edits, name(number), address(id), page }. `bar` stands over the map, `sheet` under it.
 * `changed()` is called when the selection is another.
 */
export class MapSelection {
  points = [];

  constructor(map, changed) {
    Object.assign(this, { map, changed });
    this.bar = h("div.map-selection", { role: "status", hidden: true });
    this.sheet = h("section.map-sheet", { "aria-label": "Selected pictures", hidden: true });
  }

  has(point) {
    return this.members.has(point);
  }

  set(points) {
    this.points = points;
    this.members = new Set(points);
    this.bar.hidden = !points.length;
    this.close();
    if (points.length) this.#draw();
    this.changed();
  }

  clear() {
    if (this.points.length) this.set([]);
  }

  close() {
    this.stop?.abort();
    this.sheet.hidden = true;
    replace(this.sheet);
  }

  #draw() {
    const button = (text, run, kind = "button.small") => h(kind, { type: "button", onclick: run }, text);
    replace(
      this.bar,
      h("strong", {}, `${counted(this.points.length, "picture")} selected`),
      button("Move to …", (event) => this.#move(event.currentTarget)),
      button("Open as a grid", () => this.open().catch(complain)),
      h(
        "button.plain",
        { type: "button", "aria-label": "Clear the selection", title: "Clear (Escape)", onclick: () => this.clear() },
        icon("close"),
      ),
    );
  }

  /** More than one edit takes are sent one after the other; each can be undone for itself. */
  async #move(button) {
    const { data, clusters, edits } = this.map;
    const extra = [{ value: OUT, name: "Out of all clusters", icon: "close" }];
    const chosen = await chooseCluster(`Move ${counted(this.points.length, "picture")} to …`, clusters, { extra });
    if (!chosen) return;
    button.disabled = true;
    try {
      const ids = this.points.map(data.id);
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        await edits.make({
          kind: "move",
          images: ids.slice(from, from + AT_ONCE),
          cluster: chosen === OUT ? null : chosen.id,
        });
      }
    } catch (error) {
      complain(error);
    }
    button.disabled = false;
  }

  async open() {
    const { data, name, address } = this.map;
    this.close();
    this.stop = new AbortController();
    this.map.page.leave(() => this.stop.abort());
    const points = [...this.points];
    const item = (point, place) => ({
      image_id: data.id(point),
      name: `${name(data.clusters[point])}, picture ${place + 1}`,
      cluster: name(data.clusters[point]),
    });
    const grid = new Grid({
      load: async () => ({ items: points.map(item), next_cursor: null }),
      total: points.length,
      label: "Selected pictures",
      signal: this.stop.signal,
      caption: ({ cluster }) => cluster,
      open: ({ image_id: id }) => go(address(id)),
    });
    const heading = h("h2", { tabindex: -1 }, `${counted(points.length, "picture")} inside the lasso`);
    const close = h("button.small", { type: "button", onclick: () => this.close() }, "Close");
    replace(this.sheet, h("header", {}, heading, close), grid.node);
    this.sheet.hidden = false;
    await grid.ready();
    heading.focus({ preventScroll: true });
    this.sheet.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
}
