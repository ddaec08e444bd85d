/**
 * Sorting by keyboard as it goes on: what was decided, what of it has arrived, how fast. Each decision goes to the
 * service in the background, in order; the next picture never waits for it.
 */
const RATE_MS = 60_000;
const LEAST_MS = 10_000; // a few quick keys at the start are no rate yet

export class SortSession extends EventTarget {
  #times = [];
  #begun = null;
  steps = [];

  constructor(queue, edits) {
    super();
    Object.assign(this, { queue, edits });
  }

  get done() {
    return this.steps.filter(({ kind }) => kind !== "skip").length;
  }

  /** Decisions a minute, over the last one. */
  get rate() {
    if (this.#begun === null) return 0;
    const now = performance.now();
    const recent = this.#times.filter((time) => now - time < RATE_MS);
    return recent.length ? (recent.length / Math.max(LEAST_MS, Math.min(RATE_MS, now - this.#begun))) * RATE_MS : 0;
  }

  move(cluster) {
    const { current } = this.queue;
    if (!current) return;
    if (cluster.id === current.cluster) return this.pin();
    this.#decide({ kind: "move", images: [current.image_id], cluster: cluster.id });
  }

  /** It is right where it is: later runs leave it there too. */
  pin() {
    const { current } = this.queue;
    if (current) this.#decide({ kind: "pin", images: [current.image_id] });
  }

  skip() {
    if (this.queue.current) this.#step({ kind: "skip", sent: null });
  }

  /** Back to the picture before, and what was decided of it is undone once it has arrived. */
  back() {
    const last = this.steps.pop();
    if (!last) return;
    this.#times.pop();
    if (last.sent) this.edits.undo({ only: last.sent, quiet: true }).catch((error) => this.#failed(error));
    this.#go(-1);
  }

  #decide(edit) {
    const sent = this.edits.make(edit, "", { quiet: true });
    const step = { kind: edit.kind, sent };
    sent
      .then(
        (done) => done || this.#drop(step),
        (error) => (this.#drop(step), this.#failed(error)),
      )
      .finally(() => this.#changed());
    this.#begun ??= performance.now();
    this.#times.push(performance.now());
    this.#step(step);
  }

  #step(step) {
    this.steps.push(step);
    this.#go(1);
  }

  /** What did not come about counts as skipped. */
  #drop(step) {
    Object.assign(step, { kind: "skip", sent: null });
  }

  #go(by) {
    this.queue.step(by).then(
      () => this.#changed(),
      (error) => this.#failed(error),
    );
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #failed(error) {
    this.dispatchEvent(new CustomEvent("failed", { detail: error }));
  }
}
