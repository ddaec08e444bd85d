/** All collections, as cards with what is in them. */
import { pages, post, read } from "../core/api.js";
import { h } from "../core/dom.js";
import { ago, bytes, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { go } from "../core/router.js";
import { ask, field } from "../parts/dialog.js";
import { remove, rename } from "../parts/frame.js";
import { menu } from "../parts/menu.js";
import { mosaic } from "../parts/picture.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { sampleButton } from "../parts/sample.js";

export async function view(page) {
  page.title("Collections");
  const cards = h("ul.cards");
  const list = pages("/v1/collections?limit=48", page);
  const first = await list.next();
  for (const one of first.value) cards.append(card(page, one));
  const more = h("button", { type: "button", onclick: () => next().catch(complain) }, "Show more");
  const next = async () => {
    const { value, done } = await list.next();
    for (const one of value ?? []) cards.append(card(page, one));
    more.hidden = done;
  };
  more.hidden = first.value.length < 48;
  if (!first.value.length) return welcome();
  return h(
    "section.collections",
    {},
    h("header.page-head", {}, h("h1", {}, "Collections"), h("div.actions", {}, sampleButton(), newButton())),
    cards,
    more,
  );
}

function card(page, collection) {
  const { ready, pending } = collection.images;
  const state = collection.job_id
    ? "working"
    : collection.clustering_id
      ? "sorted"
      : ready
        ? "not sorted yet"
        : pending
          ? "preparing"
          : "empty";
  const open = async (then) => then(page, { ...(await found(collection.id)) });
  return h(
    "li.card",
    {},
    h(
      "a.card-link",
      { href: `/collections/${collection.id}` },
      mosaic(collection.covers),
      h("h2", {}, collection.name),
      h("p.quiet", {}, `${counted(ready, "picture")} · ${bytes(collection.bytes)}`),
      h("p.card-state", { data: { state } }, state, h("span.quiet", {}, ` · changed ${ago(collection.updated_at)}`)),
    ),
    menu(`More about ${collection.name}`, [
      { name: "Rename or describe", icon: "edit", run: () => open(rename).catch(complain) },
      {
        name: "Delete collection",
        icon: "delete",
        danger: true,
        run: () => open((_, one) => remove(one)).catch(complain),
      },
    ]),
  );
}

async function found(id) {
  const { body, etag } = await read(`/v1/collections/${id}`);
  return { collection: body, etag };
}

function welcome() {
  return h(
    "section.welcome",
    {},
    h("h1", {}, "Sort pictures nobody has labelled"),
    h(
      "p.lead",
      {},
      "Drop a folder in. Minutes later what looks alike lies together, what is odd lies apart, and any picture finds its neighbours. Nothing leaves this machine.",
    ),
    h("div.actions", {}, newButton("Create a collection"), sampleButton("Try it with a sample gallery")),
    h(
      "ol.steps",
      {},
      step("upload", "Upload", "Files, folders, zip or tar archives: dropped anywhere on the page."),
      step("sort", "Look", "Clusters as contact sheets, a map, outliers and near-duplicates."),
      step("edit", "Correct", "Name, merge, split and move by mouse or keyboard. All can be undone."),
      step("train", "Improve", "Train the encoder on your own pictures, and use it only if it is better."),
    ),
  );
}

const step = (symbol, title, text) => h("li", {}, icon(symbol), h("h2", {}, title), h("p.quiet", {}, text));

function newButton(text = "New collection") {
  const create = async () => {
    const fields = [
      field("Name", { name: "name", required: true, maxlength: 200, autofocus: true, placeholder: "Garden 2026" }),
    ];
    const made = await ask({
      title: "New collection",
      fields,
      action: "Create",
      submit: ({ name }) => post("/v1/collections", { name }),
    });
    if (made) go(`/collections/${made.id}`);
  };
  return h("button.primary", { type: "button", onclick: create }, icon("add"), text);
}
