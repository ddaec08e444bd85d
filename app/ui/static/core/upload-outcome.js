/**
 * What became of the files once they were sent. A picture is decoded and an archive unpacked by jobs of the service;
 * only their ends say what was taken and what was rejected. One job is followed at a time: each holds a connection
 * open, and a browser has only six.
 */
import { Problem, get, pages } from "./api.js";
import { follow } from "./jobs.js";
import { address } from "./router.js";

const ASK_MS = 3000;
const REFUSED_KEPT = 200; // shown at once; the CSV has them all

/** Sent, and not known yet what becomes of it. */
export const OUTSTANDING = new Set(["preparing", "unpacking"]);

/** Wait for the end of all these entries, which are of one collection. Their states say how it went. */
export async function outcome(collection, entries, changed) {
  const of = (state) => entries.filter((entry) => entry.state === state);
  try {
    for (const entry of of("unpacking")) await unpacked(entry, changed);
    if (of("preparing").length) await prepared(collection, of("preparing"));
  } catch (error) {
    for (const entry of entries.filter(({ state }) => OUTSTANDING.has(state))) Object.assign(entry, explained(error));
  }
}

/** What an entry says when it came to nothing. */
export const explained = ({ code, detail, title, message }) => ({
  state: "failed",
  code: typeof code === "string" ? code : "failed",
  detail: detail || title || message,
});

/** Waits until the service answers again. */
export async function answering() {
  for (;;) {
    try {
      await get("/healthz");
      return;
    } catch (error) {
      if (error.code !== "unreachable" && !(error.status >= 500)) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }
}

/** The job's last state, however often the service goes away meanwhile; null when there is no such job any more. */
async function ending(id, seen = () => {}) {
  for (;;) {
    try {
      return await follow(id, seen);
    } catch (error) {
      if (error.status === 404) return null;
      if (error.code !== "unreachable") throw error;
      await answering();
    }
  }
}

/** The lines of an archive's report: {name, status, image_id, code, detail}. None when the job wrote no report. */
export async function report(job) {
  const answer = await fetch(`/v1/jobs/${job}/report`);
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Problem({ status: answer.status, ...(await answer.json()) });
  const text = await answer.text();
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Follow an archive's job to its end and put into the entry what it found. */
async function unpacked(entry, changed) {
  const job = await ending(entry.job, ({ progress }) => {
    entry.progress = progress;
    changed();
  });
  const lines = job ? await report(entry.job) : [];
  const refused = lines.filter(({ status }) => status === "rejected");
  entry.refused = refused.slice(0, REFUSED_KEPT);
  entry.counts = {
    created: lines.filter(({ status }) => status === "ready").length,
    duplicate: lines.filter(({ status }) => status === "duplicate").length,
    rejected: refused.length,
  };
  if (lines.length === 1 && !entry.archive) Object.assign(entry, single(lines[0]));
  else if (job?.state === "succeeded") entry.state = "unpacked";
  else Object.assign(entry, { state: "rejected", ...reason(job) });
}

/** A large picture is taken like an archive of one, and shown like any other picture. */
function single({ status, image_id: image, code, detail }) {
  return { state: status === "ready" ? "created" : status, image, code, detail, counts: null, refused: [] };
}

function reason(job) {
  if (!job) return { code: "job_not_found", detail: "The service has forgotten this archive; send it again." };
  return job.error ?? { code: job.state, detail: "Unpacking was cancelled. What came before stays." };
}

/** Wait until the pictures of these entries are decoded; those that could not be are marked with the reason. */
async function prepared(collection, entries) {
  const jobs = [...new Set(entries.map(({ job }) => job).filter(Boolean))];
  for (const job of jobs.slice(-2)) await ending(job); // the last ones decode whatever still waits
  await nonePending(collection);
  const mine = new Map(entries.map((entry) => [entry.image, entry]));
  for (const entry of entries) entry.state = "created";
  const rejected = address(`/v1/collections/${collection}/images`, { status: "rejected", limit: 500 });
  for await (const images of pages(rejected)) {
    for (const { id, error } of images) {
      if (mine.has(id)) Object.assign(mine.get(id), { state: "rejected", ...error });
    }
  }
}

/** Jobs of one collection run one after the other: while something waits to be decoded, one of them is under way. */
async function nonePending(collection) {
  for (;;) {
    const { images, job_id: job } = await get(`/v1/collections/${collection}`);
    if (!images.pending || !job) return;
    await ending(job);
  }
}
