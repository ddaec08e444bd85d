/** What uploads do to the rest of the page: views come anew as pictures arrive, and the new ones are sorted. */
import { reload } from "../core/router.js";
import { uploads } from "../core/uploads.js";
import { sortAfterUpload } from "./sort-dialog.js";
import { announce, complain } from "./toast.js";

const REFRESH_MS = 4000; // the shortest time between two of them while files come

export function refreshing() {
  let timer = 0;
  uploads.addEventListener("arrived", ({ detail: { collection } }) => {
    timer ||= setTimeout(() => {
      timer = 0;
      if (counts(collection) && !occupied()) reload();
    }, REFRESH_MS);
  });
  uploads.addEventListener("settled", ({ detail: { collection } }) => settled(collection).catch(complain));
}

async function settled(collection) {
  announce("All files are uploaded and prepared. The new pictures are being sorted.");
  await sortAfterUpload(collection);
  if (shows(collection) && !occupied()) reload();
}

const shows = (collection) => location.pathname === "/" || location.pathname.startsWith(`/collections/${collection}`);

/** Views that say how much there is; others would only be disturbed while more is coming. */
const counts = (collection) =>
  ["/", `/collections/${collection}`, `/collections/${collection}/images`].includes(location.pathname);

/** Somebody is answering a question or typing: a view that comes anew would take it away. */
const occupied = () =>
  Boolean(document.querySelector("dialog[open], #main :is(input, textarea, select):focus, :popover-open"));
