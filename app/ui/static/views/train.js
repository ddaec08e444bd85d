/** Fine-tune an encoder on the collection's own pictures; with ?job= the training as it runs, or as it went. */
import { all, get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { collectionOf, frame } from "../parts/frame.js";
import { empty, failed } from "../parts/states.js";
import { trainForm } from "../parts/train-form.js";
import { trainLive } from "../parts/train-live.js";

const LEAST_PICTURES = 32; // models/ssl/params.py

export async function view(page) {
  const found = await collectionOf(page);
  const id = page.query.get("job");
  const content = id ? watched(page, found, await get(`/v1/jobs/${id}`, page)) : asked(page, found);
  const title = id ? "Training" : "Fine-tune an encoder";
  const back = h("a.back", { href: `${found.path}/encoders` }, icon("back"), "All encoders");
  const framed = frame(page, found, "Encoders", h("article.training", {}, back, h("h2", {}, title), content), {
    without: id,
  });
  page.title(`${title} · ${found.collection.name}`);
  return framed;
}

function watched(page, found, job) {
  if (job.kind === "finetune" && job.collection_id === found.collection.id) return trainLive(page, found, job);
  return empty(
    "That is no training of this collection",
    "The address names another job. All of them are on the page of jobs.",
    h("a.button", { href: `/jobs?collection=${found.collection.id}` }, "Jobs of this collection"),
  );
}

function asked(page, found) {
  const { ready, pending } = found.collection.images;
  if (ready + pending < LEAST_PICTURES) return tooFew(found, ready + pending);
  const place = h(
    "div.train-place",
    {},
    h(
      "div",
      { role: "status" },
      h("p.quiet", {}, "Asking which methods there are; the first time this takes some seconds."),
      h("progress", { "aria-label": "Asking for the methods" }),
    ),
  );
  form(page, found).then(
    (node) => replace(place, node),
    (error) => error.name !== "AbortError" && replace(place, failed(error, page.reload)),
  );
  return place;
}

async function form(page, found) {
  const [methods, encoders] = await Promise.all([get("/v1/methods", page), all("/v1/encoders?limit=500", page)]);
  const started = (job) => go(address(`${found.path}/train`, { job: job.id }), { replaced: true });
  return trainForm({ collection: found.collection, path: found.path, methods, encoders, asked: page.query, started });
}

const tooFew = (found, there) =>
  empty(
    "A few more pictures first",
    `Learning needs at least ${LEAST_PICTURES} of them, and there ${there === 1 ? "is" : "are"} ${counted(there, "picture")}. Add ${LEAST_PICTURES - there} more; some hundreds are better.`,
    h("a.button", { href: found.path }, "Back to the collection"),
  );
