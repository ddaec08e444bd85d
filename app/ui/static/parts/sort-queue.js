/** The pictures to be sorted by keyboard, fetched ahead: of a cluster, outliers, or all from the oddest on. */
import { all, get } from "../core/api.js";
import { clusterOf } from "../core/clusters.js";
import { address } from "../core/router.js";

const PAGE = 200;
const AHEAD = 30; // the next page is asked for when fewer are left
const WHOLE = 5000; // a cluster up to this size is turned round: least typical first

export class SortQueue {
  #cursor = null;
  #loading = null;
  items = [];
  place = 0;
  complete = false;

  /** `source`: a cluster's number, "outliers", or "all". */
  constructor(clustering, source, page) {
    Object.assign(this, { clustering, source, page, total: null });
  }

  get current() {
    return this.items[this.place] ?? null;
  }

  async start() {
    if (typeof this.source === "number") await this.#cluster();
    else await this.#more();
    return this;
  }

  /** Forward or back by one. Resolves when there is something to show, or nothing left. */
  async step(by = 1) {
    this.place = Math.max(0, this.place + by);
    if (this.items.length - this.place > AHEAD || this.complete) return;
    const more = this.#more();
    if (!this.current) await more;
    else more.catch(() => {}); // it is asked for again with the next picture
  }

  next(count) {
    return this.items.slice(this.place + 1, this.place + 1 + count);
  }

  get left() {
    return this.total === null ? null : Math.max(0, this.total - this.place);
  }

  async #cluster() {
    const number = this.source;
    const path = `/v1/clusterings/${this.clustering.id}/clusters/${number}`;
    const cluster = await clusterOf(this.clustering.id, number, this.page);
    if (cluster && cluster.size <= WHOLE) {
      this.items = (await all(`${path}/images?limit=500`, this.page)).reverse();
      this.complete = true;
    } else if (cluster) await this.#more();
    this.items.forEach((item) => (item.cluster = number));
    this.total = cluster?.size ?? 0;
  }

  #more() {
    this.#loading ??= this.#page().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #page() {
    const { items, next_cursor: cursor } = await get(this.#address(), this.page);
    if (typeof this.source === "number") items.forEach((item) => (item.cluster = this.source));
    this.items.push(...items);
    this.#cursor = cursor;
    this.complete = !cursor;
    if (this.source === "all") this.total = this.clustering.images;
    else if (this.source === "outliers")
      this.total = this.complete ? this.items.length : Math.max(this.clustering.outliers, this.items.length);
  }

  #address() {
    const path = `/v1/clusterings/${this.clustering.id}`;
    if (typeof this.source === "number")
      return address(`${path}/clusters/${this.source}/images`, { limit: PAGE, cursor: this.#cursor });
    return address(`${path}/outliers`, { limit: PAGE, at_least: this.source === "all" ? 0 : 1, cursor: this.#cursor });
  }
}
