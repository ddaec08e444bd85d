/** A cluster's name that is edited where it stands: a click or F2, Enter saves, Escape leaves it as it was. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { nameOf } from "../core/clusters.js";
import { complain } from "./toast.js";

/**
 * `save(label)` gets the new name, null for none, and may throw. Without `save` the name only stands there. The node
 * has `edit()`.
 */
export function clusterName(cluster, { tag = "h2", save = null } = {}) {
  const heading = h(`${tag}.cluster-name`);
  const rest = () => heading.replaceChildren(save ? button(cluster) : nameOf(cluster));
  const edit = () => heading.replaceChildren(input(cluster, save, rest));
  const start = () => (edit(), heading.firstChild.focus(), heading.firstChild.select());
  heading.edit = start;
  heading.addEventListener("click", (event) => event.target.closest("button") && start());
  heading.addEventListener(
    "keydown",
    (event) => event.key === "F2" && save && (event.preventDefault(), event.stopPropagation(), start()),
  );
  rest();
  return heading;
}

const button = (cluster) =>
  h(
    "button.name-button",
    { type: "button", title: "Rename (F2)", "aria-label": `${nameOf(cluster)}, rename` },
    h("span", {}, nameOf(cluster)),
    icon("edit"),
  );

function input(cluster, save, rest) {
  const before = cluster.label ?? "";
  const node = h("input.name-input", {
    value: before,
    maxlength: 200,
    "aria-label": `Name of ${nameOf(cluster)}`,
    placeholder: nameOf(cluster),
    autocomplete: "off",
    spellcheck: false,
  });
  let over = false;
  const end = async (label) => {
    if (over) return;
    over = true;
    const focused = document.activeElement === node;
    const heading = node.parentElement;
    node.readOnly = true; // a disabled one would lose the focus
    try {
      if (label !== before && (await save(label || null))) cluster.label = label || null;
    } catch (error) {
      complain(error);
    }
    rest();
    if (focused) heading.querySelector("button")?.focus();
  };
  node.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // else the button that takes the focus would be pressed by it
    end(event.key === "Enter" ? node.value.trim() : before);
  });
  node.addEventListener("blur", () => end(node.value.trim()));
  return node;
}
