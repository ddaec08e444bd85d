/** An address that shows nothing. */
import { h } from "../core/dom.js";

export function view(page) {
  page.title("Not found");
  return h(
    "div.state",
    {},
    h("h1", {}, "There is no such page"),
    h("p", {}, "The address may be mistyped or old."),
    h("div.actions", {}, h("a.button.primary", { href: "/" }, "All collections")),
  );
}
