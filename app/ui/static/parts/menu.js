/** A button that opens a short list of actions; a popover, so that Escape and a click elsewhere close it. */
import { h, uid } from "../core/dom.js";
import { icon } from "../core/icons.js";

/** menu("More", [{ name: "Rename", icon: "edit", run }, { name: "API", href: "/docs" }]) */
export function menu(label, items, { symbol = "more", text = null } = {}) {
  const id = uid("menu");
  const list = h(
    "div.menu",
    { id, popover: "auto", role: "menu" },
    items.filter(Boolean).map((item) => entry(item, () => list.hidePopover())),
  );
  const button = h(
    text ? "button" : "button.plain",
    { type: "button", "aria-haspopup": "menu", "aria-label": text ? null : label, popovertarget: id },
    icon(symbol),
    text,
  );
  list.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "open") beside(list, button);
  });
  list.addEventListener("keydown", (event) => step(event, list));
  list.addEventListener("focusout", ({ relatedTarget: to }) => {
    if (to && !list.contains(to)) list.hidePopover();
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    list.showPopover();
  });
  return h("span.menu-anchor", {}, button, list);
}

function entry({ name, run, href, icon: symbol, danger, download }, close) {
  const inside = [symbol && icon(symbol), name];
  if (href) return h("a", { href, role: "menuitem", download, onclick: close }, inside);
  return h(
    `button${danger ? ".danger-text" : ""}`,
    { type: "button", role: "menuitem", onclick: () => (close(), run()) },
    inside,
  );
}

function beside(list, button) {
  const place = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.right - list.offsetWidth, innerWidth - list.offsetWidth - 8));
  const below = place.bottom + 4 + list.offsetHeight < innerHeight;
  list.style.setProperty("left", `${left}px`);
  list.style.setProperty("top", `${below ? place.bottom + 4 : Math.max(8, place.top - list.offsetHeight - 4)}px`);
  list.querySelector("a, button")?.focus();
}

function step(event, list) {
  const entries = [...list.children];
  const here = entries.indexOf(document.activeElement);
  const to = { ArrowDown: (here + 1) % entries.length, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  entries.at(to).focus();
}
