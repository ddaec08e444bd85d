/** One cluster: all its pictures, most typical first, to be selected and put where they belong. */
import { get } from "../core/api.js";
import { $, h, replace } from "../core/dom.js";
import { clusterOf, clustersOf, nameOf } from "../core/clusters.js";
import { editsOf } from "../core/edits.js";
import { counted } from "../core/format.js";
import { heldFocus } from "../core/focus.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { clusterActions } from "../parts/cluster-actions.js";
import { clusterName } from "../parts/cluster-name.js";
import { cohesion } from "../parts/cohesion.js";
import { collectionOf, frame } from "../parts/frame.js";
import { again } from "../parts/grid-again.js";
import { Grid } from "../parts/grid.js";
import { menu } from "../parts/menu.js";
import { PictureActions } from "../parts/picture-actions.js";
import { Selection } from "../parts/selection.js";
import { shortcuts, undoKeys } from "../parts/shortcuts.js";
import { complain } from "../parts/toast.js";
import { toolbar } from "../parts/toolbar.js";
import { undoButtons } from "../parts/undo-buttons.js";
import { lostCluster } from "../parts/lost-cluster.js";
import { unsorted } from "../parts/unsorted.js";

const PAGE = 500;

export async function view(page) {
  const found = await collectionOf(page);
  if (!found.clustering)
    return frame(
      page,
      found,
      "Clusters",
      unsorted(page, found, "Once the pictures are sorted, each cluster can be looked at and corrected."),
    );
  const number = Number(page.params.n);
  const k = found.clustering.every_k ? Number(page.query.get("k")) || null : null;
  const order = page.query.get("order");
  const state = { page, found, number, k, order };
  state.edits = k
    ? null
    : await editsOf(found.clustering.id, page, (done, how) => changed(state, done, how).catch(complain));
  [state.cluster, state.list] = await Promise.all([
    clusterOf(found.clustering.id, number, page, k),
    clustersOf(found.clustering.id, page, { order, k }),
  ]);
  if (!state.cluster?.size) return frame(page, found, "Clusters", await lostCluster(state, around(state, found.path)));
  return build(state);
}

async function build(state) {
  const { page, found, number, k, cluster, edits } = state;
  const images = `/v1/clusterings/${found.clustering.id}/clusters/${number}/images`;
  const selection = edits ? new Selection() : null;
  const grid = new Grid({
    load: (cursor) => get(address(images, { limit: PAGE, k, cursor }), page),
    open: ({ image_id: id }) =>
      go(address(`${found.path}/images/${id}`, { in: `cluster:${number}`, clustering: found.clustering.id, k })),
    total: cluster.size,
    selection,
    label: `Pictures of ${nameOf(cluster)}`,
    signal: page.signal,
  });
  state.grid = grid;
  const pictures =
    edits &&
    new PictureActions({ page, found, grid, edits, clusters: () => state.list, home: () => number, leaves: true });
  const actions = edits && clusterActions(state);
  const help = shortcuts(page, keys(state, pictures, actions));
  state.title = h("div.cluster-title");
  state.drawHead = () => {
    const naming = state.name?.contains(document.activeElement);
    const regain = heldFocus(state.title);
    replace(state.title, titleOf(state));
    naming ? $("button", state.name)?.focus() : regain();
  };
  state.drawHead();
  const content = h(
    "section.cluster-view",
    { "aria-label": "Cluster" },
    h("header.cluster-head", {}, state.title, actionsOf(state, actions, help)),
    grid.node,
    edits && selectionBar(selection, pictures),
  );
  await grid.ready();
  const node = frame(page, found, "Clusters", content);
  page.title(`${nameOf(cluster)} · ${found.collection.name}`);
  return node;
}

function titleOf(state) {
  const { cluster, edits } = state;
  const save = edits && ((label) => edits.make({ kind: "rename", cluster: cluster.id, label }));
  state.name = clusterName(cluster, { save });
  return [
    step(state, -1),
    h(
      "div.cluster-words",
      {},
      state.name,
      h("p.quiet", {}, h("span", {}, counted(cluster.size, "picture")), cohesion(cluster.cohesion)),
    ),
    step(state, 1),
  ];
}

function actionsOf(state, actions, help) {
  const { edits, found, k, number } = state;
  return h(
    "div.actions",
    {},
    k && h("p.quiet", {}, `A cut of the tree into ${k}: to look at only.`),
    h("a.button", { href: around(state, found.path) }, "All clusters"),
    edits &&
      h(
        "a.button",
        { href: address(`${found.path}/sort`, { ...onlyOlder(state), cluster: number }) },
        icon("keyboard"),
        "Sort by keyboard",
      ),
    edits && menu("More about this cluster", actions.entries, { symbol: "edit", text: "Correct" }),
    edits && h("span.together", {}, undoButtons(edits)),
    help,
  );
}

const onlyOlder = ({ found }) => ({
  clustering: found.clustering === found.clusterings[0] ? null : found.clustering.id,
});
const around = (state, path) => address(path, { ...onlyOlder(state), order: state.order, k: state.k });

/** To the cluster before or after this one, in the order they were listed. */
function step(state, by) {
  const other = neighbour(state, by);
  const name = by < 0 ? "Previous cluster" : "Next cluster";
  const inside = icon(by < 0 ? "back" : "next");
  if (!other) return h("button.plain", { type: "button", disabled: true, "aria-label": name }, inside);
  return h(
    "a.button.plain-link",
    {
      href: around(state, `${state.found.path}/clusters/${other.id}`),
      "aria-label": `${name}: ${nameOf(other)}`,
      title: `${name}: ${nameOf(other)}`,
    },
    inside,
  );
}

const neighbour = ({ list, number }, by) => list[list.findIndex(({ id }) => id === number) + by] ?? null;

function selectionBar(selection, pictures) {
  return toolbar(
    selection,
    "picture",
    [
      { name: "Move to", icon: "move", key: "M", run: () => pictures.move() },
      { name: "New cluster", icon: "split", key: "N", run: () => pictures.split() },
      {
        name: "Not this one",
        hint: "They do not belong here: send them to the nearest other cluster",
        icon: "close",
        key: "X",
        run: () => pictures.exclude(),
      },
      { name: "Pin", hint: "They belong here, in later runs too", icon: "pin", key: "P", run: () => pictures.pin() },
      { name: "Find similar", icon: "search", key: "F", run: () => pictures.findSimilar() },
    ],
    [
      { name: "Unpin", icon: "pin", run: () => pictures.unpin().catch(complain) },
      { name: "Download", icon: "download", run: () => pictures.download() },
    ],
  );
}

function keys(state, pictures, actions) {
  const safely = (run) => () => Promise.resolve(run()).catch(complain);
  const beside = (by) => () =>
    neighbour(state, by) && go(around(state, `${state.found.path}/clusters/${neighbour(state, by).id}`));
  const looking = [
    { keys: ["Arrows"], words: "From picture to picture" },
    { keys: ["Enter"], words: "Open the picture" },
    { keys: ["["], words: "Previous cluster", run: beside(-1) },
    { keys: ["]"], words: "Next cluster", run: beside(1) },
  ];
  if (!pictures) return looking;
  const { edits } = state;
  return [
    ...looking,
    { keys: ["Space"], words: "Select it; Shift with the arrows takes more" },
    { keys: ["Ctrl+A"], words: "Select all that has been loaded" },
    { keys: ["Escape"], words: "Clear the selection", run: () => state.grid.selection.clear() },
    { keys: ["M"], words: "Move the selected pictures", run: safely(() => pictures.move()) },
    { keys: ["N"], words: "Make them a new cluster", run: safely(() => pictures.items.length && pictures.split()) },
    {
      keys: ["X", "Delete"],
      words: "Not this cluster: send them to the nearest other",
      run: safely(() => pictures.exclude()),
    },
    { keys: ["P"], words: "Pin them here", run: safely(() => pictures.pin()) },
    { keys: ["F"], words: "Find similar pictures", run: () => pictures.findSimilar() },
    { keys: ["R", "F2"], words: "Rename the cluster", run: () => state.name.edit() },
    { keys: ["G"], words: "Merge the cluster into another", run: safely(actions.merge) },
    ...undoKeys(
      safely(() => edits.undo()),
      safely(() => edits.redo()),
    ),
  ];
}

/** Brings the head in line with a correction; after an undo also the grid, where pictures may have come back. */
async function changed(state, done, how) {
  const mine = done.clusters.find(({ id }) => id === state.number);
  if (mine) state.cluster = mine;
  state.list = await clustersOf(state.found.clustering.id, state.page, { order: state.order });
  if (!state.cluster.size && done.kind === "merge" && how === "do") return; // on the way to the other one
  if (!state.cluster.size || !state.grid) return state.page.reload();
  if (mine) state.drawHead();
  const here = done.kind === "merge" || done.kind === "split" || how !== "do";
  if (mine && done.images && here && state.grid.total !== mine.size) await again(state.grid, mine.size);
}
