// Label weights of cells read together with those of their neighbours.
// Axes: n cells, b some of them, c labels, k neighbours.

import { Csr } from "../base/csr.ts";
import { heightOf, zeros, type Matrix } from "../base/matrix.ts";

// A neighbour's smaller weights count as this: no cell alone can rule a type out for those around it.
export const FLOOR = 1e-4;
// Labels of a cell, the likeliest, that are kept.
export const MOST_LABELS = 48;
// How much a neighbour counts that is as close as can be, beside the cell itself.
export const VOICE = 8.0;

const single = Math.fround;
const FLOOR_1 = single(FLOOR), LOG_FLOOR = single(Math.log(FLOOR));

// Keeps of each cell the likeliest labels, as the logarithms of how far their weights are above the floor.
export function likeliest(weightNc: Matrix): Csr {
  const n = heightOf(weightNc), { data, width } = weightNc;
  const kept: number[] = [], labels: number[] = [], indptr = new Int32Array(n + 1), above = new Int32Array(width);
  for (let i = 0; i < n; i += 1) {
    let some = 0;
    for (let c = 0; c < width; c += 1) if (data[i * width + c] > FLOOR_1) above[some++] = c;
    // what isn't above the floor is left out whether or not it is among the likeliest
    const least = some > MOST_LABELS ? nthLargest(data, i * width, above.subarray(0, some)) : 0;
    for (let at = 0; at < some; at += 1) {
      const weight = data[i * width + above[at]];
      if (weight < least) continue;
      kept.push(single(Math.log(single(weight + FLOOR_1))) - LOG_FLOOR);
      labels.push(above[at]);
    }
    indptr[i + 1] = kept.length;
  }
  return new Csr(Float32Array.from(kept), Int32Array.from(labels), indptr, width);
}

function nthLargest(data: Float32Array, from: number, columns: Int32Array): number {
  const values = new Float32Array(columns.length);
  for (let at = 0; at < columns.length; at += 1) values[at] = data[from + columns[at]];
  return values.sort()[values.length - MOST_LABELS];
}

// The label weights of some cells, read together with those of their neighbours, (b, c), and how loud each neighbour is
// beside the cell itself, (b, k).
//
// They are the weighted geometric mean of the cell's own and its neighbours' weights. A neighbour counts as much as it
// is close, and as its weights overlap with the cell's: two cells that are sure of different types don't change each
// other. `voiceNc` is what `likeliest` gives of all cells; labels for which no cell has a weight (`spokenC`) have none in
// the end. Neighbours are positions of cells; those with a closeness of 0 don't count.
export function readTogether(
  voiceNc: Csr, spokenC: Uint8Array, cellsB: Int32Array, indexBk: Int32Array, closenessBk: Float32Array,
): [Matrix, Float32Array] {
  const { data, indices, indptr, width } = voiceNc, k = cellsB.length ? indexBk.length / cellsB.length : 0;
  const weightBc = zeros(cellsB.length, width), voiceBk = new Float32Array(indexBk.length);
  const root = new Float32Array(width), mean = new Float64Array(width), touched = new Int32Array(width);
  for (let b = 0; b < cellsB.length; b += 1) {
    const from = indptr[cellsB[b]], to = indptr[cellsB[b] + 1];
    // a cell that has no weights of its own hears none
    if (from === to) continue;
    for (let e = from; e < to; e += 1) root[indices[e]] = rootOf(data[e]);
    const total = hear(voiceNc, root, indexBk, closenessBk, voiceBk, b * k, (b + 1) * k);
    for (let e = from; e < to; e += 1) root[indices[e]] = 0;
    const many = gather(voiceNc, cellsB[b], indexBk, voiceBk, b * k, (b + 1) * k, total, mean, touched);
    weigh(weightBc.data.subarray(b * width, (b + 1) * width), spokenC, mean, touched, many, total);
  }
  return [weightBc, voiceBk];
}

const rootOf = (voice: number): number => single(Math.sqrt(single(single(Math.expm1(voice)) * FLOOR_1)));

// How loud each neighbour is, and how loud all are together with the cell itself: as its weights overlap with the
// cell's, by their Bhattacharyya coefficient.
function hear({ data, indices, indptr }: Csr, root: Float32Array, indexBk: Int32Array, closenessBk: Float32Array, voiceBk: Float32Array, start: number, stop: number): number {
  let total = 1;
  for (let j = start; j < stop; j += 1) {
    if (closenessBk[j] === 0) continue;
    let overlap = 0;
    for (let e = indptr[indexBk[j]]; e < indptr[indexBk[j] + 1]; e += 1) {
      const own = root[indices[e]];
      if (own > 0) overlap += own * rootOf(data[e]);
    }
    voiceBk[j] = single(VOICE * closenessBk[j]) * single(Math.min(overlap, 1));
    total += voiceBk[j];
  }
  return total;
}

// The mean of the logarithms, of the labels that the cell or a neighbour has a weight for: how many, and which.
function gather(
  { data, indices, indptr }: Csr, cell: number, indexBk: Int32Array, voiceBk: Float32Array, start: number, stop: number, total: number, mean: Float64Array, touched: Int32Array,
): number {
  let many = 0;
  for (let j = start - 1; j < stop; j += 1) {
    const share = j < start ? 1 / total : voiceBk[j] / total, other = j < start ? cell : indexBk[j];
    if (share === 0) continue;
    for (let e = indptr[other]; e < indptr[other + 1]; e += 1) {
      const label = indices[e];
      if (mean[label] === 0) touched[many++] = label;
      mean[label] += share * data[e];
    }
  }
  return many;
}

// The floor is for what neighbours say: a cell that hears none has its own weights. Leaves the means empty.
function weigh(weightC: Float32Array, spokenC: Uint8Array, mean: Float64Array, touched: Int32Array, many: number, total: number): void {
  const floor = 1 / total, least = 1 - floor;
  let sum = 0;
  for (let c = 0; c < weightC.length; c += 1) if (spokenC[c]) { weightC[c] = least; sum += least; }
  for (let at = 0; at < many; at += 1) {
    const label = touched[at];
    if (spokenC[label]) {
      const weight = Math.exp(mean[label]) - floor;
      sum += weight - least;
      weightC[label] = weight;
    }
    mean[label] = 0;
  }
  if (sum > 0) for (let c = 0; c < weightC.length; c += 1) weightC[c] /= sum;
}
