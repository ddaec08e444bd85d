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
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!move) return;
  event.preventDefault();
  const entries = [...list.children];
  entries.at((entries.indexOf(document.activeElement) + move) % entries.length).focus();
}
