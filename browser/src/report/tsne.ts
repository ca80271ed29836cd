// Points on a plane so that neighbours stay neighbours: t-SNE (van der Maaten & Hinton 2008) by the approximation of
// Barnes and Hut (van der Maaten 2014), in the steps that scikit-learn takes.
// Axes: n points, d their numbers, k nearest neighbours.

import { select } from "../base/select.ts";

const EXPLORING = 250, EXAGGERATION = 12;
const MOST_DEPTH = 48;

// Attractions between points and their neighbours, both ways; rows one after another.
interface Affinities {
  indptr: Int32Array;
  indices: Int32Array;
  data: Float64Array;
}

// Moves points from a start, x and y of a point beside each other, in so many steps.
export function tsne(points: Float32Array, width: number, start: Float64Array, perplexity: number, steps: number, angle: number): Float64Array {
  const n = points.length / width, near = affinities(points, width, perplexity);
  const place = start.slice(), moved = new Float64Array(2 * n), gain = new Float64Array(2 * n).fill(1);
  const rate = Math.max(n / EXAGGERATION / 4, 50), tree = new Tree(n, angle), slope = new Float64Array(2 * n);
  for (let step = 0; step < steps; step += 1) {
    const isExploring = step < EXPLORING;
    gradient(near, place, tree, isExploring ? EXAGGERATION : 1, slope);
    const momentum = isExploring ? 0.5 : 0.8;
    for (let i = 0; i < 2 * n; i += 1) {
      gain[i] = Math.max(moved[i] * slope[i] < 0 ? gain[i] + 0.2 : gain[i] * 0.8, 0.01);
      moved[i] = momentum * moved[i] - rate * gain[i] * slope[i];
      place[i] += moved[i];
    }
  }
  return place;
}

function gradient(near: Affinities, place: Float64Array, tree: Tree, exaggeration: number, slope: Float64Array): void {
  const n = place.length / 2;
  tree.build(place);
  slope.fill(0);
  let total = 0;
  for (let i = 0; i < n; i += 1) total += tree.repel(place, i, slope);
  for (let i = 0; i < n; i += 1) {
    let pullX = 0, pullY = 0;
    const x = place[2 * i], y = place[2 * i + 1];
    for (let e = near.indptr[i]; e < near.indptr[i + 1]; e += 1) {
      const j = near.indices[e], dx = x - place[2 * j], dy = y - place[2 * j + 1], pull = near.data[e] / (1 + dx * dx + dy * dy);
      pullX += pull * dx;
      pullY += pull * dy;
    }
    slope[2 * i] = 4 * (exaggeration * pullX - slope[2 * i] / total);
    slope[2 * i + 1] = 4 * (exaggeration * pullY - slope[2 * i + 1] / total);
  }
}

function affinities(points: Float32Array, width: number, perplexity: number): Affinities {
  const n = points.length / width, k = Math.min(n - 1, Math.floor(3 * perplexity + 1)), apart = distances(points, width);
  const nearest = new Int32Array(n * k), own = new Float64Array(n * k), work = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    const row = apart.subarray(i * n, (i + 1) * n);
    work.set(row);
    const order = upTo(row, select(work, k - 1), k);
    nearest.set(order, i * k);
    own.set(shares(order.map((j) => row[j]), perplexity), i * k);
  }
  return symmetric(nearest, own, n, k);
}

// Squared distances of all points, row by row; none to itself.
function distances(points: Float32Array, width: number): Float32Array {
  const n = points.length / width, apart = new Float32Array(n * n);
  for (let i = 0; i < n; i += 1) {
    apart[i * n + i] = Infinity;
    for (let j = 0; j < i; j += 1) {
      let sum = 0;
      for (let d = 0; d < width; d += 1) {
        const away = points[i * width + d] - points[j * width + d];
        sum += away * away;
      }
      apart[i * n + j] = apart[j * n + i] = sum;
    }
  }
  return apart;
}

// Places of the k values up to a bound, which is the last of them; any order.
function upTo(values: Float32Array, bound: number, k: number): number[] {
  const found: number[] = [], ties: number[] = [];
  for (let j = 0; j < values.length; j += 1) if (values[j] < bound) found.push(j); else if (values[j] === bound) ties.push(j);
  return found.concat(ties.slice(0, k - found.length));
}

// Shares of a point's neighbours, as wide a bell as gives the perplexity.
function shares(distance: number[], perplexity: number): Float64Array {
  const wanted = Math.log(perplexity), share = new Float64Array(distance.length), least = Math.min(...distance);
  let low = -Infinity, high = Infinity, beta = 1;
  for (let step = 0; step < 100; step += 1) {
    let total = 0, spread = 0;
    for (let j = 0; j < share.length; j += 1) {
      share[j] = Math.exp(-(distance[j] - least) * beta);
      total += share[j];
      spread += share[j] * (distance[j] - least);
    }
    for (let j = 0; j < share.length; j += 1) share[j] /= total;
    const apart = Math.log(total) + (beta * spread) / total - wanted;
    if (Math.abs(apart) <= 1e-5) break;
    if (apart > 0) {
      low = beta;
      beta = high === Infinity ? beta * 2 : (beta + high) / 2;
    } else {
      high = beta;
      beta = low === -Infinity ? beta / 2 : (beta + low) / 2;
    }
  }
  return share;
}

// Sums of both ways, all together 1.
function symmetric(nearest: Int32Array, own: Float64Array, n: number, k: number): Affinities {
  const rows = Array.from({ length: n }, () => new Map<number, number>());
  for (let i = 0; i < n; i += 1) {
    for (let e = i * k; e < (i + 1) * k; e += 1) {
      const j = nearest[e];
      rows[i].set(j, (rows[i].get(j) ?? 0) + own[e]);
      rows[j].set(i, (rows[j].get(i) ?? 0) + own[e]);
    }
  }
  const indptr = new Int32Array(n + 1);
  rows.forEach((row, i) => { indptr[i + 1] = indptr[i] + row.size; });
  const indices = new Int32Array(indptr[n]), data = new Float64Array(indptr[n]);
  rows.forEach((row, i) => {
    indices.set([...row.keys()], indptr[i]);
    data.set([...row.values()].map((value) => value / (2 * n)), indptr[i]);
  });
  return { indptr, indices, data };
}

// A square that is divided in four where it holds more than one point; far ones push as their middle does.
class Tree {
  private readonly middleX: Float64Array;
  private readonly middleY: Float64Array;
  private readonly sum: Float64Array;
  // The first of four parts; 0 for a square that isn't divided.
  private readonly parts: Int32Array;
  // The first point in a square that isn't divided; -1 for none.
  private readonly held: Int32Array;
  private readonly side: Float64Array;
  private readonly open: Int32Array;
  private squares = 0;

  constructor(n: number, private readonly angle: number) {
    // coinciding points are divided no further than so deep
    const room = 4 * (n + 1) * 8;
    [this.middleX, this.middleY, this.sum, this.side] = [0, 1, 2, 3].map(() => new Float64Array(room));
    this.parts = new Int32Array(room);
    this.held = new Int32Array(room);
    this.open = new Int32Array(4 * MOST_DEPTH);
  }

  build(place: Float64Array): void {
    let lowX = Infinity, lowY = Infinity, highX = -Infinity, highY = -Infinity;
    for (let i = 0; i < place.length; i += 2) {
      lowX = Math.min(lowX, place[i]);
      highX = Math.max(highX, place[i]);
      lowY = Math.min(lowY, place[i + 1]);
      highY = Math.max(highY, place[i + 1]);
    }
    this.squares = 0;
    const side = Math.max(highX - lowX, highY - lowY, 1e-12) * 1.001;
    this.add(side);
    for (let i = 0; i < place.length / 2; i += 1) this.insert(place, i, (lowX + highX) / 2, (lowY + highY) / 2, side);
    for (let s = 0; s < this.squares; s += 1) {
      if (!this.sum[s]) continue;
      this.middleX[s] /= this.sum[s];
      this.middleY[s] /= this.sum[s];
    }
  }

  private add(side: number): number {
    const square = this.squares++;
    this.middleX[square] = this.middleY[square] = this.sum[square] = this.parts[square] = 0;
    this.held[square] = -1;
    this.side[square] = side;
    return square;
  }

  private insert(place: Float64Array, i: number, centreX: number, centreY: number, side: number): void {
    const x = place[2 * i], y = place[2 * i + 1];
    let square = 0;
    for (let depth = 0; ; depth += 1) {
      this.middleX[square] += x;
      this.middleY[square] += y;
      this.sum[square] += 1;
      if (!this.parts[square]) {
        const other = this.held[square];
        if (other < 0) { this.held[square] = i; return; }
        const isSame = place[2 * other] === x && place[2 * other + 1] === y;
        if (isSame || depth >= MOST_DEPTH - 1 || this.squares + 4 > this.parts.length) return;
        this.divide(square, place, other, centreX, centreY);
      }
      side /= 2;
      const right = Number(x > centreX), below = Number(y > centreY);
      centreX += right ? side / 2 : -side / 2;
      centreY += below ? side / 2 : -side / 2;
      square = this.parts[square] + 2 * below + right;
    }
  }

  // The points that a square held go into one of its parts: one, or several at the same place.
  private divide(square: number, place: Float64Array, other: number, centreX: number, centreY: number): void {
    const first = this.add(this.side[square] / 2), x = place[2 * other], y = place[2 * other + 1], cells = this.sum[square] - 1;
    for (let part = 1; part < 4; part += 1) this.add(this.side[square] / 2);
    this.parts[square] = first;
    this.held[square] = -1;
    const part = first + 2 * Number(y > centreY) + Number(x > centreX);
    this.held[part] = other;
    this.sum[part] = cells;
    this.middleX[part] = cells * x;
    this.middleY[part] = cells * y;
  }

  // Adds to the slope how all points push one, and gives the sum of their weights.
  repel(place: Float64Array, i: number, slope: Float64Array): number {
    const { middleX, middleY, sum, parts, side, held, open } = this, x = place[2 * i], y = place[2 * i + 1], least = this.angle * this.angle;
    let total = 0, pushX = 0, pushY = 0, waiting = 1;
    open[0] = 0;
    while (waiting) {
      const square = open[--waiting];
      if (!sum[square]) continue;
      const dx = x - middleX[square], dy = y - middleY[square], apart = dx * dx + dy * dy;
      if (parts[square] && side[square] * side[square] >= least * apart) {
        for (let part = 0; part < 4; part += 1) open[waiting++] = parts[square] + part;
        continue;
      }
      const cells = held[square] === i ? sum[square] - 1 : sum[square];
      if (!cells) continue;
      const weight = 1 / (1 + apart);
      total += cells * weight;
      pushX += cells * weight * weight * dx;
      pushY += cells * weight * weight * dy;
    }
    slope[2 * i] += pushX;
    slope[2 * i + 1] += pushY;
    return total;
  }
}
