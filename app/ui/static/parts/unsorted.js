/** What every view of clusters shows before there are any: what is missing, and the button for it. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { pick } from "./dock.js";
import { sortNow } from "./sort-dialog.js";
import { empty, skeleton } from "./states.js";
import { complain } from "./toast.js";

/** `what` says what will stand here once the pictures are sorted. */
export function unsorted(page, { collection }, what) {
  const { ready, pending } = collection.images;
  if (collection.job_id || (pending && !ready)) return atWork(what);
  if (!ready) {
    const add = button("upload", "Add pictures", () => pick(collection.id));
    return empty("No pictures yet", `${what} Drop files, folders or archives anywhere on this page.`, add);
  }
  const sort = async ({ currentTarget: pressed }) => {
    pressed.disabled = true;
    await sortNow(collection.id).then(page.reload, (error) => ((pressed.disabled = false), complain(error)));
  };
  return empty("Not sorted yet", `${what} Nothing is changed or moved.`, button("sort", "Sort the pictures", sort));
}

const button = (symbol, words, onclick) => h("button.primary", { type: "button", onclick }, icon(symbol), words);

const atWork = (what) =>
  h("div", {}, h("p.quiet", {}, `${what} Roost is at work; it appears here by itself.`), skeleton(6, "sheet-skeleton"));
