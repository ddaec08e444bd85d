/** The clusters that pictures are sorted into, each with its key. */
import { h, uid } from "../core/dom.js";
import { nameOf } from "../core/clusters.js";
import { counted } from "../core/format.js";
import { ask } from "./dialog.js";
import { mosaic } from "./picture.js";

export const KEYS = [..."123456789ABCDEFGHIJKLMNOPQRTUVWXYZ"]; // S skips
const AT_FIRST = 9;

/** Those that the address names (?targets=3,5), or the biggest. The cluster that is being sorted needs no key. */
export function targetsOf(list, page, source) {
  const named = (page.query.get("targets") ?? "").split(",").filter(Boolean).map(Number);
  const chosen = named.map((number) => list.find(({ id }) => id === number)).filter(Boolean);
  if (chosen.length) return chosen.slice(0, KEYS.length);
  return list.filter(({ id }) => id !== source).slice(0, AT_FIRST);
}

export function targetList(targets, move) {
  const rows = targets.map((cluster, place) =>
    h(
      "li",
      {},
      h(
        "button.target",
        {
          type: "button",
          onclick: () => move(cluster),
          "aria-keyshortcuts": KEYS[place],
          data: { cluster: cluster.id },
        },
        h("kbd", {}, KEYS[place]),
        mosaic(cluster.representatives.slice(0, 3)),
        h("span.target-words", {}, h("strong", {}, nameOf(cluster)), h("small", {}, counted(cluster.size, "picture"))),
      ),
    ),
  );
  return h("ol.targets", { "aria-label": "Clusters and their keys" }, rows);
}

/** Resolves with the numbers of the clusters that were ticked, in the order they are listed; null when it was closed. */
export function chooseTargets(list, targets) {
  const has = new Set(targets.map(({ id }) => id));
  const boxes = list.map((cluster) => {
    const id = uid("target");
    return h(
      "li.choice",
      {},
      h("input", { id, type: "checkbox", name: "target", value: cluster.id, checked: has.has(cluster.id) }),
      mosaic(cluster.representatives.slice(0, 3)),
      h("label", { for: id }, nameOf(cluster)),
      h("span.quiet", {}, counted(cluster.size, "picture")),
    );
  });
  const body = h("ul.choices", {}, boxes);
  const submit = () => {
    const chosen = [...body.querySelectorAll("input:checked")].map(({ value }) => Number(value));
    if (!chosen.length || chosen.length > KEYS.length)
      throw new Error(`Choose 1 to ${KEYS.length} clusters; there are no more keys.`);
    return chosen;
  };
  return ask({
    title: "Clusters to sort into",
    text: "The first nine have the keys 1 to 9, the others letters.",
    fields: [body],
    action: "Use these",
    submit,
  });
}
