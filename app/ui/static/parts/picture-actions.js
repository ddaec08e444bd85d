/** What can be done with selected pictures of a clustering. Those that leave vanish at once and come back on failure. */
import { h } from "../core/dom.js";
import { basename, counted } from "../core/format.js";
import { nameOf } from "../core/clusters.js";
import { address, go } from "../core/router.js";
import { chooseCluster } from "./choose-cluster.js";
import { toast } from "./toast.js";

const AT_ONCE = 10_000; // images that one correction may name
const FILES = 30; // that a browser is asked to save one by one
const EXAMPLES = 20; // that a search may be made from

/**
 * `clusters()` lists those there are; `home(item)` is the number of the cluster that an item is in, null for none; `leaves` is whether an item that goes
 * elsewhere leaves the grid.
 */
export class PictureActions {
  constructor({ page, found, grid, edits, clusters, home, leaves }) {
    Object.assign(this, { page, found, grid, edits, clusters, home, leaves });
  }

  /** The selected items that have come from the service already. */
  get items() {
    return this.grid.selection.places.map((place) => this.grid.items[place]).filter(Boolean);
  }

  async move() {
    const { items } = this;
    if (!items.length) return;
    const homes = new Set(items.map(this.home));
    const clusters = this.clusters().filter(({ id }) => homes.size > 1 || !homes.has(id));
    const extra = [{ value: "none", name: "No cluster", icon: "close" }];
    if (homes.size === 1 && !homes.has(null)) extra.unshift({ value: "new", name: "A new cluster", icon: "add" });
    const chosen = await chooseCluster(`Move ${counted(items.length, "picture")} to`, clusters, { extra });
    if (chosen === "new") await this.split();
    else if (chosen) await this.moveTo(chosen === "none" ? null : chosen);
  }

  moveTo(cluster) {
    const words = cluster ? `to ${nameOf(cluster)}` : "out of all clusters";
    return this.#leave(
      { kind: "move", cluster: cluster?.id ?? null },
      `${counted(this.items.length, "picture")} moved ${words}`,
    );
  }

  split() {
    const { items } = this;
    return this.#leave(
      { kind: "split", cluster: this.home(items[0]) },
      `${counted(items.length, "picture")} in a new cluster`,
    );
  }

  /** "Not this one": each picture goes to the nearest other cluster. */
  exclude() {
    const { items } = this;
    if (!items.length) return null;
    return this.#leave(
      { kind: "exclude", cluster: this.home(items[0]) },
      `${counted(items.length, "picture")} sent to the nearest other cluster`,
    );
  }

  pin() {
    return this.#stay("pin", "pinned: they stay here in later runs too");
  }

  unpin() {
    return this.#stay("unpin", "no longer pinned");
  }

  findSimilar() {
    const ids = this.items.map(({ image_id: id }) => id);
    if (!ids.length) return;
    const search = `${this.found.path}/search`;
    go(
      ids.length === 1
        ? address(search, { image: ids[0] })
        : address(search, { like: ids.slice(0, EXAMPLES).join(",") }),
    );
  }

  download() {
    const { items } = this;
    for (const { image_id: id, name } of items.slice(0, FILES)) {
      const link = h("a", { href: `/v1/images/${id}/file`, download: basename(name) });
      document.body.append(link);
      link.click();
      link.remove();
    }
    if (items.length > FILES)
      toast(`The first ${FILES} are being saved. For more, export the clustering as folders (the menu beside Sort).`);
  }

  async #stay(kind, words) {
    const { items } = this;
    if (!items.length) return;
    await this.edits.make({ kind, images: named(items) }, `${counted(items.length, "picture")} ${words}`);
    this.grid.selection.clear();
  }

  async #leave(edit, words) {
    const { grid, items } = this;
    if (!items.length) return;
    const sent = { ...edit, images: named(items) };
    const before = [grid.items, grid.total];
    if (this.leaves) grid.remove(grid.selection.places);
    const after = grid.items;
    const done = await this.edits.make(sent, words).catch((error) => {
      this.#comeBack(before, after);
      throw error;
    });
    if (!done) this.#comeBack(before, after);
    else if (!this.leaves) grid.selection.clear();
  }

  /** As it was, unless more has come or gone meanwhile: then the list is read anew. */
  #comeBack([items, total], after) {
    const { grid } = this;
    if (!this.leaves) return;
    if (grid.items !== after || grid.items.length > after.length) return this.page.reload();
    grid.items = items;
    grid.total = total;
    grid.redraw();
  }
}

function named(items) {
  if (items.length > AT_ONCE) throw new Error(`At most ${AT_ONCE} pictures at a time; select fewer.`);
  return items.map(({ image_id: id }) => id);
}
