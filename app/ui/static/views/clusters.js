/** A collection's clusters as contact sheets, with what is odd and what is there twice below. */
import { h } from "../core/dom.js";
import { editsOf } from "../core/edits.js";
import { icon } from "../core/icons.js";
import { address, query } from "../core/router.js";
import { duplicatesSection, outliersSection } from "../parts/cluster-sections.js";
import { clusteringSelect } from "../parts/clustering-select.js";
import { collectionOf, frame } from "../parts/frame.js";
import { segmented } from "../parts/segmented.js";
import { Sheets } from "../parts/sheets.js";
import { shortcuts, undoKeys } from "../parts/shortcuts.js";
import { slider } from "../parts/slider.js";
import { instead, suggestions } from "../parts/suggestions.js";
import { complain } from "../parts/toast.js";
import { toolbar } from "../parts/toolbar.js";
import { undoButtons } from "../parts/undo-buttons.js";
import { unsorted } from "../parts/unsorted.js";

const ORDERS = [
  ["size", "Biggest first"],
  ["cohesion", "Most alike first"],
];
const WHAT = "Roost looks at every picture and lays together what looks alike.";
const FINEST = 60; // clusters that the slider goes to, unless the run itself has more

export async function view(page) {
  const found = await collectionOf(page);
  if (!found.clustering) return frame(page, found, "Clusters", unsorted(page, found, WHAT));
  const cut = found.clustering.every_k && Number(page.query.get("k")) ? Number(page.query.get("k")) : null;
  const order = page.query.get("order") === "cohesion" ? "cohesion" : "size";
  const below = h("div.below-sheets");
  const edits = cut ? null : await editsOf(found.clustering.id, page, (done) => sheets.apply(done.clusters));
  const sheets = new Sheets({
    clustering: found.clustering.id,
    signal: page.signal,
    order,
    k: cut,
    link: (cluster) => clusterAddress(found, cluster, sheets),
    rename: edits && ((cluster, label) => edits.make({ kind: "rename", cluster: cluster.id, label })),
    completed: () =>
      below.childElementCount || below.append(outliersSection(page, found), duplicatesSection(page, found)),
  });
  await sheets.restart();
  const top = [
    found.clustering.every_k && cutting(page, found, sheets, cut),
    found.clustering.k_requested === "auto" && !cut && suggestions(page, found),
  ];
  const content = h(
    "div.clusters-view",
    {},
    top.filter(Boolean),
    h("h2.visually-hidden", {}, "Clusters"),
    sheets.node,
    below,
    edits && merging(sheets, edits),
  );
  return frame(page, found, "Clusters", content, { tools: tools(page, found, sheets, edits) });
}

function clusterAddress(found, cluster, { order, k }) {
  const newest = found.clustering === found.clusterings[0];
  return address(`${found.path}/clusters/${cluster.id}`, {
    clustering: newest ? null : found.clustering.id,
    order: order === "size" ? null : order,
    k,
  });
}

function tools(page, found, sheets, edits) {
  const reorder = (order) => {
    query({ order: order === "size" ? null : order });
    sheets.restart({ order }).catch(complain);
  };
  const chosen = page.query.get("clustering");
  const undo = () => edits.undo().catch(complain);
  const redo = () => edits.redo().catch(complain);
  const listed = [
    { keys: ["Tab"], words: "From cluster to cluster; Enter opens one" },
    { keys: ["F2"], words: "Rename the cluster whose name has the focus" },
    { keys: ["Space"], words: "Select it, on its box; Shift takes all between" },
    { keys: ["Escape"], words: "Clear the selection", run: () => sheets.selection.clear() },
    ...(edits
      ? [
          { keys: ["M"], words: "Merge the selected clusters", run: () => merge(sheets, edits).catch(complain) },
          ...undoKeys(undo, redo),
        ]
      : []),
  ];
  return [
    clusteringSelect(found, found.path, { order: page.query.get("order") }),
    segmented("Order", ORDERS, sheets.order, reorder),
    h("span.spring"),
    h(
      "a.button",
      { href: address(`${found.path}/sort`, { clustering: chosen }) },
      icon("keyboard"),
      "Sort by keyboard",
    ),
    edits && h("span.together", {}, undoButtons(edits)),
    shortcuts(page, listed),
  ].filter(Boolean);
}

async function merge(sheets, edits) {
  const clusters = sheets.selection.places.map((place) => sheets.clusters[place].id);
  if (clusters.length > 1) await edits.make({ kind: "merge", clusters });
}

const merging = (sheets, edits) =>
  toolbar(sheets.selection, "cluster", [
    {
      name: "Merge",
      hint: "Make them one cluster",
      icon: "merge",
      key: "M",
      least: 2,
      most: 1000,
      run: () => merge(sheets, edits),
    },
  ]);

/** From coarse to fine without a run: the algorithm kept its tree. */
function cutting(page, found, sheets, cut) {
  const { clustering } = found;
  const max = Math.min(clustering.images, Math.max(FINEST, clustering.k));
  const note = h("p.cut-note");
  const say = (k) =>
    note.replaceChildren(
      ...(k
        ? cutWords(page, found, k)
        : [`${clustering.k} clusters, with your corrections. Move the slider to look at them coarser or finer.`]),
    );
  const changed = (k) => {
    query({ k, why: null });
    if (!sheets.k) return page.reload(); // from clusters that may be corrected to a cut that may not
    say(k);
    sheets.restart({ k }).catch(complain);
  };
  say(cut);
  return h(
    "section.cutting",
    { "aria-label": "Coarse to fine" },
    slider(
      "Coarse to fine",
      { min: 2, max, value: Math.min(max, cut ?? clustering.k), words: (k) => `${k} clusters` },
      changed,
    ),
    note,
  );
}

function cutWords(page, found, k) {
  const back = () => {
    query({ k: null });
    page.reload();
  };
  return [
    h("span", {}, "This is what the run found, without corrections, and can only be looked at. "),
    h("button.small", { type: "button", onclick: back }, `Back to the ${found.clustering.k} clusters`),
    " ",
    instead(page, found, k),
  ];
}

/** Before the first clustering: what is missing, or that it is being made. The bar itself stands in the frame. */
