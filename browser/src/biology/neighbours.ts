// Which cells of a sample are neighbours, and how close.
// Axes: n cells, d numbers that say where a cell is, l landmarks, k neighbours, p parts.

import { searchsorted } from "../base/arrays.ts";
import type { U64Array } from "../base/bits.ts";
import { joined } from "../base/joined.ts";
import { takeRows, type Matrix } from "../base/matrix.ts";
import { Points } from "../base/nearest.ts";

// Of each cell.
export const NEIGHBOURS = 15;
// The local scale of a cell is its distance to this neighbour, as in self-tuning clustering.
export const SCALE = 7;
// Cells among which neighbours are looked for; all cells of a sample that has fewer.
export const LANDMARKS = 10_000;
// Landmarks in a part, about, where there are many cells: a cell looks in the parts that are nearest.
export const PART = 250;
// Parts in which each landmark is found.
export const NEAR = 3;
// Times that the centres of parts are moved.
export const ROUNDS = 20;

// Each cell's nearest landmarks.
export class Neighbours {
  constructor(
    // Position of each landmark among the cells, rising.
    readonly landmarkL: Int32Array,
    // Neighbours, as positions among the landmarks; -1 where there is none. So many of each cell, one cell after another.
    readonly indexNk: Int32Array,
    // How close each is, from 0 to 1.
    readonly closenessNk: Float32Array,
    // Neighbours of a cell, and how many cells there are.
    readonly width: number,
    readonly n: number,
  ) {}

  // The neighbours of consecutive cells as positions among the cells, and how close they are: 0 where none is.
  of(start: number, stop: number): [Int32Array, Float32Array] {
    const indexBk = this.indexNk.slice(start * this.width, stop * this.width);
    const closenessBk = this.closenessNk.slice(start * this.width, stop * this.width);
    for (let e = 0; e < indexBk.length; e += 1) {
      if (indexBk[e] < 0) closenessBk[e] = 0;
      indexBk[e] = this.landmarkL[Math.max(indexBk[e], 0)];
    }
    return [indexBk, closenessBk];
  }

  // Put together the neighbours of parts of n cells that have none in each other.
  static join(n: number, parts: [Int32Array, Neighbours][]): Neighbours {
    const landmarks = parts.map(([cells, found]) => found.landmarkL.map((place) => cells[place]));
    const landmarkL = joined(Int32Array, landmarks);
    landmarkL.sort();
    const width = Math.max(0, ...parts.map(([, found]) => found.width));
    const indexNk = new Int32Array(n * width).fill(-1), closenessNk = new Float32Array(n * width);
    parts.forEach(([cells, found], number) => {
      const placeL = landmarks[number].map((cell) => searchsorted(landmarkL, cell));
      for (let i = 0; i < cells.length; i += 1) {
        for (let k = 0; k < found.width; k += 1) {
          const own = found.indexNk[i * found.width + k];
          indexNk[cells[i] * width + k] = own >= 0 ? placeL[own] : -1;
          closenessNk[cells[i] * width + k] = found.closenessNk[i * found.width + k];
        }
      }
    });
    return new Neighbours(landmarkL, indexNk, closenessNk, width, n);
  }
}

interface Nearest {
  indexNk: Int32Array;
  distanceNk: Float32Array;
  width: number;
}

// Find each cell's neighbours among the landmarks.
//
// A neighbour is close if it is near for both cells' local scales (Zelnik-Manor & Perona 2004, Self-tuning spectral
// clustering) and shares neighbours with the cell (Jarvis & Patrick 1973, https://doi.org/10.1109/T-C.1973.223640):
// so cells of a rare type aren't taken for neighbours of the common one beside it. Landmarks, where there are many
// cells, are those with the smallest keys.
export function findNeighbours(placeNd: Matrix, keyN: U64Array): Neighbours {
  const landmarkL = keyN.argsort().slice(0, LANDMARKS).sort();
  const found = nearest(placeNd, landmarkL, keyN.take(landmarkL).argsort());
  const closenessNk = near(found, landmarkL), sharedNk = shared(found, landmarkL);
  for (let e = 0; e < closenessNk.length; e += 1) closenessNk[e] *= sharedNk[e];
  return new Neighbours(landmarkL, found.indexNk, closenessNk, found.width, keyN.length);
}

// The nearest landmarks, the cell itself left out: exactly where all cells are landmarks.
function nearest(placeNd: Matrix, landmarkL: Int32Array, byKeyL: Int32Array): Nearest {
  const n = placeNd.data.length / placeNd.width, width = Math.max(0, Math.min(NEIGHBOURS, landmarkL.length - 1));
  const indexNk = new Int32Array(n * width).fill(-1), distanceNk = new Float32Array(n * width);
  if (!width) return { indexNk, distanceNk, width };
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const parts = n === landmarkL.length ? [{ cells: all, here: all }] : partsOf(placeNd, landmarkL, byKeyL);
  for (const { cells, here } of parts) {
    if (!here.length || !cells.length) continue;
    const points = new Points(placeNd, here.map((l) => landmarkL[l]));
    const { place, distance, count } = points.nearest(placeNd, cells, width + 1);
    for (let i = 0; i < cells.length; i += 1) {
      let to = cells[i] * width, left = count - 1;
      // the cell itself is left out, or else the farthest
      for (let k = 0; k < count && left > 0; k += 1) {
        const own = here[place[i * count + k]];
        if (landmarkL[own] === cells[i]) continue;
        indexNk[to] = own;
        distanceNk[to] = distance[i * count + k];
        to += 1;
        left -= 1;
      }
    }
  }
  return { indexNk, distanceNk, width };
}

// The cells of each part, and the landmarks among which their neighbours are looked for.
function partsOf(placeNd: Matrix, landmarkL: Int32Array, byKeyL: Int32Array): { cells: Int32Array; here: Int32Array }[] {
  const n = placeNd.data.length / placeNd.width, placeLd = takeRows(placeNd, landmarkL);
  // goes by the landmarks' keys, not by the cells' order
  const centres = centresOf(takeRows(placeLd, byKeyL), Math.max(1, Math.floor(landmarkL.length / PART)));
  const parts = centres.data.length / centres.width, most = Math.min(NEAR, parts);
  const cells: number[][] = Array.from({ length: parts }, () => []), here: number[][] = Array.from({ length: parts }, () => []);
  const nearLp = nearestCentres(placeLd, centres, most), ownN = nearestCentres(placeNd, centres, 1);
  for (let i = 0; i < n; i += 1) cells[ownN[i]].push(i);
  for (let e = 0; e < nearLp.length; e += 1) here[nearLp[e]].push(Math.floor(e / most));
  return cells.map((own, p) => ({ cells: Int32Array.from(own), here: Int32Array.from(here[p]) }));
}

// The centres of so many parts by Lloyd's algorithm, begun with the first landmarks.
function centresOf(placeLd: Matrix, parts: number): Matrix {
  const width = placeLd.width, size = placeLd.data.length / width;
  const centres = { data: placeLd.data.slice(0, parts * width), width };
  const sums = new Float64Array(parts * width), cells = new Int32Array(parts);
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = nearestCentres(placeLd, centres, 1);
    sums.fill(0);
    cells.fill(0);
    for (let l = 0; l < size; l += 1) {
      cells[own[l]] += 1;
      for (let d = 0, to = own[l] * width, from = l * width; d < width; d += 1) sums[to + d] += placeLd.data[from + d];
    }
    // a part that lost all its landmarks stays where it is
    for (let p = 0; p < parts; p += 1) if (cells[p]) for (let d = 0; d < width; d += 1) centres.data[p * width + d] = sums[p * width + d] / cells[p];
  }
  return centres;
}

// The nearest centres of each row, the nearest first; of two as near the first.
function nearestCentres(placeNd: Matrix, centres: Matrix, most: number): Int32Array {
  const width = centres.width, parts = centres.data.length / width, n = placeNd.data.length / width;
  const centre = Float64Array.from(centres.data), row = new Float64Array(width), found = new Int32Array(n * most);
  const square = Float64Array.from({ length: parts }, (_, p) => centre.subarray(p * width, (p + 1) * width).reduce((sum, value) => sum + value * value, 0));
  const best = new Float64Array(most);
  for (let i = 0; i < n; i += 1) {
    for (let d = 0; d < width; d += 1) row[d] = placeNd.data[i * width + d];
    best.fill(Infinity);
    for (let p = 0; p < parts; p += 1) {
      let sum = 0;
      for (let d = 0, from = p * width; d < width; d += 1) sum += row[d] * centre[from + d];
      const far = square[p] - 2 * sum;
      let at = most;
      while (at > 0 && best[at - 1] > far) at -= 1;
      if (at === most) continue;
      for (let k = most - 1; k > at; k -= 1) { best[k] = best[k - 1]; found[i * most + k] = found[i * most + k - 1]; }
      best[at] = far;
      found[i * most + at] = p;
    }
  }
  return found;
}

// How near neighbours are for both cells' local scales.
function near({ indexNk, distanceNk, width }: Nearest, landmarkL: Int32Array): Float32Array {
  const nearNk = new Float32Array(indexNk.length), at = Math.min(SCALE, width) - 1;
  for (let e = 0; e < indexNk.length; e += 1) {
    if (indexNk[e] < 0) continue;
    const own = distanceNk[Math.floor(e / width) * width + at], theirs = distanceNk[landmarkL[indexNk[e]] * width + at];
    const scale = Math.max(Math.fround(own * theirs), Math.fround(1e-9));
    nearNk[e] = Math.exp(Math.fround(-Math.fround(distanceNk[e] * distanceNk[e]) / scale));
  }
  return nearNk;
}

// Which share of the neighbours of a cell and of its neighbour are neighbours of both.
function shared({ indexNk, width }: Nearest, landmarkL: Int32Array): Float32Array {
  const sharedNk = new Float32Array(indexNk.length), owner = new Int32Array(landmarkL.length).fill(-1);
  for (let from = 0, cell = 0; from < indexNk.length; from += width, cell += 1) {
    let none = 0;
    for (let k = 0; k < width; k += 1) {
      if (indexNk[from + k] < 0) none += 1;
      else owner[indexNk[from + k]] = cell;
    }
    for (let k = 0; k < width; k += 1) {
      const other = indexNk[from + k];
      if (other < 0) continue;
      const theirs = landmarkL[other] * width;
      let both = 0, lacks = false;
      for (let j = theirs; j < theirs + width; j += 1) {
        if (indexNk[j] < 0) lacks = true;
        else if (owner[indexNk[j]] === cell) both += 1;
      }
      if (lacks) both += none;
      sharedNk[from + k] = both / (2 * width - both);
    }
  }
  return sharedNk;
}
