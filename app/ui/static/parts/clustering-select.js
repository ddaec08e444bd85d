/** Which clustering is looked at: all of the collection, newest first. */
import { h } from "../core/dom.js";
import { counted, day } from "../core/format.js";
import { address, go } from "../core/router.js";

export const clusteringWords = ({ encoder, algorithm, k, created_at: made }) =>
  `${counted(k, "cluster")} by ${algorithm} · ${encoder.name} · ${day(made)}`;

/** `path` is that of the view; the newest needs no mention in the address. */
export function clusteringSelect({ clusterings, clustering }, path, parameters = {}) {
  const listed = clusterings.some(({ id }) => id === clustering.id) ? clusterings : [clustering, ...clusterings];
  const options = listed.map((one) =>
    h("option", { value: one.id, selected: one.id === clustering.id }, clusteringWords(one)),
  );
  const choose = (event) => {
    const id = event.target.value;
    go(address(path, { ...parameters, clustering: id === clusterings[0]?.id ? null : id }));
  };
  return h(
    "label.inline-field.clustering-select",
    {},
    h("span.visually-hidden", {}, "Clustering"),
    h("select", { onchange: choose }, options),
  );
}
