/** What people corrected in a clustering, newest first, and the way back and forth. */
import { pages } from "../core/api.js";
import { h } from "../core/dom.js";
import { editWords } from "../core/edit-words.js";
import { clustersOf } from "../core/clusters.js";
import { editsOf } from "../core/edits.js";
import { ago, counted, time } from "../core/format.js";
import { icon } from "../core/icons.js";
import { clusteringSelect } from "../parts/clustering-select.js";
import { collectionOf, frame } from "../parts/frame.js";
import { shortcuts, undoKeys } from "../parts/shortcuts.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { unsorted } from "../parts/unsorted.js";

const PAGE = 100;
const STATES = { undone: "undone, can be done again", dropped: "undone" };

export async function view(page) {
  const found = await collectionOf(page);
  if (!found.clustering)
    return frame(
      page,
      found,
      "History",
      unsorted(page, found, "Once the pictures are sorted, every correction is listed here."),
    );
  const edits = await editsOf(found.clustering.id, page, () => page.reload());
  const list = pages(`/v1/clusterings/${found.clustering.id}/edits?limit=${PAGE}`, page);
  const [first, clusters] = await Promise.all([list.next(), clustersOf(found.clustering.id, page)]);
  const names = new Map(
    clusters.map((cluster) => [cluster.id, cluster.label ? `“${cluster.label}”` : `cluster ${cluster.id}`]),
  );
  const content = first.value.length ? history(list, first.value, names) : nothing(found);
  return frame(page, found, "History", h("section.history", {}, h("h2", {}, "History of corrections"), content), {
    tools: tools(page, found, edits, first.value),
  });
}

function tools(page, found, edits, newest) {
  const press = (run) => async (event) => {
    const button = event?.currentTarget;
    if (button) button.disabled = true;
    await run().catch(complain);
    if (button) button.disabled = false;
  };
  const undo = press(() => edits.undo());
  const redo = press(() => edits.redo());
  return [
    clusteringSelect(found, `${found.path}/history`),
    h("span.spring"),
    h(
      "button",
      { type: "button", disabled: !newest.some(({ state }) => state === "done"), onclick: undo },
      icon("undo"),
      "Undo",
    ),
    h(
      "button",
      { type: "button", disabled: !newest.some(({ state }) => state === "undone"), onclick: redo },
      icon("redo"),
      "Redo",
    ),
    shortcuts(
      page,
      undoKeys(
        () => undo(),
        () => redo(),
      ),
    ),
  ];
}

function history(list, first, names) {
  const rows = h(
    "ol.edits",
    { "aria-label": "Corrections, newest first" },
    first.map((one) => row(one, names)),
  );
  const more = h("button", { type: "button", hidden: first.length < PAGE }, "Show earlier ones");
  more.addEventListener("click", async () => {
    more.disabled = true;
    const { value, done } = await list.next().catch((error) => (complain(error), { value: [], done: false }));
    rows.append(...(value ?? []).map((one) => row(one, names)));
    more.disabled = false;
    more.hidden = done || value.length < PAGE;
  });
  return h("div", {}, rows, more);
}

function row(edit, names) {
  const moved = edit.images ? `${counted(edit.images, "picture")} changed places` : null;
  const facts = [edit.who, moved, STATES[edit.state]].filter(Boolean);
  return h(
    "li.edit",
    { data: { state: edit.state } },
    h("p", {}, editWords(edit, names)),
    h(
      "p.quiet",
      {},
      h("time", { datetime: edit.created_at, title: time(edit.created_at) }, ago(edit.created_at)),
      facts.map((one) => h("span", {}, ` · ${one}`)),
    ),
  );
}

const nothing = (found) =>
  empty(
    "Nothing corrected yet",
    "Names, moves, merges and splits are listed here as they are made, and can be taken back one by one.",
    h("a.button.primary", { href: found.path }, "To the clusters"),
  );
