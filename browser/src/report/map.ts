// Fingerprints on a plane: a map on which cells that look alike lie together.
// Axes: n cells, d fingerprint, l landmarks.

import { median } from "../base/arrays.ts";
import { drawnPlaces } from "../base/drawn.ts";
import type { Matrix } from "../base/matrix.ts";
import { along, components } from "../base/principal.ts";
import { Generator as Random } from "../base/random.ts";
import { tsne } from "./tsne.ts";

// Most cells that are laid out by t-SNE, whose time grows faster than their number; others are placed by them.
export const MAPPED = 2000;
// Below so many cells there are no neighbourhoods to keep.
const FEWEST = 10;
// Landmarks beside which a cell is placed, and how far apart on the map they may lie.
const NEAREST = 5, TOGETHER = 0.05;
// Standard deviation of the noise at most, as a share of the map's side.
const MOST_NOISE = 0.005;
// 250 of the steps pull groups together and 100 spread them: twice as many look the same.
const STEPS = 350, ANGLE = 0.7;
// Numbers of a fingerprint that are compared before it is looked whether a landmark is too far already.
const STRETCH = 8;

// The cells that come on the map: all, or some at random, rising.
export const chooseMapped = (n: number, size = MAPPED): Int32Array =>
  n <= size ? Int32Array.from({ length: n }, (_, i) => i) : drawnPlaces(n, size);

// Lays cells out on the unit square so that neighbours stay neighbours, x and y of a cell beside each other. Distances
// between far groups, sizes of groups and the scales of the two axes mean little.
export function project({ data, width }: Matrix): Float64Array {
  const n = width ? data.length / width : 0;
  if (!isVaried(data, width, n)) return new Float64Array(2 * n).fill(0.5);
  const many = Math.min(2, n, width), found = components(data, width), flat = along(data, width, found, many);
  const start = new Float64Array(2 * n);
  for (let i = 0; i < n; i += 1) for (let k = 0; k < many; k += 1) start[2 * i + k] = flat[i * many + k];
  if (n < FEWEST) return fitSquare(start);
  const scale = 1e-4 / Math.sqrt((found.variances[0] * (n - 1)) / n);
  const placed = tsne(data, width, start.map((value) => value * scale), Math.min(30, (n - 1) / 3), STEPS, ANGLE);
  return fitSquare(placed);
}

function isVaried(data: Float32Array, width: number, n: number): boolean {
  for (let d = 0; d < width; d += 1) {
    for (let i = 1; i < n; i += 1) if (Math.abs(data[i * width + d] - data[d]) > 5e-7) return true;
  }
  return false;
}

// Puts cells on a map that was laid out for others, each at the mean of the landmarks that it resembles most, the nearer
// the heavier, but only of those that lie together on the map: a cell between two groups joins one of them. A little
// noise keeps equal cells apart. `fingerprints` gives the cells in parts, so that they need not be held as they are.
export function placeNear(fingerprints: Iterable<Float32Array>, landmarks: Matrix, placeL: Float64Array, nCells: number): Float64Array {
  const search = new Search(landmarks), placed = new Float64Array(2 * nCells), random = new Random(0);
  const noise = Math.min(spacing(placeL) / 2, MOST_NOISE);
  let at = 0;
  for (const part of fingerprints) {
    for (const found of search.nearest(part)) {
      const [x, y] = beside(found, placeL), far = Math.sqrt(-2 * Math.log(1 - random.random())) * noise, turn = 2 * Math.PI * random.random();
      placed[at++] = Math.min(Math.max(x + far * Math.cos(turn), 0), 1);
      placed[at++] = Math.min(Math.max(y + far * Math.sin(turn), 0), 1);
    }
  }
  return placed;
}

interface Near {
  // The nearest first, with their squared distances.
  landmarks: Int32Array;
  distances: Float64Array;
}

function beside({ landmarks, distances }: Near, placeL: Float64Array): [number, number] {
  const farthest = Math.max(distances[distances.length - 1] - distances[0], 1e-6), x = placeL[2 * landmarks[0]], y = placeL[2 * landmarks[0] + 1];
  let sumX = 0, sumY = 0, total = 0;
  for (let k = 0; k < landmarks.length; k += 1) {
    const ownX = placeL[2 * landmarks[k]], ownY = placeL[2 * landmarks[k] + 1];
    if (Math.hypot(ownX - x, ownY - y) > TOGETHER) continue;
    const weight = Math.exp((-4 * (distances[k] - distances[0])) / farthest);
    sumX += weight * ownX;
    sumY += weight * ownY;
    total += weight;
  }
  return [sumX / total, sumY / total];
}

// Finds the nearest landmarks exactly, without looking at most of all numbers: along principal components the first few
// hold most of a distance. Landmarks are sorted by the first, and looked at from the cell's place outwards.
class Search {
  private readonly found;
  private readonly width: number;
  private readonly order: Int32Array;
  private readonly sorted: Float32Array;
  private readonly firsts: Float64Array;
  private readonly near: Near;

  constructor(landmarks: Matrix) {
    const { data, width } = landmarks, n = data.length / width;
    this.width = width;
    this.found = components(data, width);
    const turned = along(data, width, this.found);
    this.order = Int32Array.from({ length: n }, (_, l) => l).sort((a, b) => turned[a * width] - turned[b * width]);
    this.sorted = new Float32Array(data.length);
    this.order.forEach((from, to) => this.sorted.set(turned.subarray(from * width, (from + 1) * width), to * width));
    this.firsts = Float64Array.from({ length: n }, (_, l) => this.sorted[l * width]);
    const k = Math.min(NEAREST, n);
    this.near = { landmarks: new Int32Array(k), distances: new Float64Array(k) };
  }

  *nearest(part: Float32Array): Generator<Near> {
    const { width, firsts, near } = this, turned = along(part, width, this.found), n = firsts.length;
    for (let start = 0; start < turned.length; start += width) {
      near.distances.fill(Infinity);
      const first = turned[start];
      let after = lowerBound(firsts, first), before = after - 1;
      while (before >= 0 || after < n) {
        const back = before >= 0 ? first - firsts[before] : Infinity, ahead = after < n ? firsts[after] - first : Infinity;
        const apart = Math.min(back, ahead);
        if (apart * apart >= near.distances[near.distances.length - 1]) break;
        this.look(turned, start, back <= ahead ? before-- : after++);
      }
      yield near;
    }
  }

  private look(turned: Float32Array, start: number, l: number): void {
    const { width, sorted, near } = this, { distances, landmarks } = near, bound = distances[distances.length - 1], at = l * width;
    let sum = 0;
    for (let d = 0; d < width; d += STRETCH) {
      const stop = Math.min(d + STRETCH, width);
      for (let e = d; e < stop; e += 1) {
        const apart = turned[start + e] - sorted[at + e];
        sum += apart * apart;
      }
      if (sum >= bound) return;
    }
    let k = distances.length - 1;
    for (; k > 0 && distances[k - 1] > sum; k -= 1) {
      distances[k] = distances[k - 1];
      landmarks[k] = landmarks[k - 1];
    }
    distances[k] = sum;
    landmarks[k] = this.order[l];
  }
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The typical distance from a landmark to the next on the map.
function spacing(placeL: Float64Array): number {
  const n = placeL.length / 2, next = new Float64Array(n).fill(Infinity);
  if (n < 2) return 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const apart = Math.hypot(placeL[2 * i] - placeL[2 * j], placeL[2 * i + 1] - placeL[2 * j + 1]);
      if (apart < next[i]) next[i] = apart;
      if (apart < next[j]) next[j] = apart;
    }
  }
  return median(next);
}

function fitSquare(places: Float64Array): Float64Array {
  const low = [Infinity, Infinity], high = [-Infinity, -Infinity], fitted = new Float64Array(places.length);
  for (let i = 0; i < places.length; i += 1) {
    low[i & 1] = Math.min(low[i & 1], places[i]);
    high[i & 1] = Math.max(high[i & 1], places[i]);
  }
  const most = Math.max(high[0] - low[0], high[1] - low[1]);
  for (let i = 0; i < places.length; i += 1) {
    const axis = i & 1;
    // an axis along which nothing varies stays in the middle
    const extent = Math.max(high[axis] - low[axis], 1e-3 * Math.max(most, 1e-9));
    fitted[i] = (places[i] - (low[axis] + high[axis]) / 2) / extent + 0.5;
  }
  return fitted;
}
