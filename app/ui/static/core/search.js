/** A search as its address says it, and as the API takes it. */
import { post } from "./api.js";
import { droppedPicture } from "./dropped.js";
import { address } from "./router.js";

const ids = (text) => (text ?? "").split(",").filter(Boolean);

/** {image, box, like, unlike, picture, k}: `box` is [x, y, width, height] in fractions, `picture` a file or null. */
export function askedFor(parameters) {
  const box = (parameters.get("box") ?? "").split(",").map(Number);
  return {
    image: parameters.get("image"),
    box: box.length === 4 && box.every(Number.isFinite) ? box : null,
    like: ids(parameters.get("like")),
    unlike: ids(parameters.get("unlike")),
    byPicture: parameters.get("by") === "picture",
    picture: parameters.get("by") === "picture" ? droppedPicture() : null,
    k: Math.min(500, Number(parameters.get("k")) || 60),
    encoder: parameters.get("encoder"),
  };
}

/** Whether there is enough to search with. */
export const complete = ({ image, like, picture }) => Boolean(image || like.length || picture);

/** {encoder, hits}. An image that is refined by examples becomes one of them; a part of it cannot. */
export function search(collection, asked, filters, { signal } = {}) {
  const path = address(`/v1/collections/${collection}/search`, { k: asked.k, encoder: asked.encoder, ...filters });
  return post(path, body(asked), { signal });
}

function body({ image, box, like, unlike, picture }) {
  if (picture) {
    const form = new FormData();
    if (box) form.append("box", JSON.stringify(box));
    form.append("file", picture, picture.name || "pasted.png");
    return form;
  }
  if (image && !like.length && !unlike.length) return box ? { image_id: image, box } : { image_id: image };
  const positives = [...new Set(image ? [image, ...like] : like)];
  return unlike.length ? { positives, negatives: unlike } : { positives };
}
