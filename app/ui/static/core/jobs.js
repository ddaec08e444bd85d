/** Jobs, followed as they run: by server-sent events, and by asking where those do not come through. */
import { get, send } from "./api.js";

const ENDED = new Set(["succeeded", "failed", "cancelled", "dead"]);
const ASK_MS = 1000;
const QUIET_MS = 10_000; // without an event for so long we ask all the same

export const ended = (job) => ENDED.has(job.state);
export const cancel = (id) => send("POST", `/v1/jobs/${id}/cancel`, { once: false });

/**
 * Calls `seen(job)` at every change and resolves with the job's last state. An aborted signal rejects with an
 * AbortError; the job itself runs on.
 */
export function follow(id, seen, { signal } = {}) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/v1/jobs/${id}/events`);
    let heard = Date.now();
    const stop = (settle, value) => {
      source.close();
      clearInterval(asking);
      settle(value);
    };
    const take = (job) => {
      if (signal?.aborted) return;
      heard = Date.now();
      seen(job);
      if (ended(job)) stop(resolve, job);
    };
    const ask = () => get(`/v1/jobs/${id}`, { signal }).then(take, (error) => stop(reject, error));
    const asking = setInterval(() => {
      if (source.readyState !== EventSource.OPEN || Date.now() - heard > QUIET_MS) ask();
    }, ASK_MS);
    for (const kind of ["state", "progress"]) source.addEventListener(kind, (event) => take(JSON.parse(event.data)));
    signal?.addEventListener("abort", () => stop(reject, signal.reason));
    ask();
  });
}

const STAGES = {
  queued: "Waiting",
  assign: "Sorting in new pictures",
  duplicates: "Looking for near-duplicates",
  finetune: "Training",
  unpack: "Unpacking",
  ingest: "Preparing",
  embed: "Embedding",
  cluster: "Clustering",
  index: "Indexing",
  map: "Drawing the map",
  outliers: "Looking for outliers",
};

/** What a job does now, in a word. */
export function stageName(job) {
  if (job.state === "queued") return STAGES.queued;
  const words = job.stage ?? job.kind;
  return STAGES[words] ?? words[0].toUpperCase() + words.slice(1).replaceAll("_", " ");
}

const KINDS = {
  unpack: "Unpack an archive",
  ingest: "Prepare pictures",
  embed: "Help with embedding",
  cluster: "Sort into clusters",
  assign: "Sort in new pictures",
  finetune: "Fine-tune an encoder",
  index: "Build the search index",
  duplicates: "Find near-duplicates",
  propagate: "Spread names",
  sample: "Draw the sample gallery",
  sweep: "Clean up",
};

export const kindName = (job) => KINDS[job.kind] ?? job.kind;
