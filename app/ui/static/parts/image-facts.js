/** What is known of a picture: its file, the camera's settings, and where every clustering has put it. */
import { all } from "../core/api.js";
import { nameOf } from "../core/clusters.js";
import { h } from "../core/dom.js";
import { bytes, count, decimal, time } from "../core/format.js";
import { address } from "../core/router.js";
import { facts } from "./facts.js";

const REJECTED = {
  image_corrupt: "The file is damaged.",
  image_too_large: "The picture is larger than Roost takes.",
  image_type_mismatch: "The file is not what its name says.",
  image_type_unsupported: "This is no picture that Roost can read.",
};

/** Why a picture was rejected, for people. The service's own sentence says more. */
export const rejection = ({ code, detail }) => REJECTED[code] ?? detail;

export function imageFacts(image) {
  const { exif } = image;
  return facts(
    ["Name", image.name],
    ["Size", image.width ? `${count(image.width)} × ${count(image.height)}` : null],
    ["File", `${image.format.toUpperCase()}, ${bytes(image.bytes)}`],
    ["Taken", image.taken_at ? time(image.taken_at) : null],
    ["Added", time(image.created_at)],
    ["Camera", image.camera ?? ([exif?.make, exif?.model].filter(Boolean).join(" ") || null)],
    ["Lens", exif?.lens],
    ["Exposure", exposure(exif)],
    ["Focal length", focal(exif)],
    ["Flash", exif?.flash === true ? "fired" : exif?.flash === false ? "off" : null],
  );
}

function exposure(exif) {
  const parts = [
    seconds(exif?.exposure_s),
    exif?.f_number && `f/${Number(exif.f_number.toFixed(1))}`,
    exif?.iso && `ISO ${exif.iso}`,
  ];
  return parts.filter(Boolean).join(" · ") || null;
}

function seconds(value) {
  if (!value) return null;
  return value < 0.4 ? `1/${Math.round(1 / value)} s` : `${Number(value.toFixed(1))} s`;
}

function focal(exif) {
  if (!exif?.focal_length_mm) return null;
  const film = exif.focal_length_35mm;
  return `${Number(exif.focal_length_mm.toFixed(1))} mm${film ? ` (as ${film} mm on film)` : ""}`;
}

/** Its clusters as links, the clustering one looks at first. */
export async function placesOf(image, { clusterings, clustering, path }, page) {
  const places = await all(`/v1/images/${image.id}/places?limit=500`, page);
  if (!places.length) return h("p.quiet", {}, "It is in no clustering yet.");
  const first = (place) => (place.clustering_id === clustering?.id ? 0 : 1);
  return h(
    "ul.places",
    {},
    places
      .sort((a, b) => first(a) - first(b))
      .map((place) => {
        const made = clusterings.find(({ id }) => id === place.clustering_id);
        return h(
          "li",
          {},
          where(place, path),
          h("span.quiet", {}, [made ? `${made.algorithm}, ${made.k}` : "older", state(place)].join(" · ")),
        );
      }),
  );
}

function where({ clustering_id: clustering, cluster, label }, path) {
  if (cluster === null) return h("span", {}, "In no cluster");
  return h("a", { href: address(`${path}/clusters/${cluster}`, { clustering }) }, nameOf({ id: cluster, label }));
}

function state({ pinned, outlier, distance, outlier_score: score }) {
  const words = [pinned ? "pinned there by a person" : null, outlier ? `outlier (${decimal(score, 2)})` : null];
  return words.filter(Boolean).join(" · ") || `distance ${decimal(distance, 2)}`;
}
