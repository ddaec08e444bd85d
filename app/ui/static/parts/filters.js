/** Filters of pictures: a part of the name, the camera, the days they were taken, the cluster. All stand in the address. */
import { h } from "../core/dom.js";
import { nameOf } from "../core/clusters.js";
import { query } from "../core/router.js";

const NAMES = ["name", "camera", "taken_after", "taken_before", "cluster"];
const RESTS_MS = 400; // after the last key

/**
 * What is set, as the API takes it. Days are the picture's own (UTC, as the service keeps them). The clustering is
 * named with the cluster, so that an older one can be filtered by too.
 */
export function filtersOf(parameters, clustering) {
  const found = {};
  for (const name of NAMES) {
    const value = parameters.get(name)?.trim();
    if (!value) continue;
    if (name.startsWith("taken")) found[name] = value.includes("T") ? value : `${value}T00:00:00Z`;
    else if (name === "cluster") found[name] = value.includes(":") || !clustering ? value : `${clustering.id}:${value}`;
    else found[name] = value;
  }
  return found;
}

/** A form of them. `changed(parameters)` is called with the new address's parameters. */
export function filters(parameters, clusters, changed) {
  const fields = [
    text("Name", "name", parameters, "a part of it"),
    text("Camera", "camera", parameters),
    day("Taken from", "taken_after", parameters),
    day("before", "taken_before", parameters),
    clusters.length ? cluster(parameters, clusters) : null,
  ];
  const fold = h(
    "button.small.fold",
    {
      type: "button",
      "aria-expanded": "false",
      onclick: () => fold.setAttribute("aria-expanded", String(form.classList.toggle("open"))),
    },
    "Filters",
  );
  const clear = h(
    "button.small",
    {
      type: "button",
      onclick: () => (form.querySelectorAll("input, select").forEach((one) => (one.value = "")), apply()),
    },
    "Clear",
  );
  const form = h(
    "form.filters",
    { role: "search", "aria-label": "Filter the pictures", onsubmit: (event) => (event.preventDefault(), apply()) },
    fold,
    h("div.filter-fields", {}, fields, clear),
  );
  let timer = 0;
  const apply = () => {
    clearTimeout(timer);
    const now = Object.fromEntries(NAMES.map((name) => [name, form.elements.namedItem(name)?.value.trim() ?? null]));
    mark(Object.values(now).filter(Boolean).length);
    changed(query(now));
  };
  form.addEventListener(
    "input",
    () => (clearTimeout(timer), (timer = setTimeout(() => form.isConnected && apply(), RESTS_MS))),
  );
  const mark = (number) => {
    clear.disabled = !number;
    fold.textContent = number ? `Filters (${number})` : "Filters";
  };
  mark(NAMES.filter((name) => parameters.get(name)).length);
  return form;
}

const labelled = (label, input) => h("label.inline-field", {}, h("span", {}, label), input);

const text = (label, name, parameters, placeholder = "") =>
  labelled(
    label,
    h("input", {
      name,
      type: "search",
      value: parameters.get(name) ?? "",
      placeholder,
      maxlength: 200,
      autocomplete: "off",
    }),
  );

const day = (label, name, parameters) =>
  labelled(label, h("input", { name, type: "date", value: (parameters.get(name) ?? "").slice(0, 10) }));

function cluster(parameters, clusters) {
  const chosen = parameters.get("cluster") ?? "";
  const options = clusters.map((one) =>
    h("option", { value: one.id, selected: String(one.id) === chosen }, nameOf(one)),
  );
  return labelled("Cluster", h("select", { name: "cluster" }, h("option", { value: "" }, "any"), options));
}
