/** What is drawn, in which order and colour: the chosen clusters only, what is looked at on top and the rest faded. */
import { hue } from "./hues.js";

const OPAQUE = 225; // of 255: where points lie on each other one sees that they do
const FADED = 38;

/**
 * clusters: one number a point. chosen: a Set of numbers, empty for all. bright(point) says which points stand out,
 * null when all do. Returns {order, colours} for Points.show.
 */
export function inks({ clusters, shuffled, chosen, bright }) {
  const palette = new Map();
  const colours = new Uint8Array(4 * clusters.length);
  const [under, over] = [[], []];
  for (const point of shuffled) {
    const number = clusters[point];
    if (chosen.size && !chosen.has(number)) continue;
    if (!palette.has(number)) palette.set(number, hue(number));
    const stands = !bright || bright(point);
    colours.set(palette.get(number), 4 * point);
    colours[4 * point + 3] = stands ? OPAQUE : FADED;
    (stands ? over : under).push(point);
  }
  return { order: Uint32Array.from(under.concat(over)), colours };
}

/** All numbers below `count`, mixed, always alike: any part of them is a fair sample, and no cluster covers another. */
export function shuffle(count) {
  const numbers = Uint32Array.from({ length: count }, (_, number) => number);
  let state = 1;
  for (let last = count - 1; last > 0; last--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // a linear congruential generator (Numerical Recipes)
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}
