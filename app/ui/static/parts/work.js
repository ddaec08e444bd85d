/** What is being done to a collection now, and what went wrong with it last. */
import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { ended } from "../core/jobs.js";
import { uploads } from "../core/uploads.js";
import { bar, jobBar } from "./bar.js";
import { complain } from "./toast.js";

const CHANGES = new Set(["unpack", "ingest", "sample", "fetch", "cluster", "assign", "index", "duplicates"]);
const dismissed = new Set();

/**
 * A bar for what runs now: jobs that change a collection run one by one. The view comes anew when that changed it.
 * `without` is a job that the view shows by itself.
 */
export function work(page, { collection }, without) {
  const bars = h("div.work", {});
  watch(page, collection.id, bars, without).catch(complain);
  return bars;
}

async function watch(page, collection, bars, without) {
  const list = async (parameters) =>
    (await get(`/v1/jobs?collection=${collection}&${parameters}`, page)).items.filter(
      ({ kind, id }) => kind !== "sweep" && id !== without,
    );
  const wanted = ["state=running&limit=50", "state=queued&limit=50", "limit=5"];
  const [running, queued, newest] = await Promise.all(wanted.map(list));
  // One that began between the first two looks is in neither.
  const next = [...running, ...queued.reverse(), ...newest.filter((job) => !ended(job))][0];
  if (!next) return bars.replaceChildren(...failure(newest[0]));
  const done = ({ kind }) => {
    if (CHANGES.has(kind) && !uploads.busy(collection))
      page.reload(); // uploads show what came themselves
    else watch(page, collection, bars, without).catch(complain);
  };
  bars.replaceChildren(jobBar(next.id, { signal: page.signal, quiet: true, done }));
}

/** Nobody may have looked when it failed: it says so until somebody has read it, or something worked since. */
function failure(job) {
  if (!job || !CHANGES.has(job.kind) || !["failed", "dead"].includes(job.state) || dismissed.has(job.id)) return [];
  const { node, update } = bar("What went wrong");
  update(job);
  const dismiss = () => {
    dismissed.add(job.id);
    node.remove();
  };
  node.firstChild.append(h("button.small", { type: "button", onclick: dismiss }, "Dismiss"));
  return [node];
}
