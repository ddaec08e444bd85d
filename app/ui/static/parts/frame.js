/** What all views of a collection share: its name and numbers, its tabs, what is being worked on, its actions. */
import { get, read, send } from "../core/api.js";
import { h } from "../core/dom.js";
import { bytes, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { ask, confirmByName, field } from "./dialog.js";
import { pick } from "./dock.js";
import { menu } from "./menu.js";
import { sortDialog } from "./sort-dialog.js";
import { toast } from "./toast.js";
import { work } from "./work.js";

const TABS = [
  ["Clusters", ""],
  ["Images", "/images"],
  ["Map", "/map"],
  ["Search", "/search"],
  ["Near-duplicates", "/duplicates"],
  ["Outliers", "/outliers"],
  ["Encoders", "/encoders"],
];

/**
 * The collection that an address names and the clustering that it shows: ?clustering=, or else the newest.
 * {collection, etag, clusterings, clustering, path} - clustering is null before the first.
 */
export async function collectionOf(page) {
  const path = `/v1/collections/${page.params.collection}`;
  const [{ body: collection, etag }, { items: clusterings }] = await Promise.all([
    read(path, page),
    get(`${path}/clusterings?limit=100`, page),
  ]);
  const wanted = page.query.get("clustering");
  const chosen =
    clusterings.find((one) => one.id === wanted) ??
    (wanted ? await get(`/v1/clusterings/${wanted}`, page) : clusterings[0]);
  return { collection, etag, clusterings, clustering: chosen ?? null, path: `/collections/${collection.id}` };
}

/** The frame around a view's content. `tools` stand above it; `without` is a job that the content shows by itself. */
export function frame(page, found, tab, content, { tools = [], without = null } = {}) {
  page.title(tab === "Clusters" ? found.collection.name : `${tab} · ${found.collection.name}`);
  return h(
    "div.collection",
    {},
    head(page, found),
    tabs(found, tab),
    work(page, found, without),
    tools.length ? h("div.tools", {}, tools) : null,
    content,
  );
}

function head(page, found) {
  const { collection } = found;
  const { ready, pending, rejected } = collection.images;
  const numbers = [
    counted(ready, "picture"),
    bytes(collection.bytes),
    pending ? `${pending} being prepared` : null,
    rejected ? h("a", { href: `${found.path}/images?status=rejected` }, `${rejected} rejected`) : null,
  ].filter(Boolean);
  return h(
    "header.collection-head",
    {},
    h(
      "div",
      {},
      h("h1", {}, collection.name),
      h(
        "p.quiet.numbers",
        {},
        numbers.map((part) => h("span", {}, part)),
      ),
      collection.description && h("p.quiet", {}, collection.description),
    ),
    h(
      "div.actions",
      {},
      h("button", { type: "button", onclick: () => pick(collection.id) }, icon("upload"), "Add pictures"),
      h(
        "button.primary",
        { type: "button", onclick: () => sortDialog(page, found), disabled: !ready },
        icon("sort"),
        "Sort",
      ),
      menu("More about this collection", actions(page, found)),
    ),
  );
}

function actions(page, found) {
  const { clustering, path } = found;
  const file = (format) => `/v1/clusterings/${clustering.id}/export?format=${format}`;
  return [
    { name: "Rename or describe", icon: "edit", run: () => rename(page, found) },
    clustering && {
      name: "History of corrections",
      icon: "undo",
      href: address(`${path}/history`, { clustering: clustering.id }),
    },
    clustering && { name: "Two clusterings side by side", icon: "compare", href: `${path}/compare` },
    clustering && {
      name: "Export as CSV",
      icon: "download",
      href: `/v1/clusterings/${clustering.id}/assignments?format=csv`,
      download: "clusters.csv",
    },
    clustering && { name: "Export as folders (zip)", icon: "download", href: file("zip"), download: "" },
    clustering && { name: "Export as COCO", icon: "download", href: file("coco"), download: "" },
    { name: "Delete collection", icon: "delete", danger: true, run: () => remove(found) },
  ];
}

/** Name and description, both of which may be changed at once. */
export function rename(page, { collection, etag }) {
  const fields = [
    field("Name", { name: "name", value: collection.name, required: true, maxlength: 200, autofocus: true }),
    field("Description", { name: "description", value: collection.description ?? "", rows: 3, maxlength: 2000 }),
  ];
  const submit = ({ name, description }) =>
    send("PATCH", `/v1/collections/${collection.id}`, { body: { name, description: description || null }, etag });
  return ask({ title: "Rename or describe", fields, action: "Save", submit }).then((done) => done && page.reload());
}

export async function remove({ collection }) {
  const text = `${counted(collection.images.ready, "picture")} with all clusters, names and encoders go for good.`;
  const submit = () => send("DELETE", `/v1/collections/${collection.id}`);
  if (await confirmByName({ title: `Delete “${collection.name}”?`, text, name: collection.name, submit })) {
    toast(`“${collection.name}” is deleted.`);
    go("/");
  }
}

function tabs(found, tab) {
  const chosen = found.clustering && found.clustering !== found.clusterings[0] ? found.clustering.id : null;
  const links = TABS.map(([name, path]) =>
    h(
      "a",
      { href: address(found.path + path, { clustering: chosen }), "aria-current": name === tab ? "page" : null },
      name,
    ),
  );
  return h("nav.tabs", { "aria-label": "Collection" }, links);
}
