/** Which of a list's items are selected, by their place in it. Says "change" whenever that changes. */
export class Selection extends EventTarget {
  #places = new Set();
  anchor = null;

  get size() {
    return this.#places.size;
  }

  /** Places in order. */
  get places() {
    return [...this.#places].sort((a, b) => a - b);
  }

  has(place) {
    return this.#places.has(place);
  }

  only(place) {
    this.anchor = place;
    this.#set([place]);
  }

  toggle(place) {
    this.anchor = place;
    const now = new Set(this.#places);
    now.delete(place) || now.add(place);
    this.#set(now);
  }

  /** From the last place that was clicked to this one. */
  range(place) {
    const from = this.anchor ?? place;
    this.#set(between(Math.min(from, place), Math.max(from, place)));
  }

  set(places) {
    this.#set(places);
  }

  clear() {
    this.anchor = null;
    if (this.#places.size) this.#set([]);
  }

  #set(places) {
    this.#places = new Set(places);
    this.dispatchEvent(new Event("change"));
  }
}

const between = (from, to) => Array.from({ length: to - from + 1 }, (_, step) => from + step);
