/** Rows of jobs that change where they stand: the focus, and what is being read, stay. */
import { h, replace } from "../core/dom.js";
import { ago, count, duration, time } from "../core/format.js";
import { cancel, ended, kindName, stageName } from "../core/jobs.js";
import { STATES, jobDuration, jobProblem } from "./job-words.js";
import { reportButton } from "./job-report.js";
import { complain } from "./toast.js";

/** {node, update(jobs)}. `nameOf(id)` is a collection's name, or null when it is gone. */
export function jobTable(nameOf) {
  const body = h("tbody");
  const rows = new Map();
  const heads = ["What", "State", "Started", "Took", ["Attempt", "number"], [h("span.visually-hidden", {}, "Actions")]];
  const node = h(
    "table.jobs",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((head) =>
          h(`th${head[1] === "number" ? ".number" : ""}`, { scope: "col" }, Array.isArray(head) ? head[0] : head),
        ),
      ),
    ),
    body,
  );
  const update = (jobs) => {
    for (const job of jobs) {
      if (!rows.has(job.id)) rows.set(job.id, row(job, nameOf));
      rows.get(job.id).update(job);
    }
    const wanted = jobs.map(({ id }) => rows.get(id).node);
    for (const [id, { node: known }] of rows) if (!wanted.includes(known)) (known.remove(), rows.delete(id));
    wanted.forEach(
      (known, place) => body.children[place] !== known && body.insertBefore(known, body.children[place] ?? null),
    );
  };
  return { node, update };
}

function row(job, nameOf) {
  const cells = Object.fromEntries(
    ["state", "started", "took", "attempt", "actions"].map((name) => [name, h(`td.job-cell-${name}`)]),
  );
  const name = nameOf(job.collection_id);
  const where = name
    ? h("a", { href: `/collections/${job.collection_id}` }, name)
    : h("span.quiet", {}, job.collection_id ? "a collection that is gone" : "the whole service");
  const node = h(
    "tr",
    {},
    h("th.job-cell-what", { scope: "row" }, h("span", {}, kindName(job)), h("small", {}, where)),
    Object.values(cells),
  );
  let before = "";
  const update = (latest) => {
    cells.took.textContent = jobDuration(latest);
    const now = JSON.stringify(latest);
    if (now === before) return;
    const { state } = before ? JSON.parse(before) : {};
    before = now;
    node.dataset.state = latest.state;
    replace(cells.state, stateWords(latest), jobProblem(latest) ?? progress(latest));
    replace(
      cells.started,
      h("time", { datetime: latest.created_at, title: time(latest.created_at) }, ago(latest.created_at)),
    );
    cells.attempt.textContent = latest.attempt > 1 ? count(latest.attempt) : latest.attempt || "–";
    if (state !== latest.state) replace(cells.actions, actions(latest));
  };
  return { node, update };
}

const stateWords = (job) => h("span.job-state", { data: { state: job.state } }, STATES[job.state]);

function progress(job) {
  if (job.state !== "running") return null;
  const { done, total, unit } = job.progress;
  const bar = h("progress", { max: 1, "aria-label": stageName(job) });
  if (total) bar.value = done / total;
  const left = job.eta_s === null ? "" : ` · ${duration(job.eta_s)} left`;
  return h(
    "div.job-progress",
    {},
    h("small", {}, `${stageName(job)}${total ? ` · ${count(done)} of ${count(total)} ${unit ?? ""}` : ""}${left}`),
    bar,
  );
}

const actions = (job) => [open(job), ended(job) ? reportButton(job) : cancelButton(job)];

/** A training has a view of its own. */
const open = (job) =>
  job.kind === "finetune" && job.collection_id
    ? h(
        "a.button.small",
        { href: `/collections/${job.collection_id}/train?job=${job.id}` },
        ended(job) ? "Curves" : "Watch",
      )
    : null;

function cancelButton(job) {
  const press = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    button.textContent = "Stopping";
    await cancel(job.id).catch((error) => {
      complain(error);
      button.disabled = false;
      button.textContent = "Cancel";
    });
  };
  return h("button.small", { type: "button", "aria-label": `Cancel: ${kindName(job)}`, onclick: press }, "Cancel");
}
