/** What is measured of an encoder: its name, what it says, and which direction is better, if either is. */
import { h } from "../core/dom.js";
import { decimal, percent } from "../core/format.js";
import { icon } from "../core/icons.js";
import { term } from "./term.js";

const SHARE = { show: (value) => percent(value, 1), change: (value) => `${signed(value * 100, 1)} pts` };
const INDEX = { show: (value) => decimal(value, 3), change: (value) => signed(value, 3) };
const COUNT = { show: (value) => decimal(value, 1), change: (value) => signed(value, 1) };
const BETTER = { better: "higher" };

/** In the order in which they are shown. Those without `better` rise and fall for good and for bad reasons. */
const MEASURES = {
  retrieval: {
    ...SHARE,
    name: "Retrieval",
    about:
      "How often one changed view of a held-out picture finds the other among all. It rises with training even where clusters get worse, so it decides nothing alone.",
  },
  knn: {
    ...SHARE,
    ...BETTER,
    name: "Neighbours",
    about: "Share of pictures whose ten nearest neighbours vote for their label. Higher is better.",
  },
  nmi: {
    ...INDEX,
    ...BETTER,
    name: "NMI",
    about: "Agreement of k-means clusters with the labels, 0 to 1, mean of five seeds. Higher is better.",
  },
  ari: {
    ...INDEX,
    ...BETTER,
    name: "ARI",
    about: "Agreement of k-means clusters with the labels, adjusted for chance. Higher is better.",
  },
  accuracy: {
    ...SHARE,
    ...BETTER,
    name: "Accuracy",
    about: "Share of pictures in the cluster that matches their label best. Higher is better.",
  },
  linear_1: {
    ...SHARE,
    ...BETTER,
    name: "Linear, 1%",
    about: "Test accuracy of a linear classifier that saw 1% of the labels. Higher is better.",
  },
  linear_10: {
    ...SHARE,
    ...BETTER,
    name: "Linear, 10%",
    about: "Test accuracy of a linear classifier that saw 10% of the labels. Higher is better.",
  },
  linear_20: {
    ...SHARE,
    ...BETTER,
    name: "Linear, 20%",
    about: "Test accuracy of a linear classifier that saw 20% of the labels. Higher is better.",
  },
  linear_100: {
    ...SHARE,
    ...BETTER,
    name: "Linear, all",
    about: "Test accuracy of a linear classifier that saw all labels of the training part. Higher is better.",
  },
  spread: {
    ...INDEX,
    name: "Spread",
    about:
      "How far apart the vectors lie: 1 fills the whole sphere, 0 is a collapse, where every picture gets the same vector.",
  },
  rankme: {
    ...COUNT,
    name: "RankMe",
    about:
      "How many dimensions the vectors really use, at most as many as there are held-out pictures. A fall by over a tenth is a bad sign.",
  },
};

/** Those that at least one of the encoders has. */
export const measured = (...found) =>
  Object.keys(MEASURES).filter((name) => found.some((one) => Number.isFinite(one?.[name])));

export const measureName = (name) => term(MEASURES[name].name, MEASURES[name].about);
export const shownMeasure = (name, value) => (Number.isFinite(value) ? MEASURES[name].show(value) : "–");

/** The tuned encoder's difference to the frozen one, with its sign; coloured only where a direction is better. */
export function difference(name, frozen, tuned) {
  if (!Number.isFinite(frozen) || !Number.isFinite(tuned)) return null;
  const way = MEASURES[name].better ? Math.sign(tuned - frozen) : 0;
  return h("span.difference", { data: { way: String(way) } }, MEASURES[name].change(tuned - frozen));
}

/** Whether the tuned value is the better one: true, false, or null where neither is. */
export function tunedIsBetter(name, frozen, tuned) {
  if (!MEASURES[name].better || !Number.isFinite(frozen) || !Number.isFinite(tuned) || frozen === tuned) return null;
  return tuned > frozen;
}

export const betterMark = () => h("span.better", {}, icon("check"), h("span.visually-hidden", {}, "better"));

const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
