/** Ask for a clustering: which encoder, which algorithm, how many clusters. The defaults answer at once. */
import { all, get, post } from "../core/api.js";
import { h } from "../core/dom.js";
import { go } from "../core/router.js";
import { ask } from "./dialog.js";
import { schemaFields, schemaValues } from "./schema-form.js";

const AUTO = {
  name: "auto",
  summary: "What agreed best with people's labels: temi, and kmeans below 200 pictures. The truest, in minutes.",
  takes_k: true,
  params: {},
};

/** Sort with the defaults, as after the first upload. Resolves with the job's id. */
export async function sortNow(collection) {
  return (await post(`/v1/collections/${collection}/clusterings`, {})).id;
}

export async function sortDialog(page, { collection, path }) {
  const [encoders, listed] = await Promise.all([all("/v1/encoders?limit=500", page), get("/v1/algorithms", page)]);
  const algorithms = [...listed, AUTO];
  const mine = encoders.filter((one) => one.available && (!one.collection_id || one.collection_id === collection.id));
  const details = h("div.details");
  const algorithm = select(
    "algorithm",
    algorithms.map(({ name }) => [name, name]),
    "kmeans",
  );
  const chosen = () => algorithms.find(({ name }) => name === algorithm.value);
  const clusters = h("input", {
    name: "k",
    value: "auto",
    pattern: "auto|[1-9][0-9]*",
    required: true,
    autocomplete: "off",
  });
  const show = () => {
    const { summary, params, takes_k: takes } = chosen();
    if (!takes) clusters.value = "auto";
    clusters.readOnly = !takes;
    details.replaceChildren(h("p.quiet", {}, summary), ...schemaFields(params));
  };
  algorithm.addEventListener("change", show);
  show();
  const best = mine.find((one) => one.recommended)?.id ?? mine.find((one) => one.name === "efficientnet-lite0")?.id;
  const fields = [
    labelled(
      "Encoder",
      select(
        "encoder",
        mine.map((one) => [one.id, one.recommended ? `${one.name} (recommended)` : one.name]),
        best,
      ),
    ),
    labelled(
      "Clusters",
      clusters,
      "A number, or auto: Roost tries several and takes the most stable. hdbscan only finds it by itself.",
    ),
    labelled("Algorithm", algorithm),
    details,
    labelled(
      "Events",
      h("input", { name: "event_gap_s", type: "number", min: 0, step: "any", placeholder: "off" }),
      "Pictures one camera took so few seconds apart are sorted as one.",
    ),
  ];
  const submit = ({ k, encoder, event_gap_s: gap }) =>
    post(`/v1/collections/${collection.id}/clusterings`, {
      encoder,
      algorithm: algorithm.value,
      k: k === "auto" ? k : Number(k),
      event_gap_s: gap ? Number(gap) : null,
      params: schemaValues(algorithm.form, chosen().params),
    });
  const accepted = await ask({ title: "Sort the pictures", fields, action: "Sort", submit });
  if (accepted) go(path);
}

/** What a page does after an upload: sort if that was never done, else let the new pictures join. */
export async function sortAfterUpload(collection) {
  const { clustering_id: newest, images } = await get(`/v1/collections/${collection}`);
  if (!images.ready) return null;
  return newest ? (await post(`/v1/clusterings/${newest}/assign`)).id : sortNow(collection);
}

function select(name, options, value) {
  return h(
    "select",
    { name },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );
}

const labelled = (text, input, hint) => h("label.field", {}, h("span", {}, text), input, hint && h("small", {}, hint));
