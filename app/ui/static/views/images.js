/** All pictures of a collection, filtered; the rejected ones with the reason, in a table. */
import { get } from "../core/api.js";
import { clustersOf } from "../core/clusters.js";
import { h, replace } from "../core/dom.js";
import { address, go, query } from "../core/router.js";
import { deletePictures } from "../parts/delete-pictures.js";
import { filters, filtersOf } from "../parts/filters.js";
import { collectionOf, frame } from "../parts/frame.js";
import { Grid } from "../parts/grid.js";
import { rejectedTable } from "../parts/rejected-table.js";
import { segmented } from "../parts/segmented.js";
import { Selection } from "../parts/selection.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { toolbar } from "../parts/toolbar.js";

const STATUSES = [
  ["ready", "Ready"],
  ["pending", "Being prepared"],
  ["rejected", "Rejected"],
];
const PAGE = 200;

export async function view(page) {
  const found = await collectionOf(page);
  const clusters = found.clustering ? await clustersOf(found.clustering.id, page) : [];
  const content = h("div.images-content", { "aria-live": "off" });
  const show = (parameters) => fill(page, found, parameters, content);
  const changed = (parameters) => show(parameters).catch(complain);
  await show(page.query);
  const status = segmented("Which pictures", STATUSES, page.query.get("status") ?? "ready", (value) =>
    changed(query({ status: value === "ready" ? null : value })),
  );
  return frame(page, found, "Images", h("div.images", {}, content), {
    tools: [status, filters(page.query, clusters, changed)],
  });
}

let turn = 0;

/** Only the newest answer is shown: the one before may come later. */
async function fill(page, found, parameters, content) {
  const mine = ++turn;
  const status = parameters.get("status") ?? "ready";
  const chosen = filtersOf(parameters, found.clustering);
  const list = address(`/v1/collections/${found.collection.id}/images`, { status, ...chosen });
  const first = await get(`${list}&limit=${PAGE}`, page);
  if (mine !== turn) return;
  if (!first.items.length) return replace(content, nothing(status, chosen, parameters));
  if (status === "rejected") return replace(content, rejectedTable(found, list, first, page));
  const total = Object.keys(chosen).length ? null : found.collection.images[status];
  await grid(page, found, { list, first, total, parameters }, content);
}

function nothing(status, chosen) {
  if (Object.keys(chosen).length) return empty("No picture fits", "Take a filter away, or make it wider.");
  if (status === "pending") return empty("Nothing is waiting", "All pictures are prepared.");
  if (status === "rejected")
    return empty("No picture was rejected", "Files that cannot be read would be listed here with the reason.");
  return empty("No pictures yet", "Drop files, folders or archives anywhere on this page.");
}

async function grid(page, found, { list, first, total, parameters }, content) {
  const selection = new Selection();
  const stop = new AbortController();
  page.signal.addEventListener("abort", () => stop.abort());
  const load = async (cursor) => {
    const { items, next_cursor: next } = cursor
      ? await get(address(list, {}) + `&limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`, page)
      : first;
    return { items: items.map((one) => ({ ...one, image_id: one.id })), next_cursor: next };
  };
  const open = ({ image_id: id }) =>
    go(
      address(`${found.path}/images/${id}`, {
        in: `images|${listed(parameters)}`,
        clustering: parameters.get("clustering"),
      }),
    );
  const made = new Grid({ load, total, selection, open, label: "Pictures", signal: stop.signal });
  const work = h("div.work");
  const bar = toolbar(selection, "picture", [
    { name: "Open", icon: "image", most: 1, run: () => open(made.items[selection.places[0]]) },
    { name: "Delete", icon: "delete", run: () => remove(made, selection, work) },
  ]);
  content.stop?.abort();
  content.stop = stop;
  replace(content, work, made.node, bar);
  await made.ready();
}

/** Of the address what names the list. */
function listed(parameters) {
  const kept = new URLSearchParams(parameters);
  kept.delete("clustering");
  return kept.toString();
}

/** Of a long selection only what has come from the service can be named. */
async function remove(made, selection, place) {
  const ids = selection.places.map((at) => made.items[at]?.image_id).filter(Boolean);
  const gone = new Set(await deletePictures(ids, "The originals and all that is known of them go for good.", place));
  if (gone.size) made.remove([...made.items.keys()].filter((at) => gone.has(made.items[at].image_id)));
}
