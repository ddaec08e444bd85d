/** Sort by keyboard: one picture, one key, one cluster. */
import { $, h, replace } from "../core/dom.js";
import { clustersOf, nameOf } from "../core/clusters.js";
import { editsOf } from "../core/edits.js";
import { basename, count } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go, query } from "../core/router.js";
import { collectionOf, frame } from "../parts/frame.js";
import { thumbnail } from "../parts/picture.js";
import { shortcuts, undoKeys } from "../parts/shortcuts.js";
import { SortQueue } from "../parts/sort-queue.js";
import { SortSession } from "../parts/sort-session.js";
import { chooseTargets, KEYS, targetList, targetsOf } from "../parts/sort-targets.js";
import { empty } from "../parts/states.js";
import { announce, complain } from "../parts/toast.js";
import { unsorted } from "../parts/unsorted.js";

const AHEAD = 4; // pictures that are fetched before they are needed

export async function view(page) {
  const found = await collectionOf(page);
  if (!found.clustering)
    return frame(
      page,
      found,
      "Clusters",
      unsorted(page, found, "Once the pictures are sorted, they can be sorted better, one key a picture."),
    );
  const { clustering } = found;
  const source = sourceOf(page.query);
  const state = { page, found, source };
  state.edits = await editsOf(clustering.id, page, (done) => resized(state, done));
  [state.list, state.queue] = await Promise.all([
    clustersOf(clustering.id, page),
    new SortQueue(clustering, source, page).start(),
  ]);
  state.session = new SortSession(state.queue, state.edits);
  state.targets = targetsOf(state.list, page, source);
  const node = frame(page, found, "Clusters", build(state));
  page.title(`Sort by keyboard · ${found.collection.name}`);
  return node;
}

function sourceOf(parameters) {
  const cluster = parameters.get("cluster");
  if (cluster !== null && /^\d+$/.test(cluster)) return Number(cluster);
  return parameters.get("from") === "outliers" ? "outliers" : "all";
}

function build(state) {
  const { page, session } = state;
  state.stage = h("div.sort-stage", { tabindex: -1 });
  state.numbers = h("p.sort-numbers", { "aria-live": "off" });
  state.side = h("div.sort-side");
  state.drawTargets = () =>
    replace(
      state.side,
      targetList(state.targets, (cluster) => session.move(cluster)),
      other(state),
    );
  state.drawTargets();
  session.addEventListener("change", () => draw(state));
  session.addEventListener("failed", ({ detail }) => complain(detail));
  const clock = setInterval(() => drawNumbers(state), 1000);
  page.leave(() => clearInterval(clock));
  // a click with the mouse leaves no button behind that the next Space would press again
  const aside = (event) =>
    event.detail &&
    event.target.closest(".sort-side button") &&
    !$("dialog[open]") &&
    state.stage.focus({ preventScroll: true });
  state.view = h(
    "section.sort-view",
    { "aria-label": "Sort by keyboard", onclick: aside },
    head(state),
    state.stage,
    state.side,
  );
  draw(state);
  return state.view;
}

function head(state) {
  const { found, source, list } = state;
  const sources = [
    ["all", "All, the oddest first"],
    ["outliers", "Outliers"],
    ...list.map((one) => [String(one.id), `${nameOf(one)}, the oddest first`]),
  ];
  const older = found.clustering === found.clusterings[0] ? null : found.clustering.id;
  const choose = (event) => {
    const to = event.target.value;
    const parameters = to === "all" ? {} : to === "outliers" ? { from: to } : { cluster: to };
    go(
      address(`${found.path}/sort`, {
        clustering: older,
        ...parameters,
        targets: new URLSearchParams(location.search).get("targets"),
      }),
    );
  };
  return h(
    "header.sort-head",
    {},
    h("h2", {}, "Sort by keyboard"),
    h(
      "label.inline-field",
      {},
      h("span", {}, "Pictures"),
      h(
        "select",
        { onchange: choose },
        sources.map(([value, words]) => h("option", { value, selected: value === String(source) }, words)),
      ),
    ),
    state.numbers,
    keyboard(state),
    h("a.button", { href: address(found.path, { clustering: older }) }, "Done"),
  );
}

function keyboard(state) {
  const { session, edits } = state;
  const redo = () => edits.redo().catch(complain);
  const keys = KEYS.map((key, place) => ({ key, place }));
  return shortcuts(state.page, [
    { keys: ["1", "…", "9"], words: "Into the cluster with this key; letters go on after 9" },
    { keys: ["Space"], words: "Right where it is", run: () => session.pin() },
    { keys: ["S"], words: "Skip", run: () => session.skip() },
    { keys: ["Backspace"], words: "Undo, back to the picture before", run: () => session.back() },
    ...undoKeys(() => session.back(), redo),
    ...keys.map(({ key, place }) => ({
      keys: [key],
      run: () => state.targets[place] && session.move(state.targets[place]),
    })),
  ]);
}

function other(state) {
  const { session } = state;
  const choose = async () => {
    const chosen = await chooseTargets(state.list, state.targets);
    if (!chosen) return;
    state.page.query = query({ targets: chosen.join(",") });
    state.targets = targetsOf(state.list, state.page, state.source);
    state.drawTargets();
  };
  const act = (key, words, symbol, run) =>
    h("button", { type: "button", onclick: run }, icon(symbol), words, h("kbd", {}, key));
  return h(
    "div.sort-actions",
    {},
    act("Space", "Right", "check", () => session.pin()),
    act("S", "Skip", "next", () => session.skip()),
    act("⌫", "Undo", "undo", () => session.back()),
    h("button", { type: "button", onclick: () => choose().catch(complain) }, icon("edit"), "Clusters …"),
  );
}

function draw(state) {
  drawNumbers(state);
  const { queue, found } = state;
  const { current } = queue;
  if (state.shown === (current?.image_id ?? null)) return;
  state.shown = current?.image_id ?? null;
  if (!current) return replace(state.stage, finished(state));
  const name = basename(current.name);
  const place = state.list.find(({ id }) => id === current.cluster);
  const image = h("img.sort-picture", {
    src: thumbnail(current.image_id, 1024),
    alt: name,
    decoding: "async",
    draggable: false,
  });
  replace(
    state.stage,
    image,
    h(
      "p.sort-caption",
      {},
      h("span.quiet", {}, "Now in "),
      h("strong", {}, place ? nameOf(place) : "no cluster"),
      h(
        "a.quiet",
        { href: address(`${found.path}/images/${current.image_id}`, { clustering: found.clustering.id }) },
        name,
      ),
    ),
  );
  announce(`${name}, now in ${place ? nameOf(place) : "no cluster"}`);
  for (const { image_id: id } of queue.next(AHEAD)) new Image().src = thumbnail(id, 1024);
}

function drawNumbers({ session, queue, edits, numbers, view: node }) {
  node.setAttribute("aria-busy", String(edits.pending > 0));
  const parts = [
    [count(session.done), "done"],
    [queue.left === null ? "…" : count(queue.left), "left"],
    [count(Math.round(session.rate)), "a minute"],
  ];
  if (edits.pending > 3) parts.push([count(edits.pending), "on the way"]);
  replace(
    numbers,
    parts.map(([value, words]) => h("span", {}, h("strong", {}, value), ` ${words}`)),
  );
}

function finished({ session, queue, found }) {
  const back = h("a.button.primary", { href: found.path }, "To the clusters");
  if (!queue.items.length) return empty("Nothing to sort here", "Choose other pictures above.", back);
  return empty(
    "That was the last one",
    `${count(session.done)} decided, ${count(session.steps.length - session.done)} skipped. Backspace goes back.`,
    back,
  );
}

/** The sizes beside the keys go along. */
function resized(state, { clusters }) {
  for (const cluster of clusters) {
    for (const list of [state.list, state.targets]) {
      const place = list?.findIndex(({ id }) => id === cluster.id) ?? -1;
      if (place >= 0) list[place] = cluster;
    }
    const words = state.side && $(`.target[data-cluster="${cluster.id}"] small`, state.side);
    if (words) words.textContent = `${count(cluster.size)} ${cluster.size === 1 ? "picture" : "pictures"}`;
  }
}
