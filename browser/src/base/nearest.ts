// The nearest of many points, exactly: points lie in small balls, and a ball that is too far away is passed over whole.

import { GROUP, Kernels, ROWS } from "./kernels.ts";
import type { Matrix } from "./matrix.ts";

// Points in a ball at most.
const BALL = 64;
// So many more than are wanted are kept until it is known how far they are to the last digit.
const SPARE = 4;
// What single precision leaves of a square, at most, as a share of the largest.
const SLACK = 4e-6;

interface Balls {
  // Places of the points, those of a ball one after another.
  place: Int32Array;
  // Where each ball begins, and the last ends.
  start: number[];
  middle: Float64Array[];
  radius: number[];
  // Squares of the lengths of the points, in the order of their places.
  square: Float64Array;
}

export interface Found {
  // Nearest points of each row, as places among the points, the nearest first; row by row.
  place: Int32Array;
  // How far they are, in single precision.
  distance: Float32Array;
  // Of each row.
  count: number;
}

// The nearest so far of some rows: how far they are, squared, and where.
interface Best {
  square: Float64Array;
  place: Int32Array;
  count: number;
}

// Points among which the nearest are looked for.
export class Points {
  readonly size: number;
  private readonly balls: Balls;
  private readonly kernels: Kernels;
  // Where the points of each ball lie in the kernels' memory, and how many groups they are.
  private readonly packed: number[] = [];
  private readonly groups: number[] = [];
  private readonly rowsAt: number;
  private readonly madeAt: number;
  private readonly topsAt: number;
  private readonly slack: number;

  constructor(private readonly all: Matrix, private readonly chosen: ArrayLike<number>) {
    this.size = chosen.length;
    this.balls = ballsOf(all, chosen);
    const { start } = this.balls;
    let at = 0;
    for (let b = 0; b + 1 < start.length; b += 1) {
      this.packed.push(at);
      this.groups.push(Math.ceil((start[b + 1] - start[b]) / GROUP));
      at += this.groups[b] * GROUP * (all.width + 1);
    }
    this.rowsAt = at;
    this.madeAt = at + BALL * (all.width + 1);
    this.topsAt = this.madeAt + BALL * ROWS;
    this.kernels = new Kernels(this.topsAt + (BALL / GROUP) * ROWS);
    this.pack();
    this.slack = SLACK * this.balls.square.reduce((most, square) => Math.max(most, square), 0);
  }

  // With each point goes half of its square, so that what is nearest has the largest product; without a point there is none.
  private pack(): void {
    const { start, place, square } = this.balls, { numbers } = this.kernels, { data, width } = this.all;
    for (let b = 0; b < this.packed.length; b += 1) {
      for (let own = 0; own < this.groups[b] * GROUP; own += 1) {
        const row = start[b] + own, to = this.packed[b] + Math.floor(own / GROUP) * (width + 1) * GROUP + (own % GROUP);
        const there = row < start[b + 1], from = there ? this.chosen[place[row]] * width : 0;
        for (let d = 0; d < width && there; d += 1) numbers[to + d * GROUP] = data[from + d];
        numbers[to + width * GROUP] = there ? -square[row] / 2 : -Infinity;
      }
    }
  }

  // The nearest points of some rows: so many of each.
  nearest(all: Matrix, chosen: ArrayLike<number>, wanted: number): Found {
    const count = Math.min(wanted + SPARE, this.size), own = ballsOf(all, chosen), n = chosen.length;
    const best = { square: new Float64Array(n * count).fill(Infinity), place: new Int32Array(n * count).fill(-1), count };
    const balls = this.packed.length, far = new Float64Array(balls), { middle, radius } = this.balls;
    for (let b = 0; b < own.middle.length; b += 1) {
      const from = own.start[b], to = own.start[b + 1];
      this.bring(all, chosen, own.place, from, to);
      for (let o = 0; o < balls; o += 1) far[o] = Math.max(0, apart(own.middle[b], middle[o]) - own.radius[b] - radius[o]);
      const order = Int32Array.from({ length: balls }, (_, i) => i).sort((x, y) => far[x] - far[y] || x - y);
      for (const o of order) {
        if (far[o] * far[o] - this.slack > worst(best, from, to)) break;
        this.compare(own, from, to, o, best);
      }
    }
    return this.sorted(all, chosen, own.place, best, Math.min(wanted, this.size));
  }

  // Rows of a ball into the kernels' memory.
  private bring({ data, width }: Matrix, chosen: ArrayLike<number>, place: Int32Array, from: number, to: number): void {
    for (let row = from; row < to; row += 1) {
      const cell = chosen[place[row]] * width;
      const at = this.rowsAt + (row - from) * (width + 1);
      this.kernels.numbers.set(data.subarray(cell, cell + width), at);
      this.kernels.numbers[at + width] = 1;
    }
  }

  // Compares the rows of a ball with the points of another, four with eight.
  private compare(own: Balls, from: number, to: number, ball: number, best: Best): void {
    const { numbers } = this.kernels, { place, start } = this.balls, width = this.all.width + 1, groups = this.groups[ball];
    for (let row = from; row < to; row += ROWS) {
      this.kernels.products(this.rowsAt + (row - from) * width, this.packed[ball], groups, width, this.madeAt, this.topsAt);
      for (let r = row; r < Math.min(row + ROWS, to); r += 1) {
        const end = r * best.count + best.count - 1;
        let least = (own.square[r] - best.square[end]) / 2;
        for (let group = 0; group < groups; group += 1) {
          const at = group * ROWS + r - row;
          if (numbers[this.topsAt + at] < least) continue;
          for (let e = 0; e < GROUP; e += 1) {
            const product = numbers[this.madeAt + at * GROUP + e];
            if (product < least || product === -Infinity) continue;
            offer(best, r, own.square[r] - 2 * product, place[start[ball] + group * GROUP + e]);
            least = (own.square[r] - best.square[end]) / 2;
          }
        }
      }
    }
  }

  // In the order of the rows; distances by differences, as differences of large squares are none of points that are close.
  private sorted({ data, width }: Matrix, chosen: ArrayLike<number>, order: Int32Array, best: Best, wanted: number): Found {
    const place = new Int32Array(chosen.length * wanted), distance = new Float32Array(place.length).fill(Infinity);
    for (let row = 0; row < order.length; row += 1) {
      const from = order[row] * wanted, last = from + wanted - 1, cell = chosen[order[row]] * width;
      for (let j = row * best.count; j < (row + 1) * best.count; j += 1) {
        const other = best.place[j], there = this.chosen[other] * width;
        let sum = 0;
        for (let d = 0; d < width; d += 1) {
          const away = this.all.data[there + d] - data[cell + d];
          sum += away * away;
        }
        const far = Math.fround(Math.sqrt(sum));
        if (far > distance[last] || (far === distance[last] && other > place[last])) continue;
        let at = last;
        while (at > from && (distance[at - 1] > far || (distance[at - 1] === far && place[at - 1] > other))) {
          distance[at] = distance[at - 1];
          place[at] = place[at - 1];
          at -= 1;
        }
        distance[at] = far;
        place[at] = other;
      }
    }
    return { place, distance, count: wanted };
  }
}

function worst({ square, count }: Best, from: number, to: number): number {
  let most = 0;
  for (let row = from; row < to; row += 1) if (square[row * count + count - 1] > most) most = square[row * count + count - 1];
  return most;
}

function apart(one: Float64Array, two: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < one.length; d += 1) sum += (one[d] - two[d]) * (one[d] - two[d]);
  return Math.sqrt(sum);
}

// Puts a point among the nearest of a row, if it is one of them; of two as near the one that comes first in its list.
function offer({ square, place, count }: Best, row: number, value: number, other: number): void {
  const from = row * count;
  let at = from + count - 1;
  if (value === square[at] && other > place[at]) return;
  while (at > from && (square[at - 1] > value || (square[at - 1] === value && place[at - 1] > other))) {
    square[at] = square[at - 1];
    place[at] = place[at - 1];
    at -= 1;
  }
  square[at] = value;
  place[at] = other;
}

function ballsOf(all: Matrix, chosen: ArrayLike<number>): Balls {
  const n = chosen.length, place = Int32Array.from({ length: n }, (_, i) => i);
  const balls: Balls = { place, start: [0], middle: [], radius: [], square: new Float64Array(n) };
  const open: [number, number][] = n ? [[0, n]] : [], along = new Float64Array(n);
  while (open.length) {
    const [from, to] = open.pop()!;
    const middle = middleOf(all, chosen, place, from, to);
    if (to - from > BALL && parted(all, chosen, place, from, to, middle, along)) {
      // balls of whole groups but for the last
      const half = from + Math.ceil((to - from) / 2 / GROUP) * GROUP;
      open.push([half, to], [from, half]);
      continue;
    }
    balls.start.push(to);
    balls.middle.push(middle);
    balls.radius.push(0);
  }
  fill(balls, all, chosen);
  return balls;
}

function fill(balls: Balls, all: Matrix, chosen: ArrayLike<number>): void {
  const width = all.width;
  for (let b = 0; b < balls.middle.length; b += 1) {
    let radius = 0;
    for (let row = balls.start[b]; row < balls.start[b + 1]; row += 1) {
      const cell = chosen[balls.place[row]] * width;
      let square = 0, away = 0;
      for (let d = 0; d < width; d += 1) {
        const value = all.data[cell + d], step = value - balls.middle[b][d];
        square += value * value;
        away += step * step;
      }
      balls.square[row] = square;
      radius = Math.max(radius, away);
    }
    balls.radius[b] = Math.sqrt(radius);
  }
}

function middleOf(all: Matrix, chosen: ArrayLike<number>, place: Int32Array, from: number, to: number): Float64Array {
  const middle = new Float64Array(all.width);
  for (let i = from; i < to; i += 1) {
    const cell = chosen[place[i]] * all.width;
    for (let d = 0; d < all.width; d += 1) middle[d] += all.data[cell + d];
  }
  return middle.map((sum) => sum / (to - from));
}

// Sorts points along the way from the one that is farthest from the middle to the one that is farthest from that;
// false where all are the same.
function parted(all: Matrix, chosen: ArrayLike<number>, place: Int32Array, from: number, to: number, middle: Float64Array, along: Float64Array): boolean {
  const one = farthest(all, chosen, place, from, to, middle), two = farthest(all, chosen, place, from, to, one);
  const way = two.map((value, d) => value - one[d]);
  if (!way.some((value) => value !== 0)) return false;
  for (let i = from; i < to; i += 1) {
    const cell = chosen[place[i]] * all.width;
    let sum = 0;
    for (let d = 0; d < all.width; d += 1) sum += way[d] * all.data[cell + d];
    along[place[i]] = sum;
  }
  place.subarray(from, to).sort((x, y) => along[x] - along[y] || x - y);
  return true;
}

function farthest(all: Matrix, chosen: ArrayLike<number>, place: Int32Array, from: number, to: number, point: Float64Array): Float64Array {
  let most = -1, best = from;
  for (let i = from; i < to; i += 1) {
    const cell = chosen[place[i]] * all.width;
    let sum = 0;
    for (let d = 0; d < all.width; d += 1) sum += (all.data[cell + d] - point[d]) ** 2;
    if (sum > most) { most = sum; best = i; }
  }
  const cell = chosen[place[best]] * all.width;
  return Float64Array.from(all.data.subarray(cell, cell + all.width));
}
