/** The spare ones of near-duplicates: which they are, and away with them. */
import { all, pages } from "../core/api.js";
import { counted } from "../core/format.js";
import { deletePictures } from "./delete-pictures.js";
import { toast } from "./toast.js";

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
  const text = `${counted(ids.length, "picture")} will be deleted for good, with their originals. The picture that is kept of each group stays.`;
  return (await deletePictures(ids, text, place)).length > 0;
}
