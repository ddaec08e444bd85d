/** Pictures beside a picture: what looks like it, and what is it nearly. Each comes when it comes; neither holds up the view. */
import { get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { decimal } from "../core/format.js";
import { address } from "../core/router.js";
import { askedFor, search } from "../core/search.js";
import { picture } from "./picture.js";
import { skeleton } from "./states.js";

const NEIGHBOURS = 12;
const KINDS = { exact: "equal", hash: "nearly equal", embedding: "very alike" };

export function neighbours(image, found, page) {
  const query = `image=${image.id}`;
  const link = (id) =>
    address(`${found.path}/images/${id}`, { in: `search|${query}`, clustering: page.query.get("clustering") });
  const load = async () => {
    const asked = { ...askedFor(new URLSearchParams(query)), k: NEIGHBOURS };
    const { hits } = await search(found.collection.id, asked, {}, page);
    if (!hits.length) return h("p.quiet", {}, "There is no other picture to compare with.");
    return thumbs(
      hits.map((hit) => ({ ...hit, words: decimal(hit.score, 2) })),
      link,
    );
  };
  return section(
    "Looks like",
    load,
    { not_indexed: "Similar pictures are known once the collection has been sorted." },
    page,
  );
}

export function nearDuplicates(image, found, page) {
  const link = (id) => address(`${found.path}/images/${id}`, { in: "duplicates" });
  const load = async () => {
    const { items } = await get(`/v1/collections/${found.collection.id}/duplicates/${image.id}?limit=100`, page);
    const others = items.filter(({ image_id: id }) => id !== image.id);
    if (!others.length) return h("p.quiet", {}, "None.");
    return thumbs(
      others.map((one) => ({ ...one, words: KINDS[one.kind] ?? one.kind })),
      link,
    );
  };
  const quiet = {
    no_duplicates: "None.",
    not_searched: "Nobody has searched this collection for near-duplicates yet.",
  };
  return section("Near-duplicates", load, quiet, page);
}

/** `quiet` says in words what some refusals mean that are no failures. */
function section(title, load, quiet, page) {
  const body = h("div.others", {}, skeleton(4));
  const fill = async () => {
    try {
      replace(body, await load());
    } catch (error) {
      if (error.name === "AbortError" || page.signal.aborted) return;
      const again = h("button.link", { type: "button", onclick: fill }, "Try again");
      const known = quiet[error.code] ?? (error.status === 409 ? error.detail : null);
      replace(
        body,
        known ? h("p.quiet", {}, known) : h("p.problem", { role: "alert" }, error.detail || error.message, " ", again),
      );
    }
  };
  fill();
  return h("section", {}, h("h3", {}, title), body);
}

function thumbs(items, link) {
  return h(
    "ul.thumbs",
    {},
    items.map(({ image_id: id, name, words }) =>
      h("li", {}, h("a", { href: link(id), title: name }, picture(id, { name, size: 128 }), h("span", {}, words))),
    ),
  );
}
