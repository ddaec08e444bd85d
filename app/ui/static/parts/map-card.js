/** What a point is: its picture, name and cluster, beside the pointer and inside the window. */
import { get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { basename } from "../core/format.js";
import { css } from "./hues.js";
import { picture } from "./picture.js";

const AWAY_PX = 18; // from the pointer
const EDGE_PX = 8;
const SETTLE_MS = 90; // a point that the pointer only crosses is not asked for

export class MapCard {
  constructor() {
    this.node = h("div.map-card", { hidden: true, "aria-hidden": "true" });
    this.names = new Map();
  }

  /** `open` makes it a link, for fingers, which cannot hover. */
  show({ id, cluster, colour, x, y, open = null }) {
    if (this.id !== id) {
      this.id = id;
      clearTimeout(this.timer);
      this.name = h("span.name", {}, this.names.get(id) ?? " ");
      const words = [this.name, h("span.quiet", {}, h("span.swatch", { style: { background: css(colour) } }), cluster)];
      this.image = h("div.frame");
      const inside = [this.image, h("div.words", {}, words)];
      replace(this.node, open ? h("a", { href: open }, inside) : inside);
      this.timer = setTimeout(() => this.#fill(id), SETTLE_MS);
    }
    this.node.hidden = false;
    this.node.classList.toggle("touch", Boolean(open));
    this.node.setAttribute("aria-hidden", String(!open));
    this.#place(x, y);
  }

  hide() {
    clearTimeout(this.timer);
    this.id = null;
    this.node.hidden = true;
  }

  #fill(id) {
    this.image.append(picture(id, { eager: true }));
    if (this.names.has(id)) return;
    get(`/v1/images/${id}`).then(
      ({ name }) => {
        this.names.set(id, basename(name));
        if (this.id === id) this.name.textContent = basename(name);
      },
      () => {},
    ); // a card without a name is no reason to complain: the picture may just have been deleted
  }

  #place(x, y) {
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const left = x + AWAY_PX + width + EDGE_PX < innerWidth ? x + AWAY_PX : x - AWAY_PX - width;
    const top = Math.min(y + AWAY_PX, innerHeight - height - EDGE_PX);
    this.node.style.setProperty("left", `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`);
    this.node.style.setProperty("top", `${Math.max(EDGE_PX, top)}px`);
  }
}
