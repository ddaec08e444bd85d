/** A group of near-duplicates: its pictures side by side, which of them stays, and a button for the rest. */
import { $, h } from "../core/dom.js";
import { basename, count, counted } from "../core/format.js";
import { icon } from "../core/icons.js";
import { picture } from "./picture.js";

const KINDS = { exact: "the same pixels", hash: "saved again or changed a little", embedding: "of the same scene" };

/** `kept` holds the ids that people chose to keep; `clear(button)` deletes the others. The best one is kept at first. */
export function groupCard(group, path, kept, clear) {
  if (!group.images.some(({ image_id: id }) => kept.has(id))) kept.add(group.representative);
  const words = h("span");
  const rest = h("button.small", { type: "button", onclick: () => clear(rest) }, icon("delete"), words);
  const update = () => {
    const spare = group.size - group.images.filter(({ image_id: id }) => kept.has(id)).length;
    words.textContent = spare ? `Delete the other ${spare === 1 ? "one" : count(spare)}` : "All are kept";
    rest.disabled = !spare;
  };
  const tiles = group.images.map((one) => tile(one, group, path, kept, update));
  update();
  return h(
    "li.group",
    {},
    h("header", {}, h("h2", {}, counted(group.size, "picture")), rest),
    h("div.group-tiles", {}, tiles),
    group.size > group.images.length &&
      h("p.quiet", {}, `The first ${group.images.length} of ${count(group.size)} are shown.`),
  );
}

function tile(one, group, path, kept, update) {
  const { image_id: id, name, similarity, kind } = one;
  const best = id === group.representative;
  const box = h("input", { type: "checkbox", checked: kept.has(id), "aria-label": `Keep ${basename(name)}` });
  const node = h(
    "figure.group-tile",
    {},
    h("a", { href: `${path}/images/${id}`, title: name }, picture(id, { name })),
    h(
      "figcaption",
      {},
      h("label", {}, box, "Keep"),
      h("span.quiet", { title: KINDS[kind] }, best ? "best" : `${similarity}%`),
    ),
  );
  const mark = () => node.classList.toggle("goes", !box.checked);
  box.addEventListener("change", () => {
    box.checked ? kept.add(id) : kept.delete(id);
    if (!group.images.some((other) => kept.has(other.image_id))) keepBest(group, kept, node);
    mark();
    update();
  });
  mark();
  return node;
}

/** Of each group at least one stays. */
function keepBest(group, kept, node) {
  const place = group.images.findIndex(({ image_id: id }) => id === group.representative);
  const best = node.parentElement.children[place];
  kept.add(group.representative);
  $("input", best).checked = true;
  best.classList.remove("goes");
}
