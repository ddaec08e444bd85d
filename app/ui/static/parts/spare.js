/** Delete the spare ones of near-duplicates: only after the number was named, with a bar, and it can be stopped. */
import { all, pages, send } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { count, counted } from "../core/format.js";
import { ask } from "./dialog.js";
import { complain, toast } from "./toast.js";

const AT_ONCE = 4;
const SHOWN = 50; // images of a group that a page of groups has

/** Ids of all images of a group but those in `kept`; the best one is kept when none is named. */
export async function spareOf(path, group, similarity, kept, page) {
  const images =
    group.size > SHOWN
      ? await all(`${path}/${group.representative}?similarity=${similarity}&limit=500`, page)
      : group.images;
  const keep = images.filter(({ image_id: id }) => kept.has(id));
  const stays = new Set(keep.length ? keep.map(({ image_id: id }) => id) : [group.representative]);
  return images.map(({ image_id: id }) => id).filter((id) => !stays.has(id));
}

export async function spareOfAll(path, similarity, kept, page) {
  const spare = [];
  for await (const groups of pages(`${path}?similarity=${similarity}&limit=100`, page)) {
    for (const group of groups) spare.push(...(await spareOf(path, group, similarity, kept, page)));
  }
  return spare;
}

/** Asks, deletes, and resolves with whether anything was deleted. `place` is where the bar stands meanwhile. */
export async function deleteSpare(ids, place) {
  if (!ids.length) return (toast("There is nothing to delete."), false);
  const pictures = counted(ids.length, "picture");
  const text = `${pictures} will be deleted for good, with their originals. The picture that is kept of each group stays.`;
  const sure = await ask({
    title: `Delete ${pictures}?`,
    text,
    action: `Delete ${pictures}`,
    danger: true,
    submit: () => true,
  });
  if (!sure) return false;
  const done = await working(ids, place);
  toast(done === ids.length ? `${pictures} deleted.` : `${count(done)} of ${pictures} deleted.`, {
    kind: done === ids.length ? "info" : "bad",
  });
  return done > 0;
}

async function working(ids, place) {
  const bar = h("progress", { max: ids.length, value: 0, "aria-label": "Deleting" });
  const words = h("span.quiet");
  let stopped = false;
  const stop = h("button.small", { type: "button", onclick: () => (stopped = true) }, "Stop");
  replace(
    place,
    h(
      "section.job",
      { "aria-label": "Work under way" },
      h("div.job-words", {}, h("strong", {}, "Deleting …"), words, stop),
      bar,
    ),
  );
  const waiting = [...ids];
  let done = 0;
  const one = async () => {
    while (waiting.length && !stopped) {
      await remove(waiting.pop());
      done += 1;
      bar.value = done;
      words.textContent = `${count(done)} of ${count(ids.length)}`;
    }
  };
  const failed = (error) => {
    stopped = true;
    complain(error);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, () => one().catch(failed)));
  replace(place);
  return done;
}

/** One that somebody else has deleted meanwhile is as good as done. */
async function remove(id) {
  try {
    await send("DELETE", `/v1/images/${id}`);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}
