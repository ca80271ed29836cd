// Empty droplets: barcodes of a raw matrix that hold a few molecules of the whole sample's soup and no cell. The
// counterpart of spoticell/biology/droplets.py.
//
// Real cells differ from each other however few counts they have. Empty droplets all draw from one profile, so that
// their genes vary no more than chance makes them (the idea of EmptyDrops, doi:10.1186/s13059-019-1662-y, asked of all
// small barcodes together). A barcode's smallest value stands for one count, on whatever scale it is.
//
// Axes: n cells, v genes of the data set.

import type { Csr } from "../base/csr.ts";
import { rint } from "../base/rounding.ts";
import { pairwise } from "../base/sums.ts";
import { SCALES, TINY, undone } from "./scales.ts";

// A barcode with at most so many counts may be empty.
export const LOW = 100;
// Low barcodes that are needed to judge them, and genes: of a panel a cell may well have less than 100 counts.
const FEWEST = 100, FEWEST_GENES = 5000;
// Variance of low barcodes as a multiple of what chance makes, at most: alone, and where cells of far more counts are
// among them.
const EVEN = 1.03, EVEN_BESIDE_CELLS = 1.06;
// How near to whole numbers the values of a barcode are on its scale, float32 as they may be.
const WHOLE = 0.05;
// Barcodes without whole numbers, as a share of those with them, that speak against a scale.
const ODD = 0.1;

// Sums over the barcodes of few counts.
export class Droplets {
  nLow = 0;
  nOdd = 0;
  private totalV: Float64Array | null = null;
  private squareV = new Float64Array(0);
  private withDepthV = new Float64Array(0);
  private counts = 0;
  private squares = 0;

  // Takes in one barcode of so many counts at its genes; one of many counts is passed over.
  add(countE: Float64Array, indices: Int32Array, from: number, to: number, width: number): void {
    const total = pairwise(countE, 0, to - from);
    if (!(total > 0 && total <= LOW)) return;
    if (this.totalV === null) {
      this.totalV = new Float64Array(width);
      this.squareV = new Float64Array(width);
      this.withDepthV = new Float64Array(width);
    }
    for (let e = from; e < to; e += 1) {
      const count = countE[e - from], gene = indices[e];
      this.totalV[gene] += count;
      this.squareV[gene] += count * count;
      this.withDepthV[gene] += count * total;
    }
    this.nLow += 1;
    this.counts += total;
    this.squares += total * total;
  }

  // Whether the low barcodes are empty droplets, of so many barcodes with any count.
  empty(nFull: number): boolean {
    if (this.totalV === null || this.nLow < FEWEST || this.nOdd > ODD * this.nLow) return false;
    let nTold = 0, variance = 0, chance = 0;
    for (let v = 0; v < this.totalV.length; v += 1) {
      if (this.totalV[v] < 20) continue;
      const share = this.totalV[v] / this.counts;
      nTold += 1;
      variance += this.squareV[v] - 2 * share * this.withDepthV[v] + share * share * this.squares;
      chance += this.counts * share * (1 - share);
    }
    if (nTold < 10) return false;
    const besideCells = this.nLow < 0.99 * nFull;
    return variance / chance <= (besideCells ? EVEN_BESIDE_CELLS : EVEN);
  }
}

const countE = new Float64Array(LOW);

// Takes in the next cells on every scale that they may be on.
//
// dropletsS: one for each of the SCALES; keptNv: values above their floor, without zeros.
export function addOnEach(dropletsS: Droplets[], keptNv: Csr): void {
  const { data, indices, indptr, width } = keptNv;
  if (width < FEWEST_GENES) return;
  for (let cell = 0; cell < keptNv.height; cell += 1) {
    const from = indptr[cell], to = indptr[cell + 1];
    if (to === from || to - from > LOW) continue;
    if (isCounted(data, from, to)) {
      for (let e = from; e < to; e += 1) countE[e - from] = data[e];
      dropletsS[0].add(countE, indices, from, to, width);
      continue;
    }
    for (let position = 0; position < SCALES.length; position += 1) {
      if (undoneToCounts(data, from, to, position)) dropletsS[position].add(countE, indices, from, to, width);
      else dropletsS[position].nOdd += 1;
    }
  }
}

// Whether the values are whole numbers from 1 on, as they stand.
function isCounted(data: Float32Array, from: number, to: number): boolean {
  let least = Infinity;
  for (let e = from; e < to; e += 1) {
    if (data[e] !== rint(data[e])) return false;
    if (data[e] < least) least = data[e];
  }
  return least === 1;
}

// Works out multiples of the smallest value, a scale undone, and says whether they are whole.
function undoneToCounts(data: Float32Array, from: number, to: number, position: number): boolean {
  const { largest } = SCALES[position];
  let least = Infinity;
  for (let e = from; e < to; e += 1) {
    const value = undone(position, Math.min(data[e], largest));
    countE[e - from] = value;
    if (value < least) least = value;
  }
  const one = least > TINY ? least : TINY;
  for (let e = 0; e < to - from; e += 1) {
    const count = countE[e] / one, whole = rint(count);
    if (!(Math.abs(count - whole) < WHOLE)) return false;
    countE[e] = whole;
  }
  return true;
}
