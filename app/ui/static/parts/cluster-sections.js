/** What stands below the clusters: the oddest pictures, and those that are there more than once. */
import { get, post } from "../core/api.js";
import { h } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { near } from "../core/near.js";
import { address } from "../core/router.js";
import { picture } from "./picture.js";
import { complain } from "./toast.js";

const ODD = 12;
const GROUPS = 6;

export function outliersSection(page, { clustering, clusterings, path }) {
  const chosen = clustering === clusterings[0] ? null : clustering.id;
  const more = address(`${path}/outliers`, { clustering: chosen });
  const body = h(
    "div.strip",
    {},
    Array.from({ length: Math.min(ODD, clustering.outliers) }, () => h("div.skeleton")),
  );
  const fill = async () => {
    const { items } = await get(`/v1/clusterings/${clustering.id}/outliers?limit=${ODD}`, page);
    body.replaceChildren(...items.map((one) => tile(path, one, { in: "outliers", clustering: chosen })));
    if (!items.length) body.replaceWith(h("p.quiet", {}, "No picture is unlike all the rest."));
  };
  near(body, () => fill().catch((error) => refused(body, error)));
  return section("Outliers", `${counted(clustering.outliers, "picture")} unlike the rest`, more, body);
}

export function duplicatesSection(page, { collection, path }) {
  const body = h(
    "div.strip",
    {},
    Array.from({ length: GROUPS }, () => h("div.skeleton")),
  );
  const words = h("span");
  const fill = async () => {
    const { items, totals } = await get(`/v1/collections/${collection.id}/duplicates?limit=${GROUPS}`, page);
    words.textContent = `${counted(totals.groups, "group")}, ${count(totals.spare)} to spare`;
    body.replaceChildren(...items.map((group) => pile(path, group)));
    if (!items.length) body.replaceWith(h("p.quiet", {}, "No picture is there twice."));
  };
  const failed = (error) =>
    error.code === "duplicates_not_searched" ? offer(page, collection, body) : refused(body, error);
  near(body, () => fill().catch(failed));
  return section("Near-duplicates", words, `${path}/duplicates`, body);
}

const section = (title, words, href, body) =>
  h(
    "section.below",
    {},
    h("header", {}, h("h2", {}, title), h("p.quiet", {}, words), h("a", { href }, "Show all")),
    body,
  );

function tile(path, { image_id: id, name }, parameters) {
  return h(
    "a.strip-tile",
    { href: address(`${path}/images/${id}`, parameters), title: name },
    picture(id, { name, size: 128 }),
  );
}

function pile(path, { images, size }) {
  const shown = images.slice(0, 2).map(({ image_id: id }) => picture(id, { size: 128 }));
  return h(
    "a.strip-tile.pile",
    { href: `${path}/duplicates`, "aria-label": `A picture that is there ${size} times` },
    shown,
    h("span.pile-count", {}, `${size} ×`),
  );
}

function offer(page, collection, body) {
  const press = async (event) => {
    event.currentTarget.disabled = true;
    await post(`/v1/collections/${collection.id}/duplicates`, {}).then(page.reload, complain);
  };
  body.replaceWith(
    h(
      "p",
      {},
      "Nobody has looked for them yet. ",
      h("button", { type: "button", onclick: press }, "Look for near-duplicates"),
    ),
  );
}

function refused(body, error) {
  if (error.name !== "AbortError") body.replaceWith(h("p.quiet", {}, error.detail || error.message));
}
