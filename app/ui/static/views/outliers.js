/** The pictures that are unlike the rest of their cluster, oddest first. */
import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { clustersOf, nameOf } from "../core/clusters.js";
import { editsOf } from "../core/edits.js";
import { decimal } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go, query } from "../core/router.js";
import { clusteringSelect } from "../parts/clustering-select.js";
import { collectionOf, frame } from "../parts/frame.js";
import { again } from "../parts/grid-again.js";
import { Grid } from "../parts/grid.js";
import { PictureActions } from "../parts/picture-actions.js";
import { Selection } from "../parts/selection.js";
import { shortcuts, undoKeys } from "../parts/shortcuts.js";
import { slider } from "../parts/slider.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { toolbar } from "../parts/toolbar.js";
import { undoButtons } from "../parts/undo-buttons.js";
import { unsorted } from "../parts/unsorted.js";

const PAGE = 200;
const THRESHOLD = 1; // what the service calls an outlier

export async function view(page) {
  const found = await collectionOf(page);
  if (!found.clustering)
    return frame(
      page,
      found,
      "Outliers",
      unsorted(page, found, "Roost finds what is unlike the rest when it sorts the pictures."),
    );
  const state = { page, found, least: threshold(page.query.get("at_least")), names: new Map() };
  state.edits = await editsOf(found.clustering.id, page, () => refresh(state).catch(complain));
  await Promise.all([named(state), build(state)]);
  return frame(page, found, "Outliers", state.content, { tools: tools(state) });
}

/** An address may say anything. */
function threshold(text) {
  const value = text === null ? THRESHOLD : Number(text);
  return Number.isFinite(value) ? Math.max(0, value) : THRESHOLD;
}

async function named(state) {
  state.clusters = await clustersOf(state.found.clustering.id, state.page);
  state.names = new Map(state.clusters.map((one) => [one.id, nameOf(one)]));
}

async function build(state) {
  const { page, found, edits } = state;
  const { id } = found.clustering;
  state.selection = new Selection();
  state.grid = new Grid({
    load: (cursor) =>
      get(address(`/v1/clusterings/${id}/outliers`, { limit: PAGE, at_least: String(state.least), cursor }), page),
    selection: state.selection,
    signal: page.signal,
    label: "Outliers",
    caption: ({ score, cluster }) =>
      `${decimal(score, 2)} · ${cluster === null ? "no cluster" : (state.names.get(cluster) ?? `Cluster ${cluster}`)}`,
    open: ({ image_id: image }) => go(address(`${found.path}/images/${image}`, { in: "outliers", clustering: id })),
  });
  state.grid.node.classList.add("captions");
  state.pictures = new PictureActions({
    page,
    found,
    grid: state.grid,
    edits,
    clusters: () => state.clusters,
    home: ({ cluster }) => cluster,
    leaves: false,
  });
  state.none = h("div");
  await state.grid.ready();
  sayNone(state);
  state.content = h(
    "section.outliers-view",
    { "aria-label": "Outliers" },
    h(
      "p.quiet",
      {},
      "The score says how far a picture's neighbours are, over what is far in its cluster: from 1 on it counts as an outlier.",
    ),
    state.grid.node,
    state.none,
    bar(state),
  );
}

function tools(state) {
  const { page, found, edits, pictures } = state;
  const safely = (run) => () => Promise.resolve(run()).catch(complain);
  const changed = (least) => {
    state.least = least;
    query({ at_least: least === THRESHOLD ? null : String(least) });
    again(state.grid, null)
      .then(() => sayNone(state))
      .catch(complain);
  };
  const older = found.clustering === found.clusterings[0] ? null : found.clustering.id;
  return [
    clusteringSelect(found, `${found.path}/outliers`, { at_least: page.query.get("at_least") }),
    slider(
      "Score at least",
      { min: 0, max: 3, step: 0.05, value: state.least, words: (value) => decimal(value, 2) },
      changed,
    ),
    h("span.spring"),
    h(
      "a.button",
      { href: address(`${found.path}/sort`, { clustering: older, from: "outliers" }) },
      icon("keyboard"),
      "Sort by keyboard",
    ),
    h("span.together", {}, undoButtons(edits)),
    shortcuts(page, [
      { keys: ["Arrows"], words: "From picture to picture" },
      { keys: ["Enter"], words: "Open the picture" },
      { keys: ["Space"], words: "Select it; Shift with the arrows takes more" },
      { keys: ["Escape"], words: "Clear the selection", run: () => state.selection.clear() },
      { keys: ["M"], words: "Move the selected pictures", run: safely(() => pictures.move()) },
      { keys: ["P"], words: "Pin them where they are", run: safely(() => pictures.pin()) },
      { keys: ["F"], words: "Find similar pictures", run: () => pictures.findSimilar() },
      ...undoKeys(
        safely(() => edits.undo()),
        safely(() => edits.redo()),
      ),
    ]),
  ];
}

const bar = ({ selection, pictures }) =>
  toolbar(selection, "picture", [
    { name: "Move to", icon: "move", key: "M", run: () => pictures.move() },
    { name: "No cluster", hint: "Take them out of all clusters", icon: "close", run: () => pictures.moveTo(null) },
    { name: "Pin", hint: "They are right where they are", icon: "pin", key: "P", run: () => pictures.pin() },
    { name: "Find similar", icon: "search", key: "F", run: () => pictures.findSimilar() },
    { name: "Download", icon: "download", run: () => pictures.download() },
  ]);

/** After a correction each caption says the cluster of now. */
async function refresh(state) {
  await named(state);
  await again(state.grid, null);
  sayNone(state);
}

function sayNone({ grid, none, least }) {
  const nothing = !grid.items.length;
  none.replaceChildren(
    ...(nothing
      ? [
          empty(
            "No such picture",
            `No picture has a score of ${decimal(least, 2)} or more. Move the slider to the left to see less odd ones.`,
          ),
        ]
      : []),
  );
}
