/** All jobs, newest first: what runs now with its progress, what is done, and what went wrong in plain words. */
import { all, get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { ended } from "../core/jobs.js";
import { address, go } from "../core/router.js";
import { STATES } from "../parts/job-words.js";
import { jobTable } from "../parts/job-table.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";

const PAGE = 50;
const MOST = 500; // what the service gives at once
const BUSY_MS = 2000; // while something runs
const IDLE_MS = 10_000; // somebody else may start something

export async function view(page) {
  page.title("Jobs");
  const [state, collection] = ["state", "collection"].map((name) => page.query.get(name));
  const collections = await all("/v1/collections?limit=500", page);
  const names = new Map(collections.map(({ id, name }) => [id, name]));
  const table = jobTable((id) => names.get(id) ?? null);
  const holder = h("div.table-scroll");
  const more = h("button", { type: "button" }, "Show more");
  let limit = PAGE;
  const look = async () => {
    const { items, next_cursor: next } = await get(address("/v1/jobs", { state, collection, limit }), page);
    table.update(items);
    more.hidden = !next || limit >= MOST;
    const shown = items.length ? table.node : nothing(state, collection);
    if (!items.length || holder.firstChild !== shown) replace(holder, shown);
    return items.some((job) => !ended(job));
  };
  more.addEventListener("click", () => {
    limit = Math.min(MOST, limit + PAGE);
    look().catch(complain);
  });
  keepLooking(page, look, await look());
  return h(
    "section.all-jobs",
    {},
    h("header.page-head", {}, h("h1", {}, "Jobs")),
    filters(state, collection, collections),
    holder,
    more,
  );
}

/** Polls rather than follows: a browser holds only six connections to one host. */
function keepLooking(page, look, busy) {
  let timer = 0;
  const next = (busy) => (timer = setTimeout(again, busy ? BUSY_MS : IDLE_MS));
  const again = async () => {
    let stillBusy = true;
    try {
      if (!document.hidden) stillBusy = await look();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.code !== "unreachable") complain(error); // of that the page tells by itself
    }
    if (!page.signal.aborted) next(stillBusy);
  };
  next(busy);
  page.leave(() => clearTimeout(timer));
}

function filters(state, collection, collections) {
  const link = ([key, words]) =>
    h(
      "a.button",
      { href: address("/jobs", { state: key, collection }), "aria-current": (state ?? "") === key ? "true" : null },
      words,
    );
  const choose = (event) => go(address("/jobs", { state, collection: event.target.value }));
  const options = [["", "All collections"], ...collections.map(({ id, name }) => [id, name])];
  return h(
    "div.tools",
    {},
    h("nav.state-filter", { "aria-label": "By state" }, [["", "All"], ...Object.entries(STATES)].map(link)),
    h(
      "label.field",
      {},
      h("span.visually-hidden", {}, "Collection"),
      h(
        "select",
        { onchange: choose },
        options.map(([key, words]) => h("option", { value: key, selected: key === (collection ?? "") }, words)),
      ),
    ),
  );
}

function nothing(state, collection) {
  if (!state && !collection)
    return empty(
      "No jobs yet",
      "What takes longer than a moment is listed here: preparing pictures, sorting, fine-tuning.",
      h("a.button", { href: "/" }, "All collections"),
    );
  return empty(
    "None of these",
    "No job has this state in what you chose.",
    h("a.button", { href: "/jobs" }, "Show all jobs"),
  );
}
