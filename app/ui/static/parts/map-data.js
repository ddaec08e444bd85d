/** A clustering's map as arrays: `xy` two numbers a picture, `clusters` one (-1: in none), `id(point)` its name in the API. */
import { read } from "../core/api.js";

const FORMATS = ["float32", "ids", "clusters"];
const ATTEMPTS = 3;

export async function mapOf(clustering, options) {
  for (let attempt = 1; ; attempt++) {
    const parts = await Promise.all(FORMATS.map((format) => part(clustering, format, options)));
    const states = new Set(parts.map(({ etag }) => etag?.slice(0, etag.lastIndexOf("."))));
    if (states.size === 1) return arrays(parts.map(({ body }) => body));
    if (attempt === ATTEMPTS) throw new Error("The map changes too fast to be drawn");
  }
}

/** An edit between two answers gives two states; their ETags say so. */
const part = (clustering, format, { signal }) =>
  read(`/v1/clusterings/${clustering}/map?format=${format}`, { signal, accept: "application/octet-stream" });

function arrays([places, names, numbers]) {
  const bytes = new Uint8Array(names);
  const clusters = new Int32Array(numbers);
  return { xy: new Float32Array(places), clusters, count: clusters.length, id: (point) => uuid(bytes, 16 * point) };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function uuid(bytes, from) {
  const text = Array.from(bytes.subarray(from, from + 16), (byte) => HEX[byte]).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}
