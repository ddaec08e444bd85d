/**
 * The queue of files on their way to the service.
 *
 * An entry: {id, collection, name, size, archive (content type or null), state, code, detail, image, job, file, sent}.
 * queued -> sending -> preparing (sent, to be decoded) or unpacking -> created, duplicate, rejected, unpacked.
 * failed can be tried again; unreadable is a file that the browser lost and only a person can give again.
 *
 * Events: "change" (at most four a second), "arrived" and "settled" with detail {collection}: pictures have come; all
 * of a collection's files are sent and prepared, and some of them are new.
 */
import { gather, newEntry, readable, verdict } from "./upload-batch.js";
import { Speed } from "./speed.js";
import { OUTSTANDING, answering, explained, outcome } from "./upload-outcome.js";
import * as store from "./upload-store.js";
import { giveUp } from "./resumable.js";
import { transfer } from "./transfer.js";

const AT_ONCE = 2;
const CHANGE_MS = 250;
const KEPT_AT_ONCE = 100;
const PAUSED = "roost.uploads.paused";
const LOST = { state: "unreadable", code: "unreadable", detail: "The browser lost this file. Choose it again." };
const CUT = "The connection is cut. Uploading goes on by itself as soon as the service answers.";
export const OPEN = new Set(["queued", "sending"]);
export const UNDER_WAY = new Set([...OPEN, ...OUTSTANDING]);

const after = (wait) => new Promise((resolve) => setTimeout(resolve, wait));

class Uploads extends EventTarget {
  entries = new Map();
  speed = new Speed();
  paused = sessionStorage.getItem(PAUSED) === "yes";
  waiting = null; // why nothing moves, in words
  notice = null; // what a person should know besides
  left = 0; // files found from before a reload
  #queue = new Set();
  #again = []; // batches to be sent once more, just as they were
  #active = new Set();
  #settling = new Set();
  #fresh = new Set(); // collections with pictures that are not sorted yet
  #most = undefined;
  #timer = 0;

  /** Take up what a reload or a closed tab has left. Once, at the start of the page. */
  start() {
    const [adopt, unkept] = [(entries) => this.#adopt(entries), (error) => this.#unkept(error)];
    this.#stored(store.takeOver(adopt, unkept));
    addEventListener("beforeunload", (event) => {
      if ([...this.entries.values()].some((entry) => OPEN.has(entry.state) && !entry.kept)) event.preventDefault();
    });
  }

  /** `files`: [{file, name}], the name being the path inside a folder. */
  add(collection, files) {
    const added = files.map(({ file, name }) => newEntry(collection, file, name));
    this.#replaceLost(added);
    for (const entry of added) this.#enter(entry);
    this.#stored(this.#keep(added));
    this.#fill();
  }

  pause(words = null) {
    this.paused = true;
    this.notice = words;
    sessionStorage.setItem(PAUSED, "yes");
    for (const batch of this.#active) batch.stop.abort();
    this.#changed();
  }

  resume() {
    this.paused = false;
    this.notice = null;
    sessionStorage.removeItem(PAUSED);
    this.#fill();
  }

  /** Forget entries: those not sent yet are not sent. */
  remove(ids) {
    for (const id of ids) {
      const entry = this.entries.get(id);
      this.#queue.delete(entry);
      this.entries.delete(id);
      if (OPEN.has(entry.state)) giveUp(entry).catch(() => {}); // it expires by itself
    }
    for (const batch of this.#active) if (batch.entries.some(({ id }) => !this.entries.has(id))) batch.stop.abort();
    this.#stored(store.forget(ids));
    if (!this.entries.size) this.left = 0;
    this.#settleAll();
    this.#fill();
  }

  retry(ids) {
    const again = ids.map((id) => this.entries.get(id)).filter(({ state }) => state === "failed");
    const fresh = { state: "queued", sent: 0, code: null, detail: null };
    for (const entry of again) this.#enter(Object.assign(entry, fresh));
    this.#stored(store.put(again));
    this.#fill();
  }

  /** Whether files of this collection are still to be sent. */
  busy = (collection) => this.#of(collection, OPEN).length > 0;

  #of = (collection, states) =>
    [...this.entries.values()].filter((entry) => entry.collection === collection && states.has(entry.state));

  #enter(entry) {
    this.entries.set(entry.id, entry);
    if (entry.state === "queued") this.#queue.add(entry);
  }

  /** A file given again takes the place of the one that was lost. */
  #replaceLost(added) {
    const key = ({ collection, name }) => `${collection} ${name}`;
    const given = new Set(added.map(key));
    const lost = [...this.entries.values()].filter((one) => one.state === "unreadable" && given.has(key(one)));
    if (lost.length) this.remove(lost.map(({ id }) => id));
  }

  #adopt(entries) {
    for (const entry of entries.sort((one, other) => (one.id < other.id ? -1 : 1))) {
      if (entry.state === "sending") entry.state = "queued";
      this.#enter(Object.assign(entry, { sent: 0, kept: true }));
      if (entry.fresh) this.#fresh.add(entry.collection);
    }
    this.left += entries.filter(({ state }) => state === "queued").length;
    this.#fill();
    this.#settleAll();
  }

  /** Records of all first, then the files of those that are not sent yet. */
  async #keep(added) {
    await store.put(added);
    for (let at = 0; at < added.length; at += KEPT_AT_ONCE) {
      const batch = added.slice(at, at + KEPT_AT_ONCE).filter((entry) => OPEN.has(entry.state));
      await store.keep(batch);
      for (const entry of batch) entry.kept = true;
    }
  }

  /** Uploading goes on when the browser keeps nothing; a person must know that a reload would then lose files. */
  #stored(promise) {
    promise.catch((error) => this.#unkept(error));
  }

  #unkept(error) {
    this.notice = store.unkept(error);
    this.#changed();
  }

  #fill() {
    while (!this.paused && !this.waiting && this.#active.size < AT_ONCE) {
      const batch = this.#again.shift()?.without(({ id }) => this.entries.has(id)) ?? gather(this.#queue, this.#most);
      if (!batch) break;
      this.#run(batch);
    }
    this.#changed();
  }

  async #run(given) {
    this.#active.add(given);
    for (const entry of given.entries) entry.state = "sending";
    let batch = given;
    try {
      batch = await this.#loaded(given);
      const progress = (sent) => this.#progress(batch, sent);
      if (batch) this.#took(batch, await transfer(batch, { progress, signal: given.stop.signal }));
    } catch (error) {
      await this.#failed(batch, error);
    }
    this.#active.delete(given);
    this.#settle(given.collection);
    this.#fill();
  }

  /** The batch with its files at hand; those of before a reload come out of the browser's store. */
  async #loaded(batch) {
    for (const entry of batch.entries) {
      entry.file ??= await store.kept(entry.id);
      if (!entry.file) Object.assign(entry, LOST);
    }
    return this.#dropLost(batch);
  }

  #dropLost(batch) {
    const lost = batch.entries.filter(({ state }) => state === "unreadable");
    if (lost.length) this.#stored(store.put(lost));
    return batch.without(({ id, state }) => state !== "unreadable" && this.entries.has(id));
  }

  #progress(batch, sent) {
    const before = batch.sent ?? 0;
    this.speed.add(sent - before);
    batch.sent = sent;
    batch.spread(sent);
    this.#changed();
  }

  #took(batch, answer) {
    const { entries } = batch;
    if (batch.type || batch.resumable) Object.assign(entries[0], { state: "unpacking", job: answer.job_id });
    else entries.forEach((entry, at) => this.#answered(entry, answer.items[at], answer.job_id));
    for (const entry of entries) Object.assign(entry, { sent: entry.size, file: null });
    this.#stored(store.finish(entries.filter(({ id }) => this.entries.has(id))));
    this.dispatchEvent(new CustomEvent("arrived", { detail: { collection: batch.collection } }));
  }

  #answered(entry, item, job) {
    const { status, image_id: image, code = null, detail = null } = item;
    const fresh = status === "created";
    Object.assign(entry, { state: fresh ? "preparing" : status, image, code, detail, fresh, job: fresh ? job : null });
  }

  async #failed(batch, error) {
    batch.tries += 1;
    batch.sent = 0;
    for (const entry of batch.entries) Object.assign(entry, { state: "queued", sent: 0 });
    if (error.name === "AbortError") return this.#again.push(this.#renewed(batch));
    const what = verdict(error, batch);
    if (what === "cut") await this.#cut(batch);
    else if (what === "busy") this.#hold(error.detail, after(error.retryAfter * 1000), batch);
    else if (what === "full") this.#again.push(batch) && this.pause(error.detail || error.title);
    else if (what === "split") this.#again.push(...this.#split(batch));
    else this.#giveUp(batch, error);
  }

  /** After a pause the same again, with its key: what the service took meanwhile is not taken twice. */
  #renewed(batch) {
    batch.stop = new AbortController();
    return batch;
  }

  /** Either the connection broke or the browser could not read one of the files: it does not tell which. */
  async #cut(batch) {
    for (const entry of batch.entries) if (!(await readable(entry.file))) entry.file = await store.kept(entry.id);
    for (const entry of batch.entries) if (!entry.file) Object.assign(entry, LOST);
    this.#hold(CUT, after(batch.tries * 300).then(answering), this.#dropLost(batch));
  }

  /** Nothing more is sent until `over`. The batch comes first then. */
  #hold(words, over, batch) {
    if (batch) this.#again.unshift(batch);
    if (this.waiting) return;
    this.waiting = words;
    over
      .then(() => {
        this.waiting = null;
        this.#fill();
      })
      .catch((error) => this.pause(error.detail || error.message));
  }

  #split(batch) {
    this.#most = Math.ceil(batch.entries.length / 2);
    return batch.halves();
  }

  #giveUp(batch, error) {
    const verdict = (batch.type || batch.resumable) && error.status >= 400 && error.status < 500; // on the archive itself
    for (const entry of batch.entries) Object.assign(entry, explained(error), verdict ? { state: "rejected" } : {});
    this.#stored(store.put(batch.entries));
  }

  #settleAll() {
    for (const collection of new Set([...this.entries.values()].map((one) => one.collection))) this.#settle(collection);
  }

  /** When all files of a collection are sent: wait for what the service makes of them, then say so. */
  async #settle(collection) {
    if (this.#settling.has(collection) || this.busy(collection)) return;
    this.#settling.add(collection);
    const sent = this.#of(collection, OUTSTANDING);
    await outcome(collection, sent, () => this.#changed());
    this.#settling.delete(collection);
    if (sent.length) this.#stored(store.put(sent.filter(({ id }) => this.entries.has(id))));
    if (sent.some(({ state, counts }) => state === "created" || counts?.created)) this.#fresh.add(collection);
    const more = this.#of(collection, UNDER_WAY).length > 0; // came meanwhile
    if (more) this.#settle(collection);
    else if (this.#fresh.delete(collection)) this.#settled(collection);
    this.#changed();
  }

  #settled(collection) {
    const sorted = [...this.entries.values()].filter((entry) => entry.fresh && entry.collection === collection);
    for (const entry of sorted) entry.fresh = false;
    this.#stored(store.put(sorted));
    this.dispatchEvent(new CustomEvent("settled", { detail: { collection } }));
  }

  #changed() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.dispatchEvent(new Event("change"));
    }, CHANGE_MS);
  }
}

export const uploads = new Uploads();
