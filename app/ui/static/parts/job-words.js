/** What became of a job, in plain words. The service's own sentence says the details; these say what it means. */
import { h } from "../core/dom.js";
import { duration } from "../core/format.js";

const ERRORS = {
  archive_corrupt: "The archive is damaged. What could be read of it is there; make the archive anew for the rest.",
  archive_limit: "The archive is larger, or holds more files, than this service allows.",
  collapsed: "The training gave every picture nearly the same vector, so it was stopped.",
  collection_empty: "There are no readable pictures in the collection yet.",
  collection_too_small: "There are too few pictures for that.",
  diverged: "The training's numbers got out of hand. A lower learning rate usually helps.",
  encoder_damaged: "The encoder's files are damaged. Fine-tune it again, or fetch its weights again.",
  encoder_hash_mismatch: "The encoder's weights are not those that were used before. Sort anew with it.",
  encoder_unavailable: "The encoder's weights are not on this machine.",
  encoder_untrainable: "This encoder can't be fine-tuned. Choose another one.",
  index_damaged: "The search index is damaged. Sort again, and it is built anew.",
  internal: "Something went wrong inside Roost. The service's log says more.",
  job_stalled: "The work stood still three times and was ended each time.",
  job_crashed: "The work was tried three times and broke off each time.",
  k_too_large: "More clusters were asked for than there are pictures.",
  out_of_memory: "The machine's memory was not enough. Close other programs, or ask for less at once.",
  storage_damaged: "A stored file is damaged. Bring it back from a backup, then start it again.",
  storage_full: "The disk is full. Free some space, then start it again.",
  too_few_names: "Too few clusters and pictures have names to learn from.",
  too_many_clusters: "There are too many clusters for that.",
  vectors_unusable: "The encoder gave vectors that can't be sorted. Try another encoder.",
  worker_lost: "The worker that did it was lost again and again. Look whether it still runs.",
  working_copy_unreadable: "A stored picture can't be read any more. Upload it again.",
};

/** What a job waits for that is neither failed nor at work; it goes on by itself. */
const OUTAGES = {
  cache_full: "The disk of the local copies is full: waiting for room.",
  storage_full: "The disk is full: waiting for room.",
  storage_unavailable: "The storage does not answer: waiting for it.",
};

export const STATES = {
  queued: "Waiting",
  running: "Running",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  dead: "Given up",
};

/** The reason in our words, with the service's below; null when nothing went wrong. */
export function jobProblem({ error, state }) {
  if (!error) return null;
  const words = state === "queued" ? OUTAGES : ERRORS;
  const plain = words[error.code] ?? "It could not be finished.";
  return h(
    "div.job-problem",
    {},
    h("p.problem", {}, plain),
    error.detail && error.detail !== plain && h("small", {}, error.detail),
    h("small", {}, h("code", {}, error.code)),
  );
}

/** How long it ran, or has been running; empty while it waits. */
export function jobDuration({ started_at: start, finished_at: end }) {
  if (!start) return "";
  return duration(Math.max(0, (new Date(end ?? Date.now()) - new Date(start)) / 1000));
}
