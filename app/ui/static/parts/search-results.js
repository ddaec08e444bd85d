/** Hits with their scores. Those that fit and those that do not can be marked, to search again with them. */
import { h } from "../core/dom.js";
import { basename, counted, decimal } from "../core/format.js";
import { icon } from "../core/icons.js";
import { picture } from "./picture.js";
import { slider } from "./slider.js";

/**
 * results(hits, { href(id), atLeast, threshold(value), again(like, unlike), needsLike })
 * `needsLike`: the query itself cannot become an example, so one of the hits must.
 */
export function results(hits, { href, atLeast, threshold, again, needsLike }) {
  const marks = new Map();
  const bar = refineBar(marks, again, needsLike);
  const rows = hits.map((hit) => ({ hit, node: tile(hit, href(hit.image_id), marks, bar.update) }));
  const words = h("p.quiet.result-count", { role: "status" });
  const cut = (value) => {
    for (const { hit, node } of rows) node.hidden = hit.score < value;
    const left = hits.filter(({ score }) => score >= value).length;
    words.textContent =
      value > 0
        ? `${left} of ${counted(hits.length, "picture")} at ${decimal(value, 2)} or more`
        : counted(hits.length, "picture");
  };
  const filter = slider(
    "At least",
    { min: 0, max: 1, step: 0.01, value: atLeast, words: (value) => decimal(value, 2) },
    (value) => (cut(value), threshold(value)),
  );
  cut(atLeast);
  return h(
    "div.result-list",
    {},
    h("div.tools", {}, filter, words),
    h(
      "ul.results",
      {},
      rows.map(({ node }) => node),
    ),
    bar.node,
  );
}

function tile({ image_id: id, name, score }, href, marks, changed) {
  const mark = (kind, symbol, label) =>
    h(
      "button.plain.mark",
      {
        type: "button",
        "aria-pressed": "false",
        "aria-label": `${basename(name)}: ${label}`,
        title: label,
        data: { kind },
        onclick: () => press(kind),
      },
      icon(symbol),
    );
  const buttons = [mark("like", "check", "fits"), mark("unlike", "close", "does not fit")];
  const node = h(
    "li",
    {},
    h("a", { href, title: name }, picture(id, { name })),
    h("div.result-words", {}, h("span", {}, decimal(score, 2)), buttons),
  );
  const press = (kind) => {
    if (marks.get(id) === kind) marks.delete(id);
    else marks.set(id, kind);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.kind === marks.get(id)));
    node.dataset.mark = marks.get(id) ?? "";
    changed();
  };
  return node;
}

function refineBar(marks, again, needsLike) {
  const words = h("strong");
  const of = (kind) => [...marks].filter(([, one]) => one === kind).map(([id]) => id);
  const button = h(
    "button.primary",
    { type: "button", onclick: () => again(of("like"), of("unlike")) },
    "Search again with these",
  );
  const node = h("div.selection-bar", { role: "group", "aria-label": "Examples", hidden: true }, words, button);
  const update = () => {
    const [fit, unfit] = [of("like").length, of("unlike").length];
    node.hidden = !marks.size;
    button.disabled = needsLike && !fit;
    const counts = [fit && `${fit} fit${fit === 1 ? "s" : ""}`, unfit && `${unfit} ${unfit === 1 ? "does" : "do"} not`];
    words.textContent = button.disabled ? "Mark at least one that fits, too" : counts.filter(Boolean).join(", ");
  };
  return { node, update };
}
