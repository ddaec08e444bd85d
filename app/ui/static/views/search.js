/** Search with a picture, a part of one, or examples. Everything but a picture of one's own stands in the address. */
import { clustersOf } from "../core/clusters.js";
import { h, replace } from "../core/dom.js";
import { address, go, query } from "../core/router.js";
import { askedFor, complete, search } from "../core/search.js";
import { filters, filtersOf } from "../parts/filters.js";
import { collectionOf, frame } from "../parts/frame.js";
import { queryShown, waysIn } from "../parts/search-query.js";
import { results } from "../parts/search-results.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { unsorted } from "../parts/unsorted.js";

const STEP = 60; // more results at a time
const MOST = 500; // says the API
const QUERY = ["image", "box", "like", "unlike", "by"];

export async function view(page) {
  const found = await collectionOf(page);
  const asked = askedFor(page.query);
  if (!complete(asked)) return frame(page, found, "Search", waysIn(found, asked.byPicture));
  const clusters = found.clustering ? await clustersOf(found.clustering.id, page) : [];
  const content = h("div.search-results");
  const changed = (parameters) =>
    fill(page, found, parameters, content).catch((error) => failedIn(content, error, () => changed(parameters)));
  try {
    await fill(page, found, page.query, content);
  } catch (error) {
    if (error.status !== 409 && error.status !== 422) throw error;
    replace(content, refused(error, page, found));
  }
  const tools = [filters(page.query, clusters, changed), encoders(found, page.query, changed)];
  return frame(
    page,
    found,
    "Search",
    h("div.search", {}, queryShown(asked, found, changedAddress, page), h("div.tools", {}, tools), content),
  );
}

function failedIn(content, error, again) {
  if (error.name === "AbortError") return;
  complain(error);
  replace(
    content,
    h(
      "p.problem",
      { role: "alert" },
      error.detail || error.message,
      " ",
      h("button", { type: "button", onclick: again }, "Try again"),
    ),
  );
}

/** The search of now with parts of it changed. */
function changedAddress(changes) {
  const parameters = { ...Object.fromEntries(new URLSearchParams(location.search)), ...changes };
  return address(location.pathname, parameters);
}

let turn = 0;

async function fill(page, found, parameters, content) {
  const mine = ++turn;
  const asked = askedFor(parameters);
  content.setAttribute("aria-busy", "true");
  const { hits } = await search(found.collection.id, asked, filtersOf(parameters, found.clustering), page).finally(() =>
    content.removeAttribute("aria-busy"),
  );
  if (mine !== turn) return;
  if (!hits.length) return replace(content, empty("Nothing found", "No other picture fits these filters."));
  const more = () => fill(page, found, query({ k: Math.min(MOST, asked.k + STEP) }), content).catch(complain);
  replace(
    content,
    results(hits, {
      href: (id) =>
        address(`${found.path}/images/${id}`, {
          in: asked.picture ? null : `search|${listed(parameters)}`,
          clustering: parameters.get("clustering"),
        }),
      atLeast: Number(parameters.get("at_least")) || 0,
      threshold: (value) => query({ at_least: value || null }),
      again: (like, unlike) => refine(asked, like, unlike),
      needsLike: Boolean(asked.picture || asked.box),
    }),
    hits.length >= asked.k && asked.k < MOST
      ? h("div.actions.more", {}, h("button", { type: "button", onclick: more }, "Show more"))
      : null,
  );
}

/** Of the address what names the hits and their order. */
function listed(parameters) {
  const kept = new URLSearchParams(parameters);
  for (const name of ["clustering", "at_least"]) kept.delete(name);
  return kept.toString();
}

/** A part of a picture, or a picture of one's own, cannot be an example: the marked hits stand for it from then on. */
function refine({ image, box, picture, like, unlike }, more, less) {
  const kept = (list, added, dropped) =>
    [...new Set([...list, ...added])].filter((id) => !dropped.includes(id)).join(",");
  const origin = box || picture ? Object.fromEntries(QUERY.map((name) => [name, null])) : { image };
  go(changedAddress({ ...origin, like: kept(like, more, less), unlike: kept(unlike, less, more) }));
}

function refused(error, page, found) {
  if (error.code !== "not_indexed") return empty("That cannot be searched for", error.detail);
  return unsorted(page, found, "Similar pictures are found once the collection has been sorted for the first time.");
}

/** Only where there is a choice: encoders that pictures of this collection have been sorted by. */
function encoders({ clusterings }, parameters, changed) {
  const known = new Map(clusterings.map(({ encoder }) => [encoder.id, encoder.name]));
  if (known.size < 2) return null;
  const options = [...known].map(([id, name]) =>
    h("option", { value: id, selected: parameters.get("encoder") === id }, name),
  );
  const choose = (event) => changed(query({ encoder: event.target.value }));
  return h(
    "label.inline-field",
    {},
    h("span", {}, "Encoder"),
    h("select", { onchange: choose }, h("option", { value: "" }, "last used"), options),
  );
}
