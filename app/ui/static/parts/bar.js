/** A job's bar: what it does, how far it is, when it will be done, and a button that stops it. */
import { h } from "../core/dom.js";
import { count, duration } from "../core/format.js";
import { cancel, ended, follow, kindName, stageName } from "../core/jobs.js";
import { complain } from "./toast.js";

/** Follows the job and draws it. `done(job)` is called once, when it has ended. */
export function jobBar(id, { signal, done, quiet = false } = {}) {
  const { node, update } = bar("Work under way");
  follow(id, update, { signal })
    .then((job) => {
      if (job.state === "succeeded" && quiet) node.remove();
      return done?.(job);
    })
    .catch(complain);
  return node;
}

/** {node, update(job)}: its parts change where they stand, so that the button keeps the focus while numbers run. */
export function bar(label) {
  const words = h("strong");
  const figures = h("span.quiet");
  const progress = h("progress", { max: 1 });
  const problem = h("p.problem", { hidden: true });
  const stop = stopButton();
  const node = h(
    "section.job",
    { "aria-label": label, tabindex: -1 },
    h("div.job-words", {}, words, figures, stop.node),
    progress,
    problem,
  );
  const update = (job) => {
    const { done, total, unit } = job.progress;
    words.textContent = title(job);
    figures.textContent = numbers(done, total, unit, job);
    fill(progress, job, total ? done / total : null);
    problem.textContent = job.error ? (job.error.detail ?? job.error.code) : "";
    problem.hidden = !job.error;
    node.dataset.state = job.state;
    if (ended(job) && stop.node === document.activeElement) node.focus({ preventScroll: true });
    stop.update(job);
  };
  return { node, update };
}

/** Without a value it says that it moves, but not how far it is. */
function fill(progress, job, share) {
  progress.setAttribute("aria-label", stageName(job));
  if (ended(job)) progress.value = job.state === "succeeded" ? 1 : (share ?? 0);
  else if (share === null) progress.removeAttribute("value");
  else progress.value = share;
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

/** Pressed, it stays focusable: a disabled button would drop the keyboard's place. */
function stopButton() {
  let id = null;
  const say = (stopping) => {
    node.setAttribute("aria-disabled", stopping);
    node.textContent = stopping ? "Stopping" : "Cancel";
  };
  const press = async () => {
    if (node.getAttribute("aria-disabled") === "true") return;
    say(true);
    await cancel(id).catch((error) => (complain(error), say(false)));
  };
  const node = h("button.small", { type: "button", onclick: press, hidden: true, "aria-disabled": false }, "Cancel");
  const update = (job) => {
    id = job.id;
    node.hidden = ended(job);
  };
  return { node, update };
}
