/** Which colour is which cluster: a switch that shows only this one, a link to it, and a highlight while one looks. */
import { h, replace } from "../core/dom.js";
import { count } from "../core/format.js";
import { icon } from "../core/icons.js";
import { css, hue } from "./hues.js";

/**
 * legend({ entries: [{ number, name, size, href }], chosen: Set, highlight(number | null), toggle(number), clear() })
 * Returns its node, whose `update()` brings colours and switches in line.
 */
export function legend({ entries, chosen, highlight, toggle, clear }) {
  const list = h("ul.legend-list");
  const all = h("button.small", { type: "button", onclick: clear }, "Show all");
  const node = h(
    "section.legend",
    { "aria-label": "Clusters on the map" },
    h("header", {}, h("h2", {}, "Clusters"), all),
    list,
  );
  const rows = entries.map((entry) => row(entry, { highlight, toggle }));
  replace(
    list,
    rows.map(({ item }) => item),
  );
  node.update = () => {
    all.disabled = !chosen.size;
    for (const { swatch, button, entry } of rows) {
      swatch.style.setProperty("background", css(hue(entry.number)));
      button.setAttribute("aria-pressed", String(chosen.has(entry.number)));
    }
  };
  node.update();
  return node;
}

function row(entry, { highlight, toggle }) {
  const swatch = h("span.swatch");
  const button = h(
    "button.plain.legend-entry",
    { type: "button", "aria-pressed": "false", onclick: () => toggle(entry.number) },
    swatch,
    h("span.name", {}, entry.name),
    h("span.quiet", {}, count(entry.size)),
  );
  const link =
    entry.href &&
    h(
      "a.legend-link",
      { href: entry.href, "aria-label": `Open ${entry.name}`, title: `Open ${entry.name}` },
      icon("next"),
    );
  const item = h(
    "li",
    {
      onpointerenter: () => highlight(entry.number),
      onpointerleave: () => highlight(null),
      onfocusin: () => highlight(entry.number),
      onfocusout: () => highlight(null),
    },
    button,
    link,
  );
  return { item, swatch, button, entry };
}
