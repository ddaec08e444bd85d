/** One encoder: whether it is better, how it was trained, and all that is needed to make it again. */
import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { counted, time } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { linked, removeEncoder } from "../parts/encoder-cards.js";
import { facts, hash, parameters } from "../parts/facts.js";
import { collectionOf, frame } from "../parts/frame.js";
import { betterMark, difference, measured, measureName, shownMeasure, tunedIsBetter } from "../parts/measures.js";
import { reclusterButton } from "../parts/recluster.js";
import { trainingCurves } from "../parts/training-curves.js";
import { badge, verdict } from "../parts/verdict.js";

export async function view(page) {
  const [found, encoder] = await Promise.all([collectionOf(page), get(`/v1/encoders/${page.params.encoder}`, page)]);
  const tuned = encoder.origin === "finetuned";
  const training = tuned ? await get(`/v1/encoders/${encoder.id}/training`, page) : null;
  const content = h(
    "article.encoder",
    {},
    h("a.back", { href: `${found.path}/encoders` }, icon("back"), "All encoders"),
    h("div.section-head", {}, h("h2", {}, encoder.name, " ", badge(encoder)), actions(found, encoder)),
    verdict(encoder),
    encoder.reason && h("p.reason", {}, linked(encoder.reason)),
    training && sides(encoder),
    training && curves(page, training),
    about(encoder, training),
  );
  const framed = frame(page, found, "Encoders", content);
  page.title(`${encoder.name} · ${found.collection.name}`);
  return framed;
}

function actions(found, encoder) {
  const again = address(
    `${found.path}/train`,
    encoder.method ? { method: encoder.method, base: encoder.base } : { base: encoder.name },
  );
  return h(
    "div.actions",
    {},
    encoder.available && reclusterButton(found, encoder, { kind: "button.primary" }),
    (encoder.available || encoder.method) &&
      h("a.button", { href: again }, icon("train"), encoder.method ? "Train another" : "Fine-tune it"),
    encoder.method &&
      h(
        "button.danger-text",
        { type: "button", onclick: () => removeEncoder(found, encoder, () => go(`${found.path}/encoders`)) },
        icon("delete"),
        "Delete",
      ),
  );
}

function sides(encoder) {
  const frozen = encoder.metrics?.frozen ?? {};
  const tuned = encoder.metrics ?? {};
  const rows = measured(frozen, tuned).map((name) => {
    const better = tunedIsBetter(name, frozen[name], tuned[name]);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, measureName(name)),
      h("td.number", {}, shownMeasure(name, frozen[name]), better === false ? betterMark() : null),
      h("td.number", {}, shownMeasure(name, tuned[name]), better ? betterMark() : null),
      h("td.number", {}, difference(name, frozen[name], tuned[name])),
    );
  });
  if (!rows.length) return null;
  const heads = [
    "Measure",
    ["Frozen", h("small", {}, encoder.base)],
    ["Tuned", h("small", {}, encoder.name)],
    "Difference",
  ];
  return h(
    "section",
    {},
    h("h3", {}, "Frozen against tuned"),
    h(
      "div.table-scroll",
      { role: "region", "aria-label": "Frozen against tuned", tabindex: 0 },
      h(
        "table.measures.sides",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heads.map((words, place) => h(place ? "th.number" : "th", { scope: "col" }, words)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
}

function curves(page, training) {
  const ran = training.epochs.length - 1;
  const ended = training.ended === "budget" ? "when the time budget was used up" : "with the last epoch";
  return h(
    "section",
    {},
    h(
      "div.section-head",
      {},
      h(
        "div",
        {},
        h("h3", {}, "Training"),
        h("p.quiet", {}, `${counted(ran, "epoch")}; it ended ${ended}. Epoch 0 is the encoder before.`),
      ),
      h(
        "a.button",
        { href: `/v1/encoders/${training.encoder_id}/training.html`, target: "_blank" },
        icon("image"),
        "Report as one page",
      ),
    ),
    trainingCurves(training.epochs, { signal: page.signal }).node,
  );
}

function about(encoder, training) {
  const method = encoder.method && ["Method", encoder.method];
  const versions =
    training &&
    Object.entries(training.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ");
  return h(
    "div.encoder-about",
    {},
    h(
      "section",
      {},
      h("h3", {}, "What it is"),
      facts(
        ["Kind", KINDS[encoder.origin]],
        ["Base", encoder.base],
        method,
        ["Vector", `${encoder.dim} numbers a picture`],
        encoder.method && ["Made", time(encoder.created_at)],
        training && ["Seed", training.seed],
        training && ["Versions", versions],
        ["SHA-256 of the weights", hash(encoder.sha256, "SHA-256 of the weights")],
        training && ["Fingerprint of the pictures", hash(training.fingerprint, "fingerprint of the pictures")],
        ["Id", hash(encoder.id, "id")],
      ),
    ),
    training && h("section", {}, h("h3", {}, "Parameters"), parameters(training.params)),
  );
}

const KINDS = {
  builtin: "came with Roost",
  hub: "published by others, fetched from a hub",
  finetuned: "fine-tuned on this collection",
};
