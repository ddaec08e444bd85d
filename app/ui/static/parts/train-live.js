/** A fine-tuning as it runs: its bar, curves that grow with every epoch, a warning before a collapse, and the verdict. */
import { get } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { ended, follow } from "../core/jobs.js";
import { bar } from "./bar.js";
import { jobProblem } from "./job-words.js";
import { reclusterButton } from "./recluster.js";
import { complain } from "./toast.js";
import { spreadState, trainingCurves } from "./training-curves.js";
import { verdict } from "./verdict.js";

const ASK_MS = 2000;

export function trainLive(page, found, job) {
  const line = bar("Training");
  const warning = h("div", { role: "alert" });
  const outcome = h("div", { role: "status" });
  const curves = trainingCurves([], { signal: page.signal });
  const ask = asking(page, job.id, (training) => {
    curves.update(training.epochs, howFar(training));
    curves.node.lastChild.hidden = ended(training) && !training.epochs.length;
    warn(warning, training.epochs);
  });
  const seen = (latest) => {
    line.update({ ...latest, error: null }); // why it failed is said below, at length
    if (latest.state === "running") ask();
  };
  seen(job);
  follow(job.id, seen, page)
    .then(async (last) => {
      await ask({ now: true });
      if (last.state !== "running") replace(warning);
      replace(outcome, await ending(page, found, last));
    })
    .catch(complain);
  return h("div.training-live", {}, line.node, warning, outcome, curves.node);
}

/** Fetches the epochs when something moved, at most every two seconds, and tells of them when there is a new one. */
function asking(page, id, tell) {
  let last = 0;
  let known = "";
  return async ({ now = false } = {}) => {
    if (!now && Date.now() - last < ASK_MS) return;
    last = Date.now();
    try {
      const training = await get(`/v1/jobs/${id}/training`, page);
      const newest = JSON.stringify([training.state, training.epochs.at(-1)]);
      if (newest === known) return;
      known = newest;
      tell(training);
    } catch (error) {
      complain(error);
    }
  };
}

/** A budget of time may end it before all the epochs that were asked for. */
function howFar({ epochs, planned, state }) {
  const last = epochs.at(-1)?.epoch;
  if (last === undefined)
    return ended({ state })
      ? "It ended before the first epoch, so there are no curves."
      : "Curves come with the first epoch.";
  return planned
    ? `Epoch ${last} of at most ${planned}. Epoch 0 is the encoder before the training.`
    : `Epoch ${last}.`;
}

function warn(node, epochs) {
  const words = {
    falling:
      "The vectors are drawing together: their spread has fallen below half of a healthy one. If it goes on, the encoder will collapse.",
    collapsing:
      "The encoder is collapsing: nearly every picture gets the same vector. After two such epochs Roost stops the training.",
  }[spreadState(epochs)];
  if (node.dataset.said === (words ?? "")) return;
  node.dataset.said = words ?? "";
  replace(node, words && h("p.verdict", { data: { kind: "warn" } }, icon("warning"), h("span", {}, words)));
}

async function ending(page, found, job) {
  const again = h("a.button", { href: `${found.path}/train` }, icon("train"), "Train another");
  if (job.state === "succeeded") {
    const encoder = await get(`/v1/encoders/${job.result.encoder_id}`, page);
    return [
      verdict(encoder),
      h(
        "div.actions",
        {},
        h("a.button", { href: `${found.path}/encoders/${encoder.id}` }, "See the encoder"),
        reclusterButton(found, encoder, { kind: encoder.recommended ? "button.primary" : "button" }),
        again,
      ),
    ];
  }
  const advice = job.error?.code === "collapsed" || job.error?.code === "diverged" ? collapseAdvice() : null;
  return [jobProblem(job), advice, h("div.actions", {}, again)];
}

function collapseAdvice() {
  return h(
    "div",
    {},
    h("p", {}, "Nothing of it is kept; the frozen encoder is as it was. What usually helps, in this order:"),
    h(
      "ol",
      {},
      h("li", {}, "a learning rate of a third or a tenth of what you had (under More settings),"),
      h("li", {}, "fewer trained blocks, one if it was more,"),
      h("li", {}, "a method that pushes different pictures apart: neighbours or simclr."),
    ),
  );
}
