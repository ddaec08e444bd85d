/** How the service is: its health, what it stores, what it runs on, who may use it, and the page's own colours. */
import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { access } from "../parts/access.js";
import { health } from "../parts/health.js";
import { keys } from "../parts/keys.js";
import { limits, running, storage } from "../parts/service-facts.js";
import { themeChoice } from "../parts/theme-choice.js";

const LINKS = [
  ["/docs", "API", "Every operation, with examples to try."],
  ["/openapi.json", "OpenAPI", "The same for programs."],
  ["/metrics", "Metrics", "For Prometheus: requests, jobs by state, pictures by status."],
];

export async function view(page) {
  page.title("Settings");
  const [system, me] = await Promise.all([get("/v1/system", page), get("/v1/me", page)]);
  const manages = me.scope === "admin" && !me.open;
  return h(
    "section.settings",
    {},
    h("header.page-head", {}, h("h1", {}, "Settings")),
    h(
      "div.panels",
      {},
      panel("Health", health(page)),
      panel("Storage", storage(system.storage)),
      panel("Who may use it", access(me, page)),
      manages && panel("Keys", await keys(page)),
      panel("Colours", themeChoice(page)),
      panel("This service", running(system)),
      panel("Limits", limits(system.limits)),
      panel(
        "For programs",
        h(
          "ul.plain-list",
          {},
          LINKS.map(([href, name, about]) => h("li", {}, h("a", { href }, name), h("small", {}, about))),
        ),
      ),
    ),
  );
}

const panel = (title, ...content) => h("section.panel", {}, h("h2", {}, title), content);
