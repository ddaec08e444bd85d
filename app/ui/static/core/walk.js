/** Files out of what was chosen or dropped: [{file, name}], the name being the path inside the folder. */
const order = new Intl.Collator(undefined, { numeric: true });
const HIDDEN = /(^|\/)(\.[^/]*|Thumbs\.db|ehthumbs\.db|desktop\.ini|__MACOSX)(\/|$)/i;

/** What a file chooser gave. */
export const chosen = (files) =>
  named([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));

/**
 * What was dropped, folders walked. Call it while the drop is being handled: afterwards the browser has forgotten.
 * Resolves with {files, folder}; the folder's name, when it was one folder.
 */
export async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const found = (await Promise.all(entries.map((entry) => walk(entry)))).flat();
  const folder = entries.length === 1 && entries[0].isDirectory ? entries[0].name : null;
  return { files: named(found), folder };
}

/**
 * What systems leave in folders is left out; the order is that of the names, as the browser's own is none. One folder
 * that has folders in it is a gallery: its name says nothing about a picture and goes; wren/0012.jpg of a folder
 * without others keeps the name.
 */
function named(found) {
  const seen = found.filter(({ path }) => !HIDDEN.test(path));
  seen.sort((one, other) => order.compare(one.path, other.path));
  const parts = seen.map(({ path }) => path.split("/"));
  const same = parts.every(([first, ...rest]) => rest.length && first === parts[0][0]);
  const strip = same && parts.some((path) => path.length > 2);
  return seen.map(({ file }, at) => ({ file, name: parts[at].slice(strip ? 1 : 0).join("/") }));
}

async function walk(entry) {
  if (entry instanceof File) return [{ file: entry, path: entry.name }];
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  const inside = [];
  for await (const some of batches(entry.createReader())) inside.push(...(await Promise.all(some.map(walk))).flat());
  return inside;
}

/** A folder is read in batches (of 100 in Chromium) until an empty one. */
async function* batches(reader) {
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    yield some;
  }
}
