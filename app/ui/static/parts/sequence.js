/**
 * The list a picture was opened from, by what ?in= says of it: `cluster:3`, `images`, `outliers`, `search`. What follows
 * a first bar is the list's own query, as in `images|camera=Kestrel` or `search|image=...`.
 */
import { get } from "../core/api.js";
import { address, go } from "../core/router.js";
import { askedFor, search } from "../core/search.js";
import { filtersOf } from "./filters.js";

const PAGE = 500;
const FARTHEST = 40; // pages: whoever opens the 20,001st by hand can do without its neighbours

let kept = null; // while one steps from picture to picture the list need not be fetched anew

/** {name, href, total, load} or null where the pictures have no order. */
export function listOf(text, { collection, clustering, path }, page) {
  const [kind, more = ""] = (text ?? "").split(/\|(.*)/s);
  const [word, number] = kind.split(":");
  const parameters = new URLSearchParams(more);
  const chosen = { clustering: clustering?.id };
  const k = page.query.get("k");
  const paged =
    (url, parameters = {}) =>
    (cursor) =>
      get(address(url, { ...parameters, limit: PAGE, cursor }), page);
  const lists = {
    cluster: () => ({
      name: "the cluster",
      href: address(`${path}/clusters/${number}`, { ...chosen, k }),
      load: paged(`/v1/clusterings/${chosen.clustering}/clusters/${number}/images`, { k }),
    }),
    outliers: () => ({
      name: "the outliers",
      href: address(`${path}/outliers`, chosen),
      load: paged(`/v1/clusterings/${chosen.clustering}/outliers`),
    }),
    images: () => ({
      name: "all pictures",
      href: address(`${path}/images`, Object.fromEntries(parameters)),
      load: paged(`/v1/collections/${collection.id}/images`, {
        status: parameters.get("status") ?? "ready",
        ...filtersOf(parameters, clustering),
      }),
    }),
    search: () => ({
      name: "the search",
      href: address(`${path}/search`, Object.fromEntries(parameters)),
      load: async () => ({
        items: (await search(collection.id, askedFor(parameters), filtersOf(parameters, clustering), page)).hits,
        next_cursor: null,
      }),
    }),
    map: () => ({ name: "the map", href: address(`${path}/map`, chosen), load: null }),
    duplicates: () => ({ name: "the near-duplicates", href: `${path}/duplicates`, load: null }),
  };
  const needsClustering = word === "cluster" || word === "outliers";
  return lists[word] && (clustering || !needsClustering)
    ? { key: `${collection.id} ${text} ${chosen.clustering}`, ...lists[word]() }
    : null;
}

/** Where in the list an image is: {place, total, before, after}; total null while pages are missing, null when it is not there. */
export async function placeIn(list, image) {
  if (!list?.load) return null;
  const known = kept?.key === list.key && kept.stepping ? kept : { key: list.key, ids: [], cursor: null, ended: false };
  known.stepping = false;
  kept = known;
  while (known.ids.indexOf(image) < 0 || known.ids.at(-1) === image) {
    if (known.ended || known.ids.length >= PAGE * FARTHEST) break;
    const { items, next_cursor: cursor } = await list.load(known.cursor);
    known.ids.push(...items.map((item) => item.image_id ?? item.id));
    Object.assign(known, { cursor, ended: !cursor });
  }
  const place = known.ids.indexOf(image);
  if (place < 0) return null;
  return {
    place,
    total: known.ended ? known.ids.length : null,
    before: known.ids[place - 1],
    after: known.ids[place + 1],
  };
}

/** To the picture beside: the way back then still leads to the list, not through all that one has seen. */
export function step(url) {
  if (kept) kept.stepping = true;
  const { direct } = history.state ?? {};
  go(url, { replaced: true });
  if (direct) history.replaceState({ ...history.state, direct }, "");
}

/** A deleted picture is no longer beside any other. */
export function forget(image) {
  if (kept) kept.ids = kept.ids.filter((id) => id !== image);
}
