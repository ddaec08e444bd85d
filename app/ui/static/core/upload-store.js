/**
 * What is being uploaded, kept in IndexedDB so that it survives a reload. Records are small and written first; the
 * files follow as far as the browser gives room (it copies them to its own disk, never through our memory).
 *
 * Each tab holds a lock in its own name. Records whose tab is gone (reloaded, closed, crashed) have a free lock, and
 * the first tab that gets it takes them over: two tabs never send the same queue.
 */
const NAME = "roost.uploads";
const VOLATILE = ["file", "sent", "progress"]; // of the moment: nothing to find again

export const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

const tab = newId();
let opened = null;

/** Write records as they are now. */
export const put = (entries) =>
  transaction(["entries"], "readwrite", (records) => entries.forEach((entry) => records.put(record(entry))));

/** Keep files whose records are there already. Rejects with a QuotaExceededError when there is no room. */
export const keep = (entries) =>
  transaction(["files"], "readwrite", (files) => entries.forEach(({ id, file }) => files.put(file, id)));

/** Write records that need their files no more, and let those go. */
export const finish = (entries) =>
  transaction(["entries", "files"], "readwrite", (records, files) => {
    for (const entry of entries) {
      records.put(record(entry));
      files.delete(entry.id);
    }
  });

export const forget = (ids) =>
  transaction(["entries", "files"], "readwrite", (records, files) => {
    for (const id of ids) {
      records.delete(id);
      files.delete(id);
    }
  });

/** A file kept before; undefined when it never was. */
export const kept = (id) => transaction(["files"], "readonly", (files) => files.get(id));

/**
 * Calls `adopt(entries)` for what each tab that is gone has left, now and whenever one goes; `failed(error)` if that
 * cannot be read.
 */
export async function takeOver(adopt, failed) {
  hold();
  const records = await transaction(["entries"], "readonly", (all) => all.getAll());
  const tabs = new Set(records.map((one) => one.tab));
  for (const gone of tabs) free(gone, async () => adopt(await inherit(gone))).catch(failed);
}

async function inherit(gone) {
  const mine = (entry) => ({ ...entry, tab });
  const left = (await transaction(["entries"], "readonly", (all) => all.index("tab").getAll(gone))).map(mine);
  await put(left);
  return left;
}

function hold() {
  navigator.locks?.request(`${NAME}.${tab}`, () => new Promise(() => {}));
}

/** Why the browser keeps nothing, and what follows. */
export function unkept(error) {
  let why = `The browser cannot keep the files (${error?.message})`;
  if (error?.name === "QuotaExceededError") why = "There is no room in the browser to keep the files";
  return `${why}: after a reload, those that are not sent yet must be chosen again.`;
}

/** Locks are there on localhost and over TLS only; without them what is left belongs to whoever comes. */
function free(other, work) {
  return navigator.locks ? navigator.locks.request(`${NAME}.${other}`, work) : work();
}

function record(entry) {
  const plain = { ...entry, tab };
  for (const key of VOLATILE) delete plain[key];
  return plain;
}

/** Resolves when all of it is on disk, with the result of the request that `work` returned, if it did. */
async function transaction(names, mode, work) {
  const database = await (opened ??= open());
  return new Promise((resolve, reject) => {
    const running = database.transaction(names, mode);
    const request = work(...names.map((name) => running.objectStore(name)));
    running.oncomplete = () => resolve(request?.result);
    running.onabort = () => reject(running.error ?? new Error("The browser did not keep the upload."));
  });
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("entries", { keyPath: "id" }).createIndex("tab", "tab");
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
