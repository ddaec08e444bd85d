/**
 * Addresses and views. Every view has an address that can be shared and reloaded; what a view shows beyond its path
 * stands in the query.
 *
 * A view is a module with `view(page)`, which returns a node or a promise of one. `page` is
 *   params, query      from the address          signal      aborted when the view is left
 *   title(text)        of the tab                leave(fn)   called when the view is left
 *   reload()           the same view anew, where it is scrolled to
 * The old view stays until the new one is ready, so that nothing flashes or jumps.
 */
import { Problem, get, onLocked } from "./api.js";
import { $, $$, replace } from "./dom.js";
import { heldFocus } from "./focus.js";
import { failed } from "../parts/states.js";

const SETTLED_MS = 1000; // by then a view has the height of what is in it
const routes = [];
let leaving = null;
let turn = 0;
let locked = false;

/** route("/collections/:collection/clusters/:n", () => import("../views/cluster.js")) */
export function route(pattern, load) {
  const source = pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)");
  routes.push({ expression: new RegExp(`^${source}/?$`), load });
}

export function start() {
  history.scrollRestoration = "manual";
  addEventListener("popstate", (event) => render(event.state?.scroll ?? 0));
  addEventListener("scroll", remember, { passive: true });
  document.addEventListener("click", follow);
  onLocked(lock);
  render(history.state?.scroll ?? 0);
}

/** The service wants a key: until it has one, a log-in stands at every address. Then one is where one was. */
function lock() {
  if (locked) return;
  locked = true;
  closeDialogs();
  reload();
}

function unlock() {
  locked = false;
  reload();
}

export function go(url, { replaced = false } = {}) {
  history[replaced ? "replaceState" : "pushState"]({}, "", url);
  render(0);
}

export const reload = () => render(0, { same: true });

/** Change the query without a new view; null takes a parameter away. Returns the new one. */
export function query(changes, { pushed = false } = {}) {
  const url = new URL(location.href);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  history[pushed ? "pushState" : "replaceState"](history.state, "", url);
  return url.searchParams;
}

/** An address with a query: address("/collections/1", { order: "size" }). */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

async function render(scroll, { same = false } = {}) {
  const mine = ++turn;
  leaving?.();
  const controller = new AbortController();
  const callbacks = [];
  leaving = () => {
    controller.abort();
    callbacks.splice(0).forEach((callback) => callback());
  };
  if (!same) closeDialogs();
  const line = $("#loading-line");
  const slow = setTimeout(() => (line.hidden = false), 150);
  let node;
  try {
    const { page, load } = matched(controller.signal, callbacks);
    node = await (await loaded(locked ? logIn : load)).view(page, unlock);
  } catch (error) {
    if (error.name === "AbortError") return;
    document.title = "Roost";
    node = failed(error, error.code === OUTDATED ? () => location.reload() : reload);
  } finally {
    clearTimeout(slow);
    if (mine === turn) line.hidden = true;
  }
  if (mine === turn) place(node, scroll, same);
}

function matched(signal, callbacks) {
  const [found, match] =
    routes.map((one) => [one, one.expression.exec(location.pathname)]).find(([, match]) => match) ?? [];
  const given = Object.entries(match?.groups ?? {}).map(([key, text]) => [key, decoded(text)]);
  const page = {
    params: Object.fromEntries(given),
    query: new URLSearchParams(location.search),
    signal,
    title: (text) => (document.title = text ? `${text} · Roost` : "Roost"),
    leave: (callback) => callbacks.push(callback),
    reload,
  };
  return { page, load: found?.load ?? nowhere };
}

/** A part of an address; one that is no text as it stands names nothing, and the service says so. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replaceAll("%", "");
  }
}

/** A question about what is left behind is left behind with it. */
const closeDialogs = () => $$("dialog[open]").forEach((dialog) => dialog.close());

const OUTDATED = "page_outdated";

/** A view's code. When it does not come, the service is away, or newer than the page that was loaded from it. */
async function loaded(load) {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    await get("/healthz");
    const detail = "This page was loaded before the update and no longer fits. Load it anew.";
    throw new Problem({ status: 410, code: OUTDATED, title: "Roost has been updated", detail });
  }
}

const logIn = () => import("../views/log-in.js");
const nowhere = () => import("../views/nowhere.js");

function place(node, scroll, same) {
  const main = $("#main");
  const regain = same ? heldFocus(main) : null;
  const to = same ? scrollY : scroll; // who scrolled on meanwhile stays there
  replace(main, node);
  $(".tabs [aria-current]", main)?.scrollIntoView({ block: "nearest", inline: "center" });
  main.style.setProperty("min-height", to ? `${to + innerHeight}px` : ""); // a grid has no height yet
  setTimeout(() => main.contains(node) && main.style.removeProperty("min-height"), SETTLED_MS);
  scrollTo(0, to);
  for (const link of $$(".top-nav a")) {
    const path = new URL(link.href).pathname;
    const here = path === "/" ? !/^\/(jobs|settings)/.test(location.pathname) : location.pathname.startsWith(path);
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  if (regain) regain();
  else focusHeading();
}

/** A screen reader hears where it is; nobody else sees a difference. */
function focusHeading() {
  const heading = $("#main h1");
  if (!heading || $("#main [autofocus]")) return $("#main [autofocus]")?.focus();
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

let waiting = 0;

function remember() {
  clearTimeout(waiting);
  waiting = setTimeout(() => history.replaceState({ ...history.state, scroll: scrollY }, ""), 100);
}

function follow(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const url = new URL(link.href);
  const ours = url.origin === location.origin && routes.some((route) => route.expression.test(url.pathname));
  if (!ours || link.target || link.hasAttribute("download")) return;
  event.preventDefault();
  if (url.hash && url.pathname === location.pathname) return jump($(url.hash));
  go(url.href);
}

/** Within the view; the keyboard goes along, as it does for the link that skips the head of the page. */
function jump(target) {
  target?.scrollIntoView();
  target?.focus({ preventScroll: true });
}
