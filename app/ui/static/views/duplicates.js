/** Pictures that are there more than once, or nearly: in groups, to be looked at and cleared up. */
import { get, post } from "../core/api.js";
import { $, h, replace } from "../core/dom.js";
import { ago, count, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, query } from "../core/router.js";
import { groupCard } from "../parts/duplicate-group.js";
import { collectionOf, frame } from "../parts/frame.js";
import { slider } from "../parts/slider.js";
import { deleteSpare, spareOf, spareOfAll } from "../parts/spare.js";
import { empty, skeleton } from "../parts/states.js";
import { complain } from "../parts/toast.js";

const PAGE = 24;
const USUAL = 50; // per cent: what the service takes when nobody says
const LEAST = 30;

export async function view(page) {
  const found = await collectionOf(page);
  const state = {
    page,
    found,
    kept: new Set(),
    turn: 0,
    path: `/v1/collections/${found.collection.id}/duplicates`,
    similarity: Math.min(100, Math.max(LEAST, Number(page.query.get("similarity")) || USUAL)),
    list: h("ul.groups", { "aria-label": "Groups of near-duplicates" }),
    words: h("p.totals", { role: "status" }),
    work: h("div.work"),
    end: h("div.groups-end"),
  };
  const first = await firstPage(state);
  if (!first) return frame(page, found, "Near-duplicates", unsearched(state));
  watch(state);
  take(state, first);
  const content = h(
    "section.duplicates-view",
    { "aria-label": "Near-duplicates" },
    state.work,
    state.words,
    state.list,
    state.end,
  );
  return frame(page, found, "Near-duplicates", content, { tools: tools(state) });
}

/** Null when nobody has searched yet. */
async function firstPage(state) {
  try {
    return await fetchPage(state, null);
  } catch (error) {
    if (error.code === "duplicates_not_searched") return null;
    throw error;
  }
}

const fetchPage = ({ path, similarity, page }, cursor) => get(address(path, { similarity, limit: PAGE, cursor }), page);

function unsearched({ page, found, path }) {
  if (!found.collection.images.ready)
    return empty(
      "No pictures yet",
      "Add some, and Roost finds those that are there twice.",
      h("a.button", { href: found.path }, "To the collection"),
    );
  const press = async (event) => {
    event.currentTarget.disabled = true;
    await post(path, {}).then(page.reload, complain);
  };
  const button = h(
    "button.primary",
    { type: "button", onclick: press, disabled: Boolean(found.collection.job_id) },
    icon("search"),
    "Look for near-duplicates",
  );
  return empty(
    "Nobody has looked yet",
    "Roost finds pictures that are the same or nearly: saved again, resized, cropped, turned or mirrored, or the next one of a burst.",
    button,
  );
}

function tools(state) {
  const changed = (similarity) => {
    state.similarity = similarity;
    state.kept.clear(); // other groups, other choices
    query({ similarity: similarity === USUAL ? null : similarity });
    restart(state).catch(complain);
  };
  const search = async (event) => {
    event.currentTarget.disabled = true;
    await post(state.path, {}).then(state.page.reload, complain);
  };
  state.all = h(
    "button.danger-text",
    { type: "button", onclick: () => clearAll(state).catch(complain) },
    icon("delete"),
    h("span", {}, "Delete the spare ones"),
  );
  update(state);
  return [
    slider("At least alike", { min: LEAST, max: 100, value: state.similarity, words: (value) => `${value}%` }, changed),
    h("span.spring"),
    h("button", { type: "button", onclick: search }, icon("search"), "Look again"),
    state.all,
  ];
}

async function restart(state) {
  const mine = ++state.turn;
  const first = await fetchPage(state, null);
  if (mine !== state.turn) return;
  state.list.style.setProperty("min-height", `${state.list.offsetHeight}px`);
  replace(state.list);
  take(state, first);
  state.list.style.removeProperty("min-height");
}

function take(state, { items, next_cursor: cursor, totals, scan }) {
  Object.assign(state, { cursor, totals, scan });
  state.list.append(
    ...items.map((group) => groupCard(group, state.found.path, state.kept, (button) => clearOne(state, group, button))),
  );
  const old = scan.complete ? "" : " Pictures came or went since: look again to include them.";
  state.words.textContent = totals.groups
    ? `${counted(totals.groups, "group")} with ${counted(totals.images, "picture")}, ${count(totals.spare)} to spare. Looked ${ago(scan.created_at)} at ${counted(scan.images, "picture")}.${old}`
    : `No picture is there twice at ${state.similarity}%.${old}`;
  state.end.hidden = !cursor;
  replace(state.end, cursor ? skeleton(3) : null);
  state.observer.unobserve(state.end);
  if (cursor) state.observer.observe(state.end);
  update(state);
}

function update({ all, totals }) {
  if (all) all.disabled = !totals.spare;
}

/** The next groups are there before they can be seen. */
function watch(state) {
  const next = async () => {
    if (state.busy || !state.cursor) return;
    state.busy = true;
    const mine = state.turn;
    try {
      const page = await fetchPage(state, state.cursor);
      if (mine === state.turn) take(state, page);
    } finally {
      state.busy = false;
    }
  };
  state.observer = new IntersectionObserver(
    (seen) => seen.some((one) => one.isIntersecting) && next().catch(complain),
    { rootMargin: "1000px" },
  );
  state.page.signal.addEventListener("abort", () => state.observer.disconnect());
}

async function clearOne(state, group, button) {
  button.disabled = true;
  try {
    const ids = await spareOf(state.path, group, state.similarity, state.kept, state.page);
    if (await deleteSpare(ids, state.work)) await restart(state);
  } catch (error) {
    complain(error);
  }
  button.disabled = false;
}

async function clearAll(state) {
  const { all } = state;
  all.disabled = true;
  const words = $("span", all);
  words.textContent = "Counting …";
  try {
    const ids = await spareOfAll(state.path, state.similarity, state.kept, state.page);
    if (await deleteSpare(ids, state.work)) state.page.reload();
  } finally {
    words.textContent = "Delete the spare ones";
    update(state);
  }
}
