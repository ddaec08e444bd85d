/** Roost's page: which address shows which view, and what is there on all of them. */
import { $ } from "./core/dom.js";
import { onReachable, get } from "./core/api.js";
import { reload, route, start } from "./core/router.js";
import { menu } from "./parts/menu.js";
import { dock } from "./parts/dock.js";
import { dropping } from "./parts/dropping.js";

route("/", () => import("./views/collections.js"));
route("/collections/:collection", () => import("./views/clusters.js"));
route("/collections/:collection/clusters/:n", () => import("./views/cluster.js"));
route("/collections/:collection/sort", () => import("./views/sort.js"));
route("/collections/:collection/history", () => import("./views/history.js"));
route("/collections/:collection/images", () => import("./views/images.js"));
route("/collections/:collection/images/:image", () => import("./views/image.js"));
route("/collections/:collection/map", () => import("./views/map.js"));
route("/collections/:collection/search", () => import("./views/search.js"));
route("/collections/:collection/duplicates", () => import("./views/duplicates.js"));
route("/collections/:collection/outliers", () => import("./views/outliers.js"));
route("/collections/:collection/encoders", () => import("./views/encoders.js"));
route("/collections/:collection/encoders/:encoder", () => import("./views/encoder.js"));
route("/collections/:collection/train", () => import("./views/train.js"));
route("/collections/:collection/compare", () => import("./views/compare.js"));
route("/jobs", () => import("./views/jobs.js"));
route("/settings", () => import("./views/settings.js"));

$("#tools").append(themeMenu());
dock($("#dock"));
dropping();
offline();
start();

function themeMenu() {
  const choose = (theme) => () => {
    localStorage.setItem("roost.theme", theme);
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  return menu(
    "Colours",
    [
      { name: "Light", icon: "light", run: choose("light") },
      { name: "Dark", icon: "dark", run: choose("dark") },
      { name: "As the system", icon: "system", run: choose("system") },
    ],
    { symbol: "light" },
  );
}

/** Says when the service is away, asks for it again by itself, and shows the view anew when it is back. */
function offline() {
  let asking = 0;
  onReachable((reachable) => {
    $("#offline").hidden = reachable;
    clearInterval(asking);
    if (reachable && !$("#main form:not(.filters)")) reload(); // what somebody is filling in stays
    if (!reachable) asking = setInterval(() => get("/healthz").catch(() => {}), 3000);
  });
}
