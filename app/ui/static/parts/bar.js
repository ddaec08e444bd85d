/** A job's bar: what it does, how far it is, when it will be done, and a button that stops it. */
import { h, replace } from "../core/dom.js";
import { count, duration } from "../core/format.js";
import { cancel, ended, follow, kindName, stageName } from "../core/jobs.js";
import { complain } from "./toast.js";

/** Follows the job and redraws itself. `done(job)` is called once, when it has ended. */
export function jobBar(id, { signal, done, quiet = false } = {}) {
  const node = h("section.job", { "aria-label": "Work under way" });
  follow(id, (job) => draw(node, job), { signal })
    .then((job) => {
      if (job.state === "succeeded" && quiet) node.remove();
      return done?.(job);
    })
    .catch(complain);
  return node;
}

export function draw(node, job) {
  const { done, total, unit } = job.progress;
  const share = total ? done / total : null;
  const bar = h("progress", { max: 1, "aria-label": stageName(job) });
  if (ended(job)) bar.value = job.state === "succeeded" ? 1 : (share ?? 0);
  else if (share !== null) bar.value = share;
  replace(
    node,
    h(
      "div.job-words",
      {},
      h("strong", {}, title(job)),
      h("span.quiet", {}, numbers(done, total, unit, job)),
      stop(job),
    ),
    bar,
    job.error && h("p.problem", {}, job.error.detail ?? job.error.code),
  );
  node.dataset.state = job.state;
}

function title(job) {
  const outcome = { succeeded: "Done", failed: "Failed", cancelled: "Cancelled", dead: "Given up" }[job.state];
  return outcome ? `${kindName(job)}: ${outcome.toLowerCase()}` : `${stageName(job)} …`;
}

function numbers(done, total, unit, job) {
  if (ended(job) || !total) return "";
  const left = job.eta_s === null ? "" : ` · ${duration(job.eta_s)} left`;
  return `${count(done)} of ${count(total)} ${unit ?? ""}${left}`;
}

function stop(job) {
  if (ended(job)) return null;
  const press = (event) => {
    event.target.disabled = true;
    cancel(job.id).catch(complain);
  };
  return h("button.small", { type: "button", onclick: press }, "Cancel");
}
