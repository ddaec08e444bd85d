/** What came of the uploads, one section a collection: counts, what was not taken and why, all of it as CSV. */
import { get } from "../core/api.js";
import { csvLine, download } from "../core/csv.js";
import { h, replace } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { report } from "../core/upload-outcome.js";
import { uploads } from "../core/uploads.js";
import { complain } from "./toast.js";

const SHOWN = 100; // refusals in the list; the CSV has the rest
const TROUBLE = new Set(["rejected", "failed", "unreadable"]);
const STATUS = { preparing: "created", queued: "waiting", sending: "waiting", unpacking: "waiting" };

/** Returns draw(entries). */
export function results(body) {
  const sections = new Map();
  return (entries) => {
    const by = Map.groupBy(entries, ({ collection }) => collection);
    for (const [id, one] of sections) if (!by.has(id)) (one.node.remove(), sections.delete(id));
    for (const [id, mine] of by) {
      if (!sections.has(id)) sections.set(id, section(id, body));
      sections.get(id).draw(mine);
    }
  };
}

function section(collection, body) {
  const link = h("a", { href: `/collections/${collection}` }, "Collection");
  const counts = h("p.dock-counts", {});
  const list = h("ul.dock-trouble", {});
  const heading = h("summary", {});
  const trouble = h("details", { open: true }, heading, list);
  const button = (onclick, ...inside) => h("button.small", { type: "button", onclick }, inside);
  const again = button(() => uploads.retry(failed(collection)), "Try again");
  const save = button(() => saved(collection, link.textContent, save), icon("download"), "Results as CSV");
  const node = h("section.dock-results", {}, h("h3", {}, link), counts, trouble, h("div.actions", {}, again, save));
  body.append(node);
  get(`/v1/collections/${collection}`).then(({ name }) => (link.textContent = name), complain);
  const draw = (entries) => {
    counts.textContent = summary(entries);
    again.hidden = !entries.some(({ state }) => state === "failed");
    troubles(trouble, heading, list, entries);
  };
  return { node, draw };
}

const entriesOf = (collection) => [...uploads.entries.values()].filter((one) => one.collection === collection);
const failed = (collection) =>
  entriesOf(collection)
    .filter(({ state }) => state === "failed")
    .map(({ id }) => id);

/** Pictures in an archive count one by one. */
function summary(entries) {
  const sum = { created: 0, preparing: 0, waiting: 0, duplicate: 0, rejected: 0, failed: 0, unreadable: 0 };
  for (const { state, counts } of entries) {
    if (counts) for (const [key, value] of Object.entries(counts)) sum[key] += value;
    if (!counts || state === "rejected") sum[STATUS[state] === "waiting" ? "waiting" : state] += 1;
  }
  const words = [
    [sum.created, "created"],
    [sum.preparing, "being prepared"],
    [sum.waiting, "waiting"],
    [sum.duplicate, "already there"],
    [sum.rejected, "rejected"],
    [sum.failed, "failed"],
    [sum.unreadable, "to be chosen again"],
  ];
  return words
    .filter(([value]) => value)
    .map(([value, text]) => `${count(value)} ${text}`)
    .join(" · ");
}

/** The list is built anew only when there is more in it: focus and scrolling stay. */
function troubles(node, heading, list, entries) {
  const own = entries.filter(({ state }) => TROUBLE.has(state));
  const inside = entries.flatMap(({ refused }) => refused ?? []); // of archives, and not more than are worth showing
  const lines = [...own, ...inside];
  const total = entries.reduce((sum, { counts }) => sum + (counts?.rejected ?? 0), own.length);
  node.hidden = !total;
  if (list.dataset.total === String(total)) return;
  list.dataset.total = total;
  heading.textContent = `${counted(total, "file")} not taken, and why`;
  const more = total - SHOWN;
  const rest = h("li", {}, `And ${count(more)} more: the CSV has them all.`);
  replace(list, lines.slice(0, SHOWN).map(line), more > 0 && rest);
}

const line = ({ name, code, detail }) =>
  h("li", {}, h("strong", {}, name), h("span", {}, detail ?? ""), code && h("code.quiet", {}, code));

async function saved(collection, title, button) {
  button.disabled = true;
  try {
    const parts = [csvLine(["name", "status", "code", "detail"])];
    for (const entry of entriesOf(collection)) parts.push(...(await lines(entry)));
    download(`${title.replace(/[^\p{L}\p{N} _-]+/gu, "_").slice(0, 80)} upload.csv`, parts);
  } catch (error) {
    complain(error);
  }
  button.disabled = false;
}

/** A file's line; for an archive its own and one for each file in it. */
async function lines({ name, state, code, detail, job, counts }) {
  const own = csvLine([name, STATUS[state] ?? state, code, detail]);
  if (!counts) return [own];
  const status = (one) => (one.status === "ready" ? "created" : one.status);
  return [own, ...(await report(job)).map((one) => csvLine([one.name, status(one), one.code, one.detail]))];
}
