/** Pictures in the sizes the service has them. */
import { h } from "../core/dom.js";
import { basename } from "../core/format.js";
import { near } from "../core/near.js";

/** Short sides of 128, 256 and 1024 pixels. */
export const thumbnail = (id, size = 256) => `/v1/images/${id}/thumbnail?size=${size}`;

/** An <img> that is fetched when it comes near the screen, and says so when it cannot be had. */
export function picture(id, { name = "", size = 256, eager = false } = {}) {
  const image = h("img", { alt: name && basename(name), decoding: "async", draggable: false });
  image.addEventListener("error", () => image.classList.add("missing"), { once: true });
  const fetched = () => (image.src = thumbnail(id, size));
  eager ? fetched() : near(image, fetched);
  return image;
}

/** A strip of small ones that say what a cluster or a collection is like. They repeat what the words beside them say. */
export const mosaic = (ids, { size = 128 } = {}) =>
  h(
    "div.mosaic",
    { "aria-hidden": "true", data: { count: ids.length } },
    ids.map((id) => picture(id, { size })),
  );
