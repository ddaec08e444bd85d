/** Which point is nearest, which lie inside a line: points in a grid of cells, so that few must be looked at. */
const POINTS_A_CELL = 4;

export class Nearest {
  /** xy: x and y of one point after the other. */
  constructor(xy) {
    this.xy = xy;
    this.count = xy.length / 2;
    this.bounds = boundsOf(xy);
    const { left, right, bottom, top } = this.bounds;
    const area = Math.max(right - left, 1e-9) * Math.max(top - bottom, 1e-9);
    this.cell = Math.max(
      Math.sqrt((area * POINTS_A_CELL) / Math.max(1, this.count)),
      Math.max(right - left, top - bottom, 1e-9) / 2048,
    );
    this.columns = Math.floor((right - left) / this.cell) + 1;
    this.rows = Math.floor((top - bottom) / this.cell) + 1;
    this.#fill();
  }

  /** Counting sort by cell: `starts` says where in `points` a cell's begin. */
  #fill() {
    const cells = new Uint32Array(this.count);
    this.starts = new Uint32Array(this.columns * this.rows + 1);
    for (let point = 0; point < this.count; point++) {
      cells[point] = this.#row(this.xy[2 * point + 1]) * this.columns + this.#column(this.xy[2 * point]);
      this.starts[cells[point] + 1]++;
    }
    for (let cell = 1; cell < this.starts.length; cell++) this.starts[cell] += this.starts[cell - 1];
    const next = this.starts.slice();
    this.points = new Uint32Array(this.count);
    for (let point = 0; point < this.count; point++) this.points[next[cells[point]]++] = point;
  }

  /** The point nearest to (x, y) among those `wanted` within `reach`, or -1. */
  to(x, y, reach, wanted = () => true) {
    let [best, closest] = [-1, reach * reach];
    for (const point of this.#around(x - reach, y - reach, x + reach, y + reach)) {
      const far = (this.xy[2 * point] - x) ** 2 + (this.xy[2 * point + 1] - y) ** 2;
      if (far <= closest && wanted(point)) [best, closest] = [point, far];
    }
    return best;
  }

  /**
   * Points inside a closed line, which is x and y of one corner after the other, by the even-odd rule. Row by row of
   * cells, so that each point is held against the few sides of the line that pass at its height.
   */
  inside(line) {
    const { left, right, bottom, top } = boundsOf(line);
    const sides = sidesOf(line);
    const found = [];
    for (let row = this.#row(bottom); row <= this.#row(top); row++) {
      const low = this.bounds.bottom + row * this.cell;
      const near = sides.filter(
        ([, ay, , by]) => Math.min(ay, by) <= low + 1.01 * this.cell && Math.max(ay, by) >= low - 0.01 * this.cell,
      );
      for (const point of this.#inRow(row, left, right)) {
        if (encloses(near, this.xy[2 * point], this.xy[2 * point + 1])) found.push(point);
      }
    }
    return found.sort((a, b) => a - b);
  }

  *#around(left, bottom, right, top) {
    for (let row = this.#row(bottom); row <= this.#row(top); row++) yield* this.#inRow(row, left, right);
  }

  #inRow(row, left, right) {
    const from = row * this.columns;
    return this.points.subarray(this.starts[from + this.#column(left)], this.starts[from + this.#column(right) + 1]);
  }

  #column(x) {
    return Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.bounds.left) / this.cell)));
  }

  #row(y) {
    return Math.max(0, Math.min(this.rows - 1, Math.floor((y - this.bounds.bottom) / this.cell)));
  }
}

export function boundsOf(xy) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let place = 0; place < xy.length; place += 2) {
    left = Math.min(left, xy[place]);
    right = Math.max(right, xy[place]);
    bottom = Math.min(bottom, xy[place + 1]);
    top = Math.max(top, xy[place + 1]);
  }
  return xy.length ? { left, right, bottom, top } : { left: 0, right: 1, bottom: 0, top: 1 };
}

/** The line's sides: [x, y, x, y] each, the last back to where it began. */
function sidesOf(line) {
  const sides = [];
  for (let here = 0, before = line.length - 2; here < line.length; before = here, here += 2) {
    sides.push([line[here], line[here + 1], line[before], line[before + 1]]);
  }
  return sides;
}

function encloses(sides, x, y) {
  let inside = false;
  for (const [ax, ay, bx, by] of sides) {
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
