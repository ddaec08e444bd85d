/**
 * A bar for each file under way: those on the wire, archives being unpacked. The others are only counted: a queue of
 * 20,000 files is not 20,000 elements.
 */
import { h } from "../core/dom.js";
import { basename, bytes, count } from "../core/format.js";
import { icon } from "../core/icons.js";
import { uploads } from "../core/uploads.js";

const SHOWN = 12;

/** Returns draw(entries). A row stays the same element as long as its file is under way. */
export function rows(body) {
  const list = h("ul.dock-rows", { "aria-label": "Files being sent" });
  const shown = new Map();
  body.append(list);
  return (entries) => {
    const now = new Set(entries.filter(moving).slice(0, SHOWN));
    for (const [entry, row] of shown) if (!now.has(entry)) (row.node.remove(), shown.delete(entry));
    for (const entry of now) {
      if (!shown.has(entry)) shown.set(entry, row(entry, list));
      shown.get(entry).draw();
    }
    list.hidden = !now.size;
  };
}

/** Files of one request are sent one after the other: a small one that is through is not worth a line any more. */
const moving = ({ state, sent, size, archive }) =>
  state === "unpacking" || (state === "sending" && (archive || sent < size || !size));

function row(entry, list) {
  const bar = h("progress", { max: 1, "aria-label": entry.name });
  const words = h("span.quiet", {});
  const remove = h("button.plain", { type: "button", onclick: () => uploads.remove([entry.id]) }, icon("close"));
  remove.setAttribute("aria-label", `Do not upload ${entry.name}`);
  const node = h("li", {}, h("span.dock-name", { title: entry.name }, basename(entry.name)), words, remove, bar);
  list.append(node);
  const draw = () => {
    const [share, text] = progress(entry);
    words.textContent = text;
    remove.hidden = entry.state !== "sending";
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  };
  return { node, draw };
}

/** How far a file is, null when that cannot be said, and in words. */
function progress({ state, size, sent, progress: job }) {
  if (state === "unpacking") {
    const done = job?.done ? `unpacking, ${count(job.done)} files` : "waiting to be unpacked";
    return [job?.total ? job.done / job.total : null, done];
  }
  if (sent >= size) return [1, "checking"];
  return [sent / size, `${bytes(sent)} of ${bytes(size)}`];
}
