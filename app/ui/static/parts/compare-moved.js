/** The pictures that lie elsewhere in the other clustering: page after page, all or those of one pair of clusters. */
import { pages } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { placeName } from "./compare-pairs.js";
import { picture } from "./picture.js";
import { complain } from "./toast.js";

const SHOWN = 60; // rows that one press brings
const PAGE = 200;

/** `filter` is {from, to}, the clusters' numbers as texts, "" for any, "none" for outliers. */
export function movedList(page, path, { diff, changed }, filter) {
  const list = h("ul.moved");
  const said = h("p.quiet", { role: "status" });
  const more = h("button", { type: "button", hidden: true }, "Show more");
  const source = reader(
    pages(`${diff}?limit=${PAGE}`, page),
    (item) => fits(item.before, filter.from) && fits(item.after, filter.to),
  );
  const show = async () => {
    more.disabled = true;
    const fresh = await source.take(SHOWN, () => (said.textContent = looked(source, changed)));
    list.append(...fresh.map((item) => row(path, item)));
    more.disabled = false;
    more.hidden = source.over;
    said.textContent = looked(source, changed);
  };
  more.addEventListener("click", () => show().catch(complain));
  show().catch((error) => (complain(error), replace(said, "The list could not be read.")));
  return h("div", {}, said, list, more);
}

/** Takes what fits out of pages that hold everything. `over` when there is nothing more to take. */
function reader(source, wanted) {
  const spare = [];
  const state = { seen: 0, found: 0, over: false };
  let ended = false;
  state.take = async (number, progress) => {
    while (spare.length < number && !ended) {
      const { value = [], done } = await source.next();
      ended = done || value.length < PAGE;
      state.seen += value.length;
      spare.push(...value.filter(wanted));
      progress();
    }
    const taken = spare.splice(0, number);
    state.found += taken.length;
    state.over = ended && !spare.length;
    return taken;
  };
  return state;
}

const fits = ({ cluster }, wish) => !wish || (wish === "none" ? cluster === null : String(cluster) === wish);

function looked({ seen, found, over }, changed) {
  if (over && !found) return "None of the pictures that moved is among these.";
  return over
    ? `${counted(found, "picture")}.`
    : `${count(found)} so far; looked through ${count(seen)} of ${counted(changed, "picture")} that moved.`;
}

function row(path, { image_id: id, name, before, after }) {
  return h(
    "li",
    {},
    h(
      "a.moved-row",
      { href: `${path}/images/${id}`, title: name },
      picture(id, { size: 128 }),
      h(
        "span.moved-words",
        {},
        h("strong", {}, name),
        h("span", {}, placeName(before), " ", icon("move"), h("span.visually-hidden", {}, "to"), " ", placeName(after)),
      ),
    ),
  );
}
