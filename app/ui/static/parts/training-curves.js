/** The curves of a training: one chart for each thing that is measured, drawn anew as epochs come in. */
import { h } from "../core/dom.js";
import { decimal } from "../core/format.js";
import { chart } from "./chart.js";

const CHARTS = [
  { title: "Loss", names: ["loss"], about: "What the training makes smaller; it says nothing of the encoder's worth." },
  {
    title: "Retrieval",
    names: ["retrieval"],
    zero: true,
    about: "How often one view of a held-out picture finds the other. Should rise.",
  },
  {
    title: "Spread",
    names: ["spread"],
    zero: true,
    about: "1 fills the sphere; a fall to a fifth of the start is a collapse.",
    floor: true,
  },
  { title: "RankMe", names: ["rankme"], zero: true, about: "Dimensions in use. A fall by over a tenth is a bad sign." },
  { title: "Learning rate", names: ["lr"], about: "At the end of each epoch: it warms up, then falls to nothing." },
  {
    title: "Change of clusters",
    names: ["nmi_prev"],
    zero: true,
    about: "Agreement (NMI) of an epoch's clusters with those of the one before.",
    optional: true,
  },
  {
    title: "Against labels",
    names: ["knn", "nmi_labels"],
    zero: true,
    about: "Neighbours and NMI with labels that were never trained on.",
    optional: true,
  },
];
const WORDS = { knn: "neighbours", nmi_labels: "NMI" };

/** The share of the start's spread below which two epochs end a training: models/ssl/health.py. */
export const COLLAPSED_BELOW = 0.2;
const FALLING_BELOW = 0.5;

/** {node, update(epochs, said)}: places for all charts stand from the start, so that nothing moves when the first epoch comes. */
export function trainingCurves(epochs = [], { signal, waiting = "Curves come with the first epoch." } = {}) {
  const drawn = CHARTS.filter((one) => !one.optional || has(one, epochs)).map((one) => panel(one, epochs, signal));
  const hint = h("p.quiet.curves-hint", { role: "status" }, epochs.length ? "" : waiting);
  const node = h(
    "div.curves",
    {},
    hint,
    h(
      "div.curve-grid",
      {},
      drawn.map(({ node }) => node),
    ),
  );
  const update = (latest, said = latest.length ? "" : waiting) => {
    hint.textContent = said;
    for (const one of CHARTS.filter(
      (one) => one.optional && has(one, latest) && !drawn.some((known) => known.one === one),
    )) {
      drawn.push(panel(one, latest, signal));
      node.lastChild.append(drawn.at(-1).node);
    }
    for (const { one, figure } of drawn) figure.update(lines(one, latest), words(one, latest));
  };
  return { node, update };
}

/** "ok", "falling" or "collapsing", from the spread of the newest epoch against a healthy one. */
export function spreadState(epochs) {
  const spreads = epochs.map(({ spread }) => spread).filter(Number.isFinite);
  if (spreads.length < 2) return "ok";
  const share = spreads.at(-1) / healthy(spreads);
  return share < COLLAPSED_BELOW ? "collapsing" : share < FALLING_BELOW ? "falling" : "ok";
}

const healthy = (spreads) => Math.min(1, spreads[0]);
const has = ({ names }, epochs) => epochs.some((epoch) => names.some((name) => Number.isFinite(epoch[name])));

function panel(one, epochs, signal) {
  const figure = chart(one.title, lines(one, epochs), {
    x: "epoch",
    zero: one.zero,
    words: words(one, epochs),
    signal,
  });
  return { one, figure, node: h("div.curve", {}, figure, h("small", {}, one.about)) };
}

function lines(one, epochs) {
  const found = one.names
    .map((name) => {
      const points = epochs.filter((epoch) => Number.isFinite(epoch[name]));
      return { name: WORDS[name] ?? name, x: points.map(({ epoch }) => epoch), y: points.map((epoch) => epoch[name]) };
    })
    .filter(({ x }) => x.length);
  return one.floor && found.length ? [...found, ...limits(found[0])] : found;
}

/** Where a training begins to be healthy and where it is given up, across the chart. */
function limits({ x, y }) {
  const ends = [x[0], Math.max(x.at(-1), x[0] + 1)];
  const level = (name, value, dash) => ({
    name,
    x: ends,
    y: [value, value],
    mode: "lines",
    line: { width: 1.5, dash },
  });
  return [level("healthy", healthy(y), "dash"), level("collapse", COLLAPSED_BELOW * healthy(y), "dot")];
}

function words(one, epochs) {
  const said = lines({ ...one, floor: false }, epochs).map(
    ({ name, x, y }) => `${name} from ${decimal(y[0])} in epoch ${x[0]} to ${decimal(y.at(-1))} in epoch ${x.at(-1)}`,
  );
  return said.join("; ") || "nothing yet";
}
