/** A cluster as a contact sheet: five typical pictures, its name, how many and how alike they are. */
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { nameOf } from "../core/clusters.js";
import { clusterName } from "./cluster-name.js";
import { cohesion } from "./cohesion.js";
import { picture } from "./picture.js";

const SHOWN = 5;

/** `select(event)` is called when the box is ticked, `rename(label)` when a new name is saved; without them it is only looked at. */
export function sheetCard(cluster, href, { select = null, rename = null } = {}) {
  const box =
    select && h("input.sheet-check", { type: "checkbox", "aria-label": `Select ${nameOf(cluster)}`, onclick: select });
  return h(
    "li.sheet-card",
    { data: { cluster: cluster.id } },
    h(
      "a.sheet",
      {
        href,
        "aria-label": `Open ${nameOf(cluster)}`,
        data: { count: Math.min(SHOWN, cluster.representatives.length) },
      },
      sheet(cluster),
    ),
    box,
    h(
      "div.sheet-words",
      {},
      clusterName(cluster, { tag: "h3", save: rename }),
      h("p", {}, h("span", {}, counted(cluster.size, "picture")), cohesion(cluster.cohesion)),
    ),
  );
}

/** The first is the most typical one, and twice as large as the others. */
const sheet = ({ representatives }) => representatives.slice(0, SHOWN).map((id, place) => picture(id, { size: 128 }));
