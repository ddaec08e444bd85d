/** The queue of uploads at the edge of the page: it stays while the views beside it change. */
import { h, replace } from "../core/dom.js";
import { bytes, counted, duration } from "../core/format.js";
import { icon } from "../core/icons.js";
import { OPEN, UNDER_WAY, uploads } from "../core/uploads.js";
import { chosen } from "../core/walk.js";
import { ask, sheet } from "./dialog.js";
import { refreshing } from "./dock-refresh.js";
import { results } from "./dock-results.js";
import { rows } from "./dock-rows.js";
import { announce, complain, toast } from "./toast.js";
import { fromTheWeb } from "./web-addresses.js";

const TAKEN = new Set(["created", "duplicate", "unpacked"]);

/** Fills the aside of the shell. Once. */
export function dock(node) {
  const head = header(node);
  const status = h("p.dock-status", { role: "status" });
  const body = h("div.dock-body", {}, status);
  const parts = [rows(body), results(body)];
  node.append(head.node, body);
  uploads.addEventListener("change", () => {
    const entries = [...uploads.entries.values()];
    node.hidden = !entries.length;
    head.draw(entries);
    say(status, words(entries));
    for (const draw of parts) draw(entries);
  });
  refreshing();
  uploads.start();
}

/** Ask what to add: a file chooser shows either files or folders, never both. */
export function pick(collection) {
  const choice = (symbol, title, text, attributes) => {
    const input = h("input", { type: "file", hidden: true, ...attributes });
    input.addEventListener("change", () => {
      close();
      send(collection, chosen(input.files));
    });
    return [pickButton(symbol, title, text, () => input.click()), input];
  };
  const web = () => {
    close();
    fromTheWeb(collection).catch(complain);
  };
  const close = sheet(
    "Add pictures",
    h(
      "div.picks",
      {},
      choice("image", "Pictures", "One or many files", { multiple: true }),
      choice("upload", "A folder", "With all folders in it", { webkitdirectory: true, multiple: true }),
      choice("download", "Archives", "zip, tar, tar.gz", { multiple: true, accept: ".zip,.tar,.tgz,.gz,.bz2,.xz" }),
      pickButton("web", "From the web", "Addresses, fetched by the service", web),
    ),
    h("p.quiet", {}, "Or drop them anywhere on the page. What is there already is not stored twice."),
  );
}

const pickButton = (symbol, title, text, onclick) =>
  h(
    "button.pick",
    { type: "button", onclick },
    icon(symbol),
    h("span", {}, h("strong", {}, title), h("small", {}, text)),
  );

function send(collection, files) {
  if (files.length) uploads.add(collection, files);
  else toast("There is nothing in it to upload.");
}

/** Title, buttons and the bar for all. Its nodes stay, so that focus does. */
function header(node) {
  const title = h("h2", {});
  const numbers = h("span.quiet.dock-numbers", {});
  const bar = h("progress", { max: 1, "aria-label": "All uploads" });
  const toggle = () => (uploads.paused ? uploads.resume() : uploads.pause());
  const hold = h("button.small", { type: "button", onclick: toggle });
  const stop = h("button.small", { type: "button", onclick: () => stopAll() });
  const fold = h("button.plain.dock-fold", { type: "button", "aria-label": "Details of the uploads" }, icon("next"));
  fold.setAttribute("aria-expanded", "true");
  fold.addEventListener("click", () => folded(node, fold));
  const draw = (entries) => {
    const total = sums(entries);
    title.textContent = headline(total);
    numbers.textContent = pace(total);
    bar.value = total.open || total.outstanding ? total.sent / Math.max(1, total.bytes) : 1;
    hold.hidden = !total.open;
    label(hold, uploads.paused ? "play" : "pause", uploads.paused ? "Resume" : "Pause");
    label(stop, "close", total.open ? "Stop" : "Clear");
    stop.hidden = !total.open && total.outstanding > 0;
  };
  const line = h("div.dock-line", {}, numbers, hold, stop);
  return { node: h("header.dock-head", {}, h("div.dock-title", {}, title, fold), bar, line), draw };
}

function folded(node, button) {
  const small = node.classList.toggle("folded");
  button.setAttribute("aria-expanded", String(!small));
}

function label(button, symbol, text) {
  if (button.dataset.text === text) return;
  button.dataset.text = text;
  replace(button, icon(symbol), text);
}

/** Files and bytes of the whole queue. */
function sums(entries) {
  const total = { files: entries.length, taken: 0, open: 0, outstanding: 0, bytes: 0, sent: 0 };
  for (const { state, size, sent } of entries) {
    total.bytes += size;
    total.sent += OPEN.has(state) ? sent : size;
    if (OPEN.has(state)) total.open += 1;
    else if (UNDER_WAY.has(state)) total.outstanding += 1;
    else if (TAKEN.has(state)) total.taken += 1;
  }
  return total;
}

function headline({ files, taken, open, outstanding }) {
  if (open) return `${uploads.paused ? "Paused at" : "Uploading"} ${files - open} of ${counted(files, "file")}`;
  return outstanding ? `Preparing ${counted(outstanding, "file")}` : `${counted(taken, "file")} uploaded`;
}

function pace({ open, bytes: all, sent }) {
  if (!open) return bytes(all);
  const amount = `${bytes(sent)} of ${bytes(all)}`;
  const rate = uploads.paused || uploads.waiting ? null : uploads.speed.rate;
  return rate ? `${amount} · ${bytes(rate)}/s · ${duration((all - sent) / rate)} left` : amount;
}

/** What a person should know: why nothing moves, or that the browser holds what was there before. */
function words(entries) {
  if (uploads.waiting) return uploads.waiting;
  if (uploads.notice) return uploads.notice;
  const open = entries.some(({ state }) => OPEN.has(state));
  if (!uploads.left || !open) return "";
  const next = uploads.paused ? ": press Resume to go on." : " are being sent now.";
  return `${counted(uploads.left, "file")} left from before${next}`;
}

function say(status, text) {
  if (status.textContent === text) return;
  status.textContent = text;
  status.hidden = !text;
}

/** Stop sending what waits, after a question; or take the results off the page when all is over. */
async function stopAll() {
  const entries = [...uploads.entries.values()];
  const open = entries.filter(({ state }) => OPEN.has(state));
  if (!open.length) return uploads.remove(entries.map(({ id }) => id));
  const text = `${counted(open.length, "file")} will not be sent. What is uploaded already stays.`;
  const sure = await ask({ title: "Stop uploading?", text, action: "Stop", danger: true, submit: () => true });
  if (!sure) return undefined;
  uploads.remove(open.map(({ id }) => id).filter((id) => OPEN.has(uploads.entries.get(id)?.state)));
  return announce("Uploading has stopped.");
}
