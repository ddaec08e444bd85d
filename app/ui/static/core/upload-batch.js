/** Which files go into one request, and what to do when it fails. */
import { PIECE } from "./resumable.js";
import { newId } from "./upload-store.js";

const MOST_FILES = 64; // each request brings a job that decodes: with fewer files the jobs would cost more than these
const MOST_BYTES = 16e6;
const MOST_TRIES = 8; // with a service that does answer: something is wrong with these bytes or the way between
const BUSY = new Set([429, 502, 503, 504]);

const ARCHIVES = [
  [/\.zip$/i, "application/zip"],
  [/\.(tar\.gz|tgz)$/i, "application/gzip"],
  [/\.(tar|tar\.bz2|tbz2?|tar\.xz|txz)$/i, "application/x-tar"],
];
const ARCHIVE_TYPES = {
  "application/zip": "application/zip",
  "application/x-zip-compressed": "application/zip",
  "application/x-tar": "application/x-tar",
};

/** The content type under which an archive is sent; null for all that is none. */
export const archiveType = (name, type = "") =>
  ARCHIVES.find(([expression]) => expression.test(name))?.[1] ?? ARCHIVE_TYPES[type] ?? null;

let serial = 0;

/** How a file stands in the queue. Ids are in the order in which files were given. */
export function newEntry(collection, file, name) {
  const id = `${Date.now().toString(36)}-${String(++serial).padStart(8, "0")}-${newId()}`;
  const archive = archiveType(name, file.type);
  return { id, collection, name, size: file.size, archive, state: "queued", file, sent: 0 };
}

/** Files that travel together. The key makes a repeat of the very same batch harmless. */
export class Batch {
  constructor(entries) {
    this.entries = entries;
    this.collection = entries[0].collection;
    this.type = entries[0].archive;
    this.resumable = alone(entries[0]);
    this.key = newId();
    this.tries = 0;
    this.stop = new AbortController();
  }

  get size() {
    return this.entries.reduce((sum, { size }) => sum + size, 0);
  }

  /** The same without those that `keep` refuses. As it is another request then, it gets another key. */
  without(keep) {
    const rest = this.entries.filter(keep);
    if (rest.length === this.entries.length) return this;
    return rest.length ? new Batch(rest) : null;
  }

  halves() {
    const middle = Math.ceil(this.entries.length / 2);
    return [new Batch(this.entries.slice(0, middle)), new Batch(this.entries.slice(middle))];
  }

  /** Spread the bytes sent over the files, in the order in which they are sent. */
  spread(bytes) {
    let left = bytes;
    for (const entry of this.entries) {
      entry.sent = Math.min(entry.size, left);
      left -= entry.sent;
    }
  }
}

/** What is larger than a piece is sent by itself, and goes on where it was cut. */
const alone = ({ size }) => size > PIECE;

/** Take the next batch out of the queue, an ordered set: one archive or large file, or files of one collection. */
export function gather(queue, most = MOST_FILES) {
  const taken = [];
  let bytes = 0;
  for (const entry of queue) {
    if (taken.length && !joins(entry, taken[0], bytes)) break;
    taken.push(entry);
    bytes += entry.size;
    if (entry.archive || alone(entry) || taken.length === most) break;
  }
  taken.forEach((entry) => queue.delete(entry));
  return taken.length ? new Batch(taken) : null;
}

const joins = (entry, first, bytes) =>
  first.collection === entry.collection && !entry.archive && !alone(entry) && bytes + entry.size <= MOST_BYTES;

/** What a failure asks for: cut, busy, full, split, or given up. */
export function verdict(error, batch) {
  if (error.code === "unreachable") return batch.tries < MOST_TRIES ? "cut" : "given up";
  if (BUSY.has(error.status) || error.code === "idempotency_in_progress") return "busy";
  if (error.status === 507) return "full";
  if (error.code === "too_many_files" && batch.entries.length > 1) return "split";
  return "given up";
}

/** Whether the browser can still read a file that it was given. It may be gone, changed or on a disk pulled out. */
export async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
