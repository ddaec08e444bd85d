/** Files that were rejected, each with the reason in plain words, and all of them as CSV. */
import { all, get } from "../core/api.js";
import { csvLine, download } from "../core/csv.js";
import { h } from "../core/dom.js";
import { bytes, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { rejection } from "./image-facts.js";
import { complain } from "./toast.js";

/** `list` is the address of the API's list, `first` its first page. */
export function rejectedTable(found, list, first, page) {
  const rows = h(
    "tbody",
    {},
    first.items.map((image) => row(image, found)),
  );
  let cursor = first.next_cursor;
  const next = async () => {
    more.disabled = true;
    try {
      const { items, next_cursor: after } = await get(`${list}&limit=200&cursor=${encodeURIComponent(cursor)}`, page);
      rows.append(...items.map((image) => row(image, found)));
      cursor = after;
      more.hidden = !cursor;
    } catch (error) {
      complain(error);
    }
    more.disabled = false;
  };
  const more = h("button", { type: "button", hidden: !cursor, onclick: next }, "Show more");
  const head = h(
    "div.tools",
    {},
    h("p.quiet", {}, "These files came, but could not be read as pictures. Nothing else happened to them."),
    saveButton(found, list),
  );
  const titles = h(
    "tr",
    {},
    ["Name", "Reason", "Size", ""].map((title) =>
      h("th", { scope: "col" }, title || h("span.visually-hidden", {}, "Original")),
    ),
  );
  return h("div.rejected", {}, head, h("div.table-scroll", {}, h("table", {}, h("thead", {}, titles), rows)), more);
}

function row(image, { path }) {
  const plain = rejection(image.error);
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h("a", { href: `${path}/images/${image.id}?in=${encodeURIComponent("images|status=rejected")}` }, image.name),
    ),
    h("td", {}, plain, image.error.detail !== plain ? h("small.reason", {}, image.error.detail) : null),
    h("td", {}, bytes(image.bytes)),
    h(
      "td",
      {},
      h(
        "a",
        { href: `/v1/images/${image.id}/file`, download: image.name, "aria-label": `Download ${image.name}` },
        icon("download"),
      ),
    ),
  );
}

function saveButton(found, list) {
  const save = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const images = await all(`${list}&limit=500`);
      const lines = images.map(({ name, bytes: size, sha256, error }) =>
        csvLine([name, error.code, error.detail, size, sha256]),
      );
      download(`${found.collection.name} rejected.csv`, [
        csvLine(["name", "code", "reason", "bytes", "sha256"]),
        ...lines,
      ]);
    } catch (error) {
      complain(error);
    }
    button.disabled = false;
  };
  const number = found.collection.images.rejected;
  return h(
    "button",
    { type: "button", onclick: save, title: counted(number, "rejected file") },
    icon("download"),
    "Download as CSV",
  );
}
