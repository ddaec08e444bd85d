/** What a correction did, in a sentence. `names` may know the clusters by number. */
import { counted } from "./format.js";

const KINDS = {
  rename: ({ cluster, label }, name) =>
    label ? `cluster ${cluster} is called “${label}”` : `${name(cluster)} has no name any more`,
  merge: ({ clusters }, name) => `${listed(clusters.slice(1).map(name))} merged into ${name(clusters[0])}`,
  split: ({ cluster, into, images }, name) =>
    images ? `${pictures(images)} taken off ${name(cluster)} as a new cluster` : `${name(cluster)} split into ${into}`,
  move: ({ images, cluster }, name) =>
    `${pictures(images)} moved ${cluster === null ? "out of all clusters" : `to ${name(cluster)}`}`,
  pin: ({ images }) => `${pictures(images)} pinned in place`,
  unpin: ({ images }) => `${pictures(images)} no longer pinned`,
  exclude: ({ images, cluster }, name) => `${pictures(images)} said not to belong to ${name(cluster)}`,
  carried: () => "corrections of an earlier clustering applied again",
};

/** Of an edit as it is sent ({kind, ...}) or as it is listed ({kind, params}). */
export function editWords({ kind, params, ...sent }, names = new Map()) {
  const name = (number) => names.get(number) ?? `cluster ${number}`;
  const words = KINDS[kind]?.(params ?? sent, name) ?? kind;
  return words[0].toUpperCase() + words.slice(1);
}

const pictures = (images) => counted(images.length, "picture");

/** "a, b and c"; long lists end in a number. */
function listed(names) {
  if (names.length > 4) return `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
