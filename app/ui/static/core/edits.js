/**
 * Corrections of a clustering, one after the other, each with the ETag that the last one gave. Whoever asks does not
 * wait for the one before: they stand in a queue. When somebody else was quicker (412), the person is told and asked.
 */
import { ask } from "../parts/dialog.js";
import { complain, toast } from "../parts/toast.js";
import { Problem, get, read, send } from "./api.js";
import { clusterOf } from "./clusters.js";
import { editWords } from "./edit-words.js";
import { reload } from "./router.js";

const known = new Map();

// A tab that is closed takes along what stands in the queue: the browser asks before.
addEventListener(
  "beforeunload",
  (event) => [...known.values()].some(({ pending }) => pending) && event.preventDefault(),
);

/**
 * The corrections of a clustering, as this view has seen it. `changed(edited, how)` is called after each ("do", "undo",
 * "redo") while the view is there; afterwards an undo from a toast shows the view anew that stands there by then.
 */
export async function editsOf(clustering, page, changed) {
  const edits = known.get(clustering) ?? new Edits(clustering);
  known.set(clustering, edits);
  await edits.see(page);
  edits.changed = changed;
  page.leave(() => edits.changed === changed && (edits.changed = null));
  return edits;
}

class Edits {
  #last = Promise.resolve();
  #offer = null;
  pending = 0;
  changed = null;

  constructor(clustering) {
    this.path = `/v1/clusterings/${clustering}`;
    this.clustering = clustering;
  }

  async see(page) {
    this.etag = (await read(this.path, page)).etag;
  }

  /** Resolves with what was done, or with null when the person let it be. Says `words` with an "Undo" beside. */
  make(edit, words = editWords(edit), { quiet = false } = {}) {
    return this.#turn(async () => {
      const done = await this.#sent("/edits", edit, () => this.#stillPossible(edit));
      if (done) this.#tell(done, "do", quiet ? null : words);
      return done;
    });
  }

  /** With `only`, a promise of an edit: nothing is undone when nothing came of that. */
  undo({ only = null, quiet = false } = {}) {
    return this.#turn(async () => {
      if (only && !(await only.catch(() => null))) return null;
      const done = await this.#sent("/undo", undefined, () => this.#whoseIsLast());
      if (done) this.#tell(done, "undo", quiet ? null : `Undone: ${editWords(done)}`);
      return done;
    });
  }

  redo() {
    return this.#turn(async () => {
      const done = await this.#sent("/redo", undefined, async () => "It may have made this impossible.");
      if (done) this.#tell(done, "redo", `Done again: ${editWords(done)}`);
      return done;
    });
  }

  #turn(work) {
    this.pending += 1;
    const mine = this.#last.then(work).finally(() => (this.pending -= 1));
    this.#last = mine.catch(() => null);
    return mine;
  }

  async #sent(path, body, advice) {
    try {
      const answer = await send("POST", this.path + path, { body, etag: this.etag, once: path === "/edits" });
      this.etag = answer.etag;
      return answer.body;
    } catch (error) {
      if (error.status !== 412) throw error;
      await this.see();
      const text = await advice();
      const again = await ask({
        title: "Somebody was quicker",
        text: `This clustering was changed while you looked at it. ${text}`,
        action: "Do it now",
        submit: () => true,
      });
      return again ? this.#sent(path, body, advice) : null;
    }
  }

  /** A sentence on an edit that came too late. Throws when what it is about is gone. */
  async #stillPossible(edit) {
    const numbers = [edit.cluster, ...(edit.clusters ?? [])].filter((one) => one !== null && one !== undefined);
    for (const number of numbers) {
      if ((await clusterOf(this.clustering, number))?.size) continue;
      const detail = `Somebody else was quicker: cluster ${number} is no longer there, so nothing was done.`;
      throw new Problem({ status: 412, code: "too_late", detail });
    }
    return `Your correction is still possible: ${editWords(edit)}`;
  }

  async #whoseIsLast() {
    const { items } = await get(`${this.path}/edits?limit=20`);
    const last = items.find(({ state }) => state === "done");
    return last
      ? `The last correction is now: ${editWords(last)}${last.who ? ` (${last.who})` : ""}. That would be undone.`
      : "There is nothing left to undo.";
  }

  /** Only the newest edit can be undone, so only its toast may offer it. */
  #tell(done, how, words) {
    this.#offer?.();
    const offer = {
      do: { action: "Undo", run: () => this.undo().catch(complain) },
      undo: { action: "Redo", run: () => this.redo().catch(complain) },
    }[how];
    this.#offer = words ? toast(words, offer) : null;
    if (this.changed) this.changed(done, how);
    else if (how !== "do") reload();
  }
}
