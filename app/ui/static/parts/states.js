/** What stands where nothing else can: nothing yet, still loading, gone wrong. Each says what to do. */
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

/** empty("No clusters yet", "Sort the pictures to see them here.", button) */
export const empty = (title, text, ...actions) =>
  h("div.state", {}, h("h2", {}, title), text && h("p", {}, text), h("div.actions", {}, actions));

/** Grey places the size of what will come, so that nothing moves when it does. */
export const skeleton = (count, kind = "tile") =>
  h(
    "div.skeletons",
    { "aria-hidden": "true" },
    Array.from({ length: count }, () => h(`div.skeleton.${kind}`)),
  );

/** A failure with the service's own words and a way on. */
export function failed(error, again) {
  const unknown = error.status === undefined;
  if (unknown) console.error(error);
  const title = unknown ? "This page made a mistake" : (titles[error.status] ?? error.title);
  return h(
    "div.state.failed",
    { role: "alert" },
    icon("warning"),
    h("h1", {}, title),
    h("p", {}, unknown ? `${error.message}. Reloading usually helps.` : error.detail),
    h(
      "div.actions",
      {},
      again && h("button.primary", { type: "button", onclick: again }, "Try again"),
      h("a.button", { href: "/" }, "All collections"),
    ),
  );
}

const titles = {
  404: "There is nothing here",
  422: "This address cannot be understood",
  0: "The service does not answer",
};
