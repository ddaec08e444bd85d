/** A collection's map: every picture a point, so that what looks alike lies together. */
import { post } from "../core/api.js";
import { clustersOf } from "../core/clusters.js";
import { h } from "../core/dom.js";
import { jobBar } from "../parts/bar.js";
import { collectionOf, frame } from "../parts/frame.js";
import { GalleryMap } from "../parts/gallery-map.js";
import { mapOf } from "../parts/map-data.js";
import { empty } from "../parts/states.js";
import { complain } from "../parts/toast.js";
import { unsorted } from "../parts/unsorted.js";

const WHAT = "On the map each picture is a point, and what looks alike lies together.";

export async function view(page) {
  const found = await collectionOf(page);
  return frame(page, found, "Map", found.clustering ? await shown(page, found) : unsorted(page, found, WHAT));
}

async function shown(page, found) {
  const { id } = found.clustering;
  try {
    const [data, clusters] = await Promise.all([mapOf(id, page), clustersOf(id, page)]);
    if (!data.count) return empty("The map is empty", "All pictures of this clustering have been deleted.");
    return (await new GalleryMap(page, found, data, clusters).ready()).node;
  } catch (error) {
    if (error.code !== "map_not_ready") throw error;
    return missing(page, id);
  }
}

function missing(page, clustering) {
  const make = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const job = await post(`/v1/clusterings/${clustering}/assign`);
      const done = ({ state }) => (state === "succeeded" ? page.reload() : (button.disabled = false));
      button.closest(".state").append(jobBar(job.id, { signal: page.signal, done }));
    } catch (error) {
      complain(error);
      button.disabled = false;
    }
  };
  const text =
    "It is made in the last step of sorting, and clusterings from older versions have none. Making it takes seconds, " +
    "or some minutes for very many pictures. New pictures join the clusters on the way.";
  return empty(
    "The map is not drawn yet",
    text,
    h("button.primary", { type: "button", onclick: make }, "Draw the map"),
  );
}
