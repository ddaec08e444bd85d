/** All encoders of a collection on the same held-out pictures: each fine-tuned one beside the frozen one it comes from. */
import { h } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { betterMark, difference, measured, measureName, shownMeasure, tunedIsBetter } from "./measures.js";
import { reclusterButton } from "./recluster.js";
import { badge } from "./verdict.js";

/** `comparison` is what /encoders/compare answers; null is returned before anything was fine-tuned. */
export function encoderComparison(found, comparison) {
  if (!comparison.items.length) return null;
  const names = measured(...comparison.items.map(({ metrics }) => metrics));
  const heads = [
    h("th", { scope: "col" }, "Encoder"),
    names.map((name) => h("th.number", { scope: "col" }, measureName(name))),
  ];
  const winner = best(comparison.items);
  return h(
    "section.comparison",
    {},
    h(
      "div.section-head",
      {},
      h(
        "div",
        {},
        h("h2", {}, "Frozen against tuned"),
        h(
          "p.quiet",
          {},
          `Measured on the same ${counted(comparison.held_out.images, "picture")}, which no training has seen.`,
        ),
      ),
      h("div.actions", {}, winner && onward(found, winner)),
    ),
    h(
      "div.table-scroll",
      { role: "region", "aria-label": "Comparison of encoders", tabindex: 0 },
      h(
        "table.measures",
        {},
        h("thead", {}, h("tr", {}, heads)),
        h(
          "tbody",
          {},
          families(comparison.items).map((family) => rows(found, family, names)),
        ),
      ),
    ),
  );
}

/** What to do now: sort with the better one, or, where that is done, see what it moved. */
function onward(found, { encoder, method }) {
  const [newest, before] = found.clusterings;
  if (newest?.encoder.id !== encoder.id) {
    return reclusterButton(found, encoder, {
      text: `Re-cluster with the ${method ? "winner" : "frozen one"}`,
      kind: "button.primary",
    });
  }
  return before && h("a.button", { href: `${found.path}/compare` }, icon("compare"), "What the winner moved");
}

/**
 * The newest fine-tuned one that is better than its frozen encoder; where none is, the frozen one that they come from.
 * Verdicts of different trainings are not numbers that could be ranked.
 */
function best(items) {
  const tuned = items.filter(({ method }) => method);
  return (
    tuned.findLast(({ recommended }) => recommended) ??
    items.find(({ method, encoder }) => !method && encoder.name === tuned[0]?.base) ??
    null
  );
}

/** Frozen encoders, each followed by those that were tuned from it. */
function families(items) {
  const frozen = items.filter(({ method }) => !method);
  const of = (name) => items.filter(({ method, base }) => method && base === name);
  const known = frozen.map((one) => ({ frozen: one, tuned: of(one.encoder.name) }));
  const orphans = items.filter(({ method, base }) => method && !frozen.some(({ encoder }) => encoder.name === base));
  return orphans.length ? [...known, { frozen: null, tuned: orphans }] : known;
}

function rows(found, { frozen, tuned }, names) {
  const first =
    frozen &&
    row(
      found,
      frozen,
      names.map((name) => h("td.number", {}, shownMeasure(name, frozen.metrics[name]))),
    );
  return [
    first,
    tuned.map((one) =>
      row(
        found,
        one,
        names.map((name) => compared(name, frozen, one)),
      ),
    ),
  ];
}

/** Only what was measured on the same pictures may be subtracted. */
function compared(name, frozen, one) {
  const before = frozen && frozen.current === one.current ? frozen.metrics[name] : undefined;
  const after = one.metrics[name];
  return h(
    "td.number",
    {},
    shownMeasure(name, after),
    tunedIsBetter(name, before, after) ? betterMark() : null,
    difference(name, before, after),
  );
}

function row(found, one, cells) {
  const how = one.method
    ? `${one.method}, tuned from ${one.base} on ${counted(one.images_trained, "picture")}`
    : "as it came, frozen";
  return h(
    `tr.${one.method ? "tuned" : "frozen"}`,
    { data: { winner: String(Boolean(one.recommended)) } },
    h(
      "th",
      { scope: "row" },
      h("a", { href: `${found.path}/encoders/${one.encoder.id}` }, one.encoder.name),
      " ",
      badge(one),
      h("small", {}, how, one.current ? "" : "; measured on older held-out pictures, so it compares badly"),
    ),
    cells,
  );
}
