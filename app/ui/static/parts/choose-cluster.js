/** Ask for one of many clusters: by typing part of its name, and by the arrows. */
import { $$, h, uid } from "../core/dom.js";
import { counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { nameOf } from "../core/clusters.js";
import { sheet } from "./dialog.js";
import { mosaic } from "./picture.js";

/**
 * Resolves with a cluster, with the `value` of one of `extra` ([{ value, name, icon }]), or with null.
 */
export function chooseCluster(title, clusters, { extra = [] } = {}) {
  const id = uid("choices");
  const entries = [
    ...extra.map((one) => ({ value: one.value, words: one.name.toLowerCase(), node: extraRow(one) })),
    ...clusters.map((cluster) => ({
      value: cluster,
      words: `${nameOf(cluster)} ${cluster.id}`.toLowerCase(),
      node: row(cluster),
    })),
  ];
  const input = h("input.choose-input", {
    role: "combobox",
    type: "search",
    placeholder: "Name or number",
    "aria-label": "Look for a cluster",
    "aria-controls": id,
    "aria-expanded": true,
    autocomplete: "off",
    autofocus: true,
  });
  const list = h(
    "ul.choices",
    { id, role: "listbox", "aria-label": "Clusters" },
    entries.map(({ node }) => node),
  );
  const none = h("p.quiet", { hidden: true }, "No cluster is called that.");
  return new Promise((resolve) => {
    let answer = null;
    const close = sheet(title, input, list, none);
    const pick = (entry) => {
      answer = entry.value;
      close();
    };
    list.closest("dialog").addEventListener("close", () => resolve(answer));
    entries.forEach((entry) => entry.node.addEventListener("click", () => pick(entry)));
    working(input, list, none, entries, pick);
  });
}

function working(input, list, none, entries, pick) {
  let current = 0;
  const shown = () => entries.filter(({ node }) => !node.hidden);
  const mark = (place) => {
    const there = shown();
    current = Math.max(0, Math.min(place, there.length - 1));
    $$("[role=option]", list).forEach((node) => node.setAttribute("aria-selected", "false"));
    const node = there[current]?.node;
    node?.setAttribute("aria-selected", "true");
    node?.scrollIntoView({ block: "nearest" });
    node ? input.setAttribute("aria-activedescendant", node.id) : input.removeAttribute("aria-activedescendant");
    none.hidden = there.length > 0;
  };
  input.addEventListener("input", () => {
    const words = input.value.trim().toLowerCase();
    for (const entry of entries) entry.node.hidden = !entry.words.includes(words);
    mark(0);
  });
  input.addEventListener("keydown", (event) => {
    const to = { ArrowDown: current + 1, ArrowUp: current - 1 }[event.key];
    if (to !== undefined) mark(to);
    else if (event.key === "Enter" && shown()[current]) pick(shown()[current]);
    else return;
    event.preventDefault();
  });
  mark(0);
}

const row = (cluster) =>
  h(
    "li.choice",
    { role: "option", id: uid("choice"), "aria-selected": false },
    mosaic(cluster.representatives.slice(0, 3)),
    h("span", {}, nameOf(cluster)),
    h("span.quiet", {}, counted(cluster.size, "picture")),
  );

const extraRow = ({ name, icon: symbol }) =>
  h(
    "li.choice.extra",
    { role: "option", id: uid("choice"), "aria-selected": false },
    icon(symbol),
    h("span", {}, name),
  );
