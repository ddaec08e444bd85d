/** The clusters' contact sheets, page by page as they are scrolled to, kept in line with corrections. */
import { get } from "../core/api.js";
import { $, h } from "../core/dom.js";
import { address } from "../core/router.js";
import { Selection } from "./selection.js";
import { sheetCard } from "./sheet-card.js";
import { skeleton } from "./states.js";
import { complain } from "./toast.js";

const PAGE = 24;
const AHEAD = "500px"; // cards are there before they can be seen

export class Sheets {
  #turn = 0;
  #cursor = null;
  #busy = false;
  clusters = [];
  complete = false;
  selection = new Selection();

  /** `link(cluster)` gives a card's address, `rename(cluster, label)` saves a name, `completed()` is called at the end of the list. */
  constructor({ clustering, signal, order, k, link, rename, completed }) {
    Object.assign(this, { clustering, signal, order, k, link, rename, completed });
    this.list = h("ul.sheets", { "aria-label": "Clusters" });
    this.end = h("div.sheets-end", { "aria-hidden": "true" }, skeleton(3, "sheet-skeleton"));
    this.node = h("div.sheets-frame", {}, this.list, this.end);
    this.observer = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && this.more().catch(complain),
      { rootMargin: AHEAD },
    );
    signal.addEventListener("abort", () => this.observer.disconnect());
    this.selection.addEventListener("change", () => this.#mark());
  }

  /** From the start, in another order or another cut. What is there stays until the first page has come. */
  async restart(changes = {}) {
    Object.assign(this, changes);
    const mine = ++this.#turn;
    const page = await this.#fetch(null);
    if (mine !== this.#turn) return;
    this.selection.clear();
    this.node.style.setProperty("min-height", `${this.node.offsetHeight}px`); // the page does not scroll away under the hand
    this.clusters = [];
    this.list.replaceChildren();
    this.#take(page);
    this.node.style.removeProperty("min-height");
  }

  async more() {
    if (this.#busy || this.complete) return;
    this.#busy = true;
    const mine = this.#turn;
    try {
      const page = await this.#fetch(this.#cursor);
      if (mine === this.#turn) this.#take(page);
    } finally {
      this.#busy = false;
    }
  }

  /** Clusters as they are now, after a correction: changed ones stay where they are, new ones find their place. */
  apply(changed) {
    this.selection.clear();
    for (const cluster of changed) {
      const place = this.clusters.findIndex(({ id }) => id === cluster.id);
      if (place >= 0 && cluster.size) this.#replace(place, cluster);
      else if (place >= 0) this.#remove(place);
      else if (cluster.size) this.#insert(cluster);
    }
  }

  #fetch(cursor) {
    return get(
      address(`/v1/clusterings/${this.clustering}/clusters`, { limit: PAGE, order: this.order, k: this.k, cursor }),
      { signal: this.signal },
    );
  }

  #take({ items, next_cursor: cursor }) {
    const there = new Set(this.clusters.map(({ id }) => id));
    for (const cluster of items) if (!there.has(cluster.id)) this.#append(cluster);
    this.#cursor = cursor;
    this.complete = !cursor;
    this.end.hidden = this.complete;
    this.observer.unobserve(this.end);
    if (this.complete) this.completed?.();
    else this.observer.observe(this.end); // tells at once whether there is still room
  }

  #append(cluster) {
    this.clusters.push(cluster);
    this.list.append(this.#card(cluster));
  }

  #replace(place, cluster) {
    this.clusters[place] = cluster;
    const old = this.list.children[place];
    const focused = old.contains(document.activeElement);
    const card = this.#card(cluster);
    old.replaceWith(card);
    if (focused) $(".name-button", card)?.focus();
  }

  #remove(place) {
    this.clusters.splice(place, 1);
    this.list.children[place].remove();
  }

  #insert(cluster) {
    const after = this.clusters.findIndex((one) => before(cluster, one, this.order));
    if (after < 0 && !this.complete) return; // it will come with its page
    const place = after < 0 ? this.clusters.length : after;
    this.clusters.splice(place, 0, cluster);
    this.list.insertBefore(this.#card(cluster), this.list.children[place] ?? null);
  }

  #card(cluster) {
    const select = (event) => {
      const place = this.clusters.indexOf(cluster);
      event.shiftKey ? this.selection.range(place) : this.selection.toggle(place);
    };
    const rename = this.rename && ((label) => this.rename(cluster, label));
    return sheetCard(cluster, this.link(cluster), { select: this.rename && select, rename });
  }

  #mark() {
    for (const [place, card] of [...this.list.children].entries()) {
      const chosen = this.selection.has(place);
      card.classList.toggle("selected", chosen);
      const box = $(".sheet-check", card);
      if (box) box.checked = chosen;
    }
    this.list.classList.toggle("selecting", this.selection.size > 0);
  }
}

function before(one, other, order) {
  const key = order === "number" ? "id" : order;
  return key === "id" ? one.id < other.id : one[key] > other[key];
}
