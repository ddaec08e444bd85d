/** One picture: large, with what is known of it, what is like it, and the ones beside it where one came from. */
import { get, send } from "../core/api.js";
import { h } from "../core/dom.js";
import { basename, count } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { Box } from "../parts/box.js";
import { ask } from "../parts/dialog.js";
import { collectionOf, frame } from "../parts/frame.js";
import { imageFacts, placesOf, rejection } from "../parts/image-facts.js";
import { nearDuplicates, neighbours } from "../parts/image-others.js";
import { forget, listOf, placeIn, step } from "../parts/sequence.js";
import { shortcuts } from "../parts/shortcuts.js";
import { complain, toast } from "../parts/toast.js";
import { Viewer } from "../parts/viewer.js";

export async function view(page) {
  const [image, found] = await Promise.all([get(`/v1/images/${page.params.image}`, page), collectionOf(page)]);
  const list = listOf(page.query.get("in"), found, page);
  const [beside, places] = await Promise.all([placeIn(list, image.id).catch(nowhere), placesOf(image, found, page)]);
  const shown = new ShownImage(page, found, image, list, beside);
  const node = frame(page, found, "Images", shown.layout(places));
  page.title(`${basename(image.name)} · ${found.collection.name}`);
  return node;
}

/** The list may be gone since (its cluster merged, its search expired); the picture is there all the same. */
function nowhere(error) {
  if (error.name === "AbortError") throw error;
  return null;
}

class ShownImage {
  constructor(page, found, image, list, beside) {
    Object.assign(this, { page, found, image, list, beside });
    this.ready = image.status === "ready";
    if (history.state === null) history.replaceState({ direct: true }, "");
    if (this.ready) this.#viewer();
  }

  layout(places) {
    const { image, found, page } = this;
    const about = h(
      "aside.image-side",
      {},
      h("h2", {}, basename(image.name)),
      imageFacts(image),
      h("section", {}, h("h3", {}, "Clusters"), places),
      this.ready ? [nearDuplicates(image, found, page), neighbours(image, found, page)] : null,
    );
    return h("div.image-view", {}, this.#bar(), this.ready ? this.#stage() : this.#why(), about);
  }

  #viewer() {
    this.viewer = new Viewer(this.image, { signal: this.page.signal, claimed: (event) => this.box.press(event) });
    const done = (box) =>
      go(
        address(`${this.found.path}/search`, {
          image: this.image.id,
          box: box.join(","),
          clustering: this.page.query.get("clustering"),
        }),
      );
    this.box = new Box(this.viewer, { done, ended: () => this.boxButton.setAttribute("aria-pressed", "false") });
  }

  #stage() {
    const button = (text, label, run) =>
      h("button.small", { type: "button", "aria-label": label, title: label, onclick: run }, text);
    const { viewer } = this;
    const zoom = h(
      "div.viewer-tools",
      { role: "group", "aria-label": "Zoom" },
      button("+", "Zoom in (+)", () => viewer.zoom(1.35)),
      button("−", "Zoom out (-)", () => viewer.zoom(1 / 1.35)),
      button("Fit", "Fit the whole picture in (0)", () => viewer.fit()),
      button("100%", "100%: full size (1)", () => viewer.actual()),
    );
    return h("div.image-stage", {}, viewer.node, zoom);
  }

  #bar() {
    const { image, found, list } = this;
    const leave = (event) => (event.preventDefault(), this.leave());
    const back = h(
      "a.button",
      { href: this.#back(), onclick: leave },
      icon("back"),
      "Back",
      h("span.more-words", {}, `to ${list?.name ?? "all pictures"}`),
    );
    this.boxButton = h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        disabled: !this.ready,
        title: "Search with a part of it (B)",
        onclick: () => this.toggleBox(),
      },
      "Draw a box",
    );
    const search = address(`${found.path}/search`, { image: image.id, clustering: this.page.query.get("clustering") });
    const similar = this.ready && h("a.button", { href: search }, icon("search"), "Find similar");
    return h(
      "div.image-bar",
      {},
      back,
      this.#steps(),
      h(
        "div.actions",
        {},
        similar,
        this.boxButton,
        h(
          "a.button",
          {
            href: `/v1/images/${image.id}/file`,
            download: basename(image.name),
            "aria-label": "Download the original",
          },
          icon("download"),
          h("span.more-words", {}, "Original"),
        ),
        h(
          "button",
          { type: "button", "aria-label": "Delete", onclick: () => this.remove().catch(complain) },
          icon("delete"),
          h("span.more-words", {}, "Delete"),
        ),
        shortcuts(this.page, this.#keys()),
      ),
    );
  }

  #steps() {
    if (!this.beside) return h("span.image-steps");
    const { place, total, before, after } = this.beside;
    const to = (id, symbol, label) =>
      h(
        "button.plain",
        { type: "button", "aria-label": label, title: label, disabled: !id, onclick: () => this.step(id) },
        icon(symbol),
      );
    const words = total === null ? count(place + 1) : `${count(place + 1)} of ${count(total)}`;
    return h(
      "span.image-steps",
      { role: "group", "aria-label": "Pictures beside it" },
      to(before, "back", "Previous picture (Arrow left)"),
      h("span", {}, words),
      to(after, "next", "Next picture (Arrow right)"),
    );
  }

  #keys() {
    return [
      { keys: ["ArrowLeft"], words: "Previous picture", run: () => this.step(this.beside?.before) },
      { keys: ["ArrowRight"], words: "Next picture", run: () => this.step(this.beside?.after) },
      {
        keys: ["+", "-", "0", "1"],
        words: "Zoom in, zoom out, show it whole, full size (when the picture has the focus)",
      },
      { keys: ["B"], words: "Draw a box and search with it", run: () => this.toggleBox() },
      { keys: ["Escape"], words: "Back", run: () => this.leave() },
    ];
  }

  #why() {
    const { status, error } = this.image;
    if (status === "pending") {
      return h(
        "div.state",
        {},
        h("h2", {}, "Not prepared yet"),
        h("p", {}, "Roost has the picture and will decode it in its turn. It is shown here once that is done."),
      );
    }
    return h(
      "div.state.failed",
      {},
      icon("warning"),
      h("h2", {}, "This picture was rejected"),
      h("p", {}, rejection(error)),
      error.detail !== rejection(error) ? h("p.quiet", {}, error.detail) : null,
    );
  }

  toggleBox() {
    if (!this.ready) return;
    if (this.box.on) return this.box.stop();
    this.boxButton.setAttribute("aria-pressed", "true");
    this.box.start();
  }

  step(id) {
    if (!id) return;
    const url = new URL(location.href);
    url.pathname = `${this.found.path}/images/${id}`;
    step(url.href);
  }

  #back() {
    return this.list?.href ?? address(`${this.found.path}/images`, { clustering: this.page.query.get("clustering") });
  }

  /** The browser's own way back keeps the place in the list; who came here directly has none. */
  leave() {
    if (this.box?.on) return this.box.stop();
    if (history.state?.direct || history.length < 2) go(this.#back());
    else history.back();
  }

  async remove() {
    const { image } = this;
    const text = "The original, its thumbnail and all that is known of it go for good.";
    const submit = () => send("DELETE", `/v1/images/${image.id}`).then(() => true);
    if (!(await ask({ title: `Delete ${basename(image.name)}?`, text, action: "Delete", danger: true, submit })))
      return;
    forget(image.id);
    toast(`${basename(image.name)} is deleted.`);
    const next = this.beside?.after ?? this.beside?.before;
    if (next) this.step(next);
    else go(this.#back(), { replaced: true });
  }
}
