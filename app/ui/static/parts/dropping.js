/** Files dragged over the page, and pictures pasted into it. */
import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { setDroppedPicture } from "../core/dropped.js";
import { counted, day } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address, go } from "../core/router.js";
import { archiveType } from "../core/upload-batch.js";
import { uploads } from "../core/uploads.js";
import { dropped } from "../core/walk.js";
import { announce, complain, toast } from "./toast.js";

const GONE_MS = 1200; // while something is dragged over the page, it is told so several times a second
const SLOW_MS = 600; // a folder that takes longer to walk is announced

/** Listens on the whole page, for ever. */
export function dropping() {
  const overlay = h("div.drop-overlay", { hidden: true });
  document.body.append(overlay);
  let gone = 0;
  const hide = () => (overlay.hidden = true);
  const dragged = (event) => {
    if (!carriesFiles(event)) return;
    clearTimeout(gone);
    gone = setTimeout(hide, GONE_MS);
    show(overlay, event);
    over(overlay, event);
  };
  addEventListener("dragenter", dragged);
  addEventListener("dragover", dragged);
  addEventListener("dragleave", (event) => event.relatedTarget === null && hide());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const zone = event.target.closest?.(".drop-zone")?.dataset.zone;
    const wanted = !overlay.hidden;
    hide();
    if (wanted) take(event.dataTransfer, zone).catch(complain);
  });
  document.addEventListener("paste", paste);
}

const carriesFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
const here = () => /^\/collections\/([^/]+)/.exec(location.pathname)?.[1] ?? null;

/** The page never turns into the file that was dropped on it, not even beside a dialog, where nothing takes it. */
function over(overlay, event) {
  event.preventDefault();
  event.dataTransfer.dropEffect = overlay.hidden ? "none" : "copy";
  const zone = event.target.closest?.(".drop-zone");
  for (const one of overlay.children) one.classList.toggle("over", one === zone);
}

function show(overlay, event) {
  if (!overlay.hidden || document.querySelector("dialog[open]")) return;
  overlay.replaceChildren(...zones([...event.dataTransfer.items]));
  overlay.hidden = false;
}

function zones(items) {
  if (!here()) return [zone("new", "add", "Make a new collection", "of what you drop here")];
  const add = zone("add", "upload", "Add to this collection", "files, folders, zip or tar archives");
  const one = items.length === 1 && items[0].type.startsWith("image/");
  return one ? [add, zone("find", "search", "Find pictures like this one", "without adding it")] : [add];
}

const zone = (name, symbol, title, text) =>
  h("div.drop-zone", { data: { zone: name } }, icon(symbol), h("strong", {}, title), h("span", {}, text));

async function take(transfer, zone) {
  const collection = here();
  if (zone === "find" && collection) return findLike(collection, transfer.files[0]);
  const reading = dropped(transfer);
  const slow = setTimeout(() => toast("Looking through the folder …"), SLOW_MS);
  const { files, folder } = await reading.finally(() => clearTimeout(slow));
  if (!files.length) return toast("There is nothing in it to upload.");
  const target = collection ?? (await made(folder ?? nameOf(files)));
  uploads.add(target, files);
  announce(`${counted(files.length, "file")} to upload`);
  if (!collection) go(`/collections/${target}`);
}

const made = async (name) => (await post("/v1/collections", { name: name.slice(0, 200) })).id;

/** One archive names the collection as a folder does; loose files get the day. */
function nameOf(files) {
  const [{ name }] = files;
  const archive = files.length === 1 && archiveType(name);
  return (archive && name.replace(/(\.tar)?\.\w+$/, "").trim()) || day(new Date());
}

function paste(event) {
  const collection = here();
  const typing = event.target.closest?.("input, textarea, [contenteditable]");
  const picture = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (!collection || !picture || typing || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  findLike(collection, picture);
}

function findLike(collection, picture) {
  setDroppedPicture(picture);
  go(address(`/collections/${collection}/search`, { by: "picture" }));
}
