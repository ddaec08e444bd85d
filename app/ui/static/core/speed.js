/** How fast bytes go, over the last seconds: a whole upload's mean would answer too late when the line changes. */
const WINDOW_MS = 8000;

export class Speed {
  #samples = [];

  add(bytes, now = performance.now()) {
    if (bytes > 0) this.#samples.push([now, bytes]);
    while (this.#samples.length && this.#samples[0][0] < now - WINDOW_MS) this.#samples.shift();
  }

  /** Bytes a second; null while nothing can be said. */
  get rate() {
    const now = performance.now();
    this.add(0, now);
    if (this.#samples.length < 2) return null;
    const bytes = this.#samples.reduce((sum, [, size]) => sum + size, 0);
    return (bytes * 1000) / Math.max(500, now - this.#samples[0][0]);
  }
}
