/** The clusters of two clusterings in pairs: which became which, with typical pictures and sizes of both. */
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address } from "../core/router.js";
import { mosaic } from "./picture.js";

const SHOWN = 40;
const PICTURES = 4;

export const placeName = ({ cluster, label }) => (cluster === null ? "Outliers" : (label ?? `Cluster ${cluster}`));

/** Biggest first; one that has no counterpart stands alone. [{ before, after }], either may be null. */
export function pairsOf(matches, before, after) {
  const there = new Map(after.map((one) => [one.id, one]));
  const pairs = before.map((one) => ({ before: one, after: there.get(matches[one.id]) ?? null }));
  const taken = new Set(pairs.map((pair) => pair.after?.id));
  const alone = after.filter((one) => !taken.has(one.id)).map((one) => ({ before: null, after: one }));
  return [...pairs, ...alone].sort((a, b) => weight(b) - weight(a));
}

const weight = ({ before, after }) => Math.max(before?.size ?? 0, after?.size ?? 0);

/** `choose(pair)` shows what moved between the two. */
export function pairList(path, a, b, pairs, choose) {
  const list = h(
    "ul.pairs",
    {},
    pairs.slice(0, SHOWN).map((pair) => entry(path, a, b, pair, choose)),
  );
  const rest = pairs.length - SHOWN;
  const more =
    rest > 0 &&
    h(
      "button",
      {
        type: "button",
        onclick: () => {
          list.append(...pairs.slice(SHOWN).map((pair) => entry(path, a, b, pair, choose)));
          more.remove();
        },
      },
      `Show ${counted(rest, "more pair")}`,
    );
  return h("div", {}, list, more);
}

function entry(path, a, b, pair, choose) {
  return h(
    "li.pair-row",
    { data: { matched: String(Boolean(pair.before && pair.after)) } },
    side(path, a, pair.before, "Nothing matches it in A"),
    h("span.pair-arrow", { "aria-hidden": "true" }, icon("move")),
    side(path, b, pair.after, "Nothing matches it in B"),
    h(
      "button.small",
      { type: "button", "aria-label": `What moved: ${both(pair)}`, onclick: () => choose(pair) },
      "What moved",
    ),
  );
}

const both = ({ before, after }) =>
  [before, after].map((one) => (one ? placeName({ cluster: one.id, label: one.label }) : "nothing")).join(" to ");

function side(path, clustering, cluster, nothing) {
  if (!cluster) return h("div.pair-side.quiet", {}, nothing);
  return h(
    "a.pair-side",
    { href: address(`${path}/clusters/${cluster.id}`, { clustering: clustering.id }) },
    mosaic(cluster.representatives.slice(0, PICTURES)),
    h(
      "span.pair-words",
      {},
      h("strong", {}, placeName({ cluster: cluster.id, label: cluster.label })),
      h("span.quiet", {}, counted(cluster.size, "picture")),
    ),
  );
}
