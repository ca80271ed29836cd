// Reading cells: which scale each cell is on, what one count of it is, and which value stands for none. The counterpart
// of spoticell/biology/reading.py.
//
// If a cell's values, undone, are whole multiples of one number, that number is one count and the counts come back.
// This holds for any choice of genes and is found for each cell alone.
//
// Axes: n cells, v genes of the data set, e stored values, k values of a cell that are looked at, s scales.

import { Csr } from "../base/csr.ts";
import { rint } from "../base/rounding.ts";
import { pairwise } from "../base/sums.ts";
import { SCALES, TINY, WHOLE_WITHIN, undone } from "./scales.ts";

// Values of a cell that are tested: spread evenly over its genes.
export const LOOKED_AT = 128;
// Multiples above this are too large for rounding errors not to matter.
const LARGEST_RATIO = 30;
// Multiples up to this are looked at to see that a unit is no fraction of the true one: prints have two decimals.
const LARGEST_STEP = 150;
// Values above the smallest that a cell needs to be tested.
const FEWEST = 8;
// Genes that a cell needs before the lack of a 1 says anything.
const FEWEST_WHOLE = 20;
const FEWEST_NEARLY = 12;
// How well a scale fits: values are whole multiples of a unit, or lie near them.
export const EXACT = 2, NEAR = 1;
// Genes from which on a value that most of them share is no accident.
const FLOOR_GENES = 100;
const N_SCALES = SCALES.length;

// How each cell of a block can be read.
export class Reading {
  // How well each of the SCALES fits: EXACT, NEAR or 0, n * s.
  readonly fitNs: Int8Array;
  // What one count is once the scale is undone, NaN where the scale doesn't fit, n * s.
  readonly unitNs: Float64Array;
  // Whether the cell has values enough to be tested.
  readonly testedN: Uint8Array;
  // Whether the cell has any value.
  readonly fullN: Uint8Array;

  constructor(n: number) {
    this.fitNs = new Int8Array(n * N_SCALES);
    this.unitNs = new Float64Array(n * N_SCALES).fill(NaN);
    this.testedN = new Uint8Array(n);
    this.fullN = new Uint8Array(n);
  }

  get height(): number {
    return this.fullN.length;
  }

  fit(cell: number, position: number): number {
    return this.fitNs[cell * N_SCALES + position];
  }

  unit(cell: number, position: number): number {
    return this.unitNs[cell * N_SCALES + position];
  }

  // How well the best of the scales fits a cell.
  best(cell: number): number {
    let best = 0;
    for (let s = cell * N_SCALES; s < (cell + 1) * N_SCALES; s += 1) if (this.fitNs[s] > best) best = this.fitNs[s];
    return best;
  }

  // Whether a cell was tested and no scale fits it.
  odd(cell: number): boolean {
    return this.testedN[cell] === 1 && this.best(cell) === 0;
  }

  // Notes that a scale was found to fit a cell, unless there is no unit.
  record(cell: number, position: number, unit: number, how: number): void {
    if (Number.isNaN(unit)) return;
    this.fitNs[cell * N_SCALES + position] = how;
    this.unitNs[cell * N_SCALES + position] = unit;
    this.testedN[cell] = 1;
  }
}

// Some values of one cell, with NaN at the end of short cells, and what zero is in it; used for one cell after another.
export class Look {
  readonly valueK: Float64Array;
  // The same with a scale undone.
  readonly undoneK: Float64Array;
  // The smallest value above the floor, as stored and with the scale undone.
  least = NaN;
  leastUndone = NaN;
  // The largest of the values looked at.
  largest = -Infinity;
  floor = 0;
  nValues = 0;

  // k is what is looked at of the cell that has most values.
  constructor(k: number) {
    this.valueK = new Float64Array(k);
    this.undoneK = new Float64Array(k);
  }

  at(data: Float32Array | Float64Array, from: number, to: number, floor: number): void {
    const k = this.valueK.length, n = to - from, step = Math.max(n / Math.max(k, 1), 1);
    const there = Math.min(k, n);
    let largest = -Infinity, least = Infinity;
    for (let i = 0; i < there; i += 1) {
      const value = data[from + Math.min(Math.floor(i * step), n - 1)];
      this.valueK[i] = value;
      if (value > largest) largest = value;
    }
    this.valueK.fill(NaN, there);
    for (let e = from; e < to; e += 1) if (data[e] < least) least = data[e];
    this.largest = largest;
    this.least = n > 0 ? least : NaN;
    this.floor = floor;
    this.nValues = n;
  }

  undo(position: number): void {
    const zero = undone(position, this.floor), least = undone(position, this.least) - zero;
    for (let i = 0; i < this.valueK.length; i += 1) this.undoneK[i] = undone(position, this.valueK[i]) - zero;
    this.leastUndone = least > TINY ? least : TINY;
  }
}

// As many values are looked at as the longest cell has, and no more than LOOKED_AT.
export function lookedAt(indptr: Int32Array): number {
  let most = 0;
  for (let i = 1; i < indptr.length && most < LOOKED_AT; i += 1) most = Math.max(most, indptr[i] - indptr[i - 1]);
  return Math.min(most, LOOKED_AT);
}

// The value that stands for zero in each cell: one that most genes of the cell share, and none lies below. 0 where a
// cell has zeros of its own and nothing negative; NaN where it has neither.
export function floors(valuesNv: Csr): Float64Array {
  const { data, indptr, width } = valuesNv, floorN = new Float64Array(valuesNv.height);
  for (let cell = 0; cell < floorN.length; cell += 1) {
    const from = indptr[cell], to = indptr[cell + 1];
    let least = Infinity;
    for (let e = from; e < to; e += 1) if (data[e] < least) least = data[e];
    if (least < 0) floorN[cell] = NaN;
    if (to === from || width < FLOOR_GENES || !(least < 0 || to - from >= 0.98 * width)) continue;
    const most = least + (1e-5 + 1e-4 * Math.abs(least));
    let sharing = 0;
    for (let e = from; e < to; e += 1) if (data[e] <= most) sharing += 1;
    if (sharing >= 0.2 * width) floorN[cell] = least;
  }
  return floorN;
}

// Only the values that lie above their cell's floor.
export function above(valuesNv: Csr, floorN: Float64Array): Csr {
  return floorN.every((floor) => floor === 0) ? valuesNv : kept(valuesNv, floorN);
}

function kept(valuesNv: Csr, floorN: Float64Array): Csr {
  const { data, indices, indptr, width } = valuesNv, bounds = new Int32Array(indptr.length);
  const keptE = new Float32Array(data.length), geneE = new Int32Array(data.length);
  let at = 0;
  for (let cell = 0; cell < floorN.length; cell += 1) {
    const most = floorN[cell] + 1e-5 + 1e-4 * Math.abs(floorN[cell]);
    for (let e = indptr[cell]; e < indptr[cell + 1]; e += 1) {
      if (data[e] <= most || data[e] === 0) continue;
      keptE[at] = data[e];
      geneE[at] = indices[e];
      at += 1;
    }
    bounds[cell + 1] = at;
  }
  return new Csr(keptE.slice(0, at), geneE.slice(0, at), bounds, width);
}

// Reads each cell by itself.
//
// keptNv: values above their floor, from above; floorN: what zero is in each cell, from floors; first: position in SCALES
// of the likeliest scale: the others are tried only on cells that it doesn't fit.
export function readCells(keptNv: Csr, floorN: Float64Array, first: number | null = null): Reading {
  const reading = new Reading(floorN.length), seen = new Look(lookedAt(keptNv.indptr));
  const others = SCALES.map((_, position) => position).filter((position) => position !== first);
  const orders = first === null ? [others] : [[first], others];
  for (let cell = 0; cell < floorN.length; cell += 1) {
    seen.at(keptNv.data, keptNv.indptr[cell], keptNv.indptr[cell + 1], floorN[cell]);
    if (seen.nValues === 0) continue;
    reading.fullN[cell] = 1;
    const whole = isWhole(keptNv.data, keptNv.indptr[cell], keptNv.indptr[cell + 1]);
    if (whole && Math.abs(seen.least - seen.floor - 1) < WHOLE_WITHIN) {
      reading.record(cell, 0, 1, EXACT);
    } else {
      tryScales(reading, seen, whole, cell, orders);
      // whole numbers above 1 are multiples of 1 whatever they mean, so that no scale fits says something
      if (whole && seen.nValues >= FEWEST_WHOLE) reading.testedN[cell] = 1;
    }
  }
  return reading;
}

// Exactly on every scale, before nearly on any.
const TRIES = [tryExact, tryNear];

function tryScales(reading: Reading, seen: Look, whole: boolean, cell: number, orders: number[][]): void {
  for (const tryOn of TRIES) {
    for (const order of orders) {
      if (reading.best(cell) > 0) return;
      for (const position of order) if (possible(seen, whole, position)) tryOn(reading, seen, whole, cell, position);
    }
  }
}

function isWhole(data: Float32Array | Float64Array, from: number, to: number): boolean {
  for (let e = from; e < to; e += 1) {
    const value = data[e];
    if (!(Math.abs(value - rint(value)) <= WHOLE_WITHIN && value > 0.5)) return false;
  }
  return true;
}

// Whether a scale is worth a try on a cell.
function possible(seen: Look, whole: boolean, position: number): boolean {
  const scale = SCALES[position];
  if (!(seen.largest <= scale.largest) || (whole && position !== 0)) return false;
  const rooted = scale.kind === "square root of counts" || scale.kind === "Freeman-Tukey square roots of counts";
  return !rooted || seen.floor >= 0;
}

function tryExact(reading: Reading, seen: Look, whole: boolean, cell: number, position: number): void {
  seen.undo(position);
  if (whole) {
    reading.record(cell, position, commonDivisor(seen.undoneK), EXACT);
    return;
  }
  const found = exactUnit(seen.undoneK, seen.leastUndone);
  if (found.told) reading.testedN[cell] = 1;
  reading.record(cell, position, found.unit, EXACT);
}

function tryNear(reading: Reading, seen: Look, whole: boolean, cell: number, position: number): void {
  seen.undo(position);
  const unit = nearUnit(seen.undoneK, seen.leastUndone);
  if (whole) {
    // whole numbers lie near multiples of a small number by chance
    let low = 0;
    for (let i = 0; i < seen.undoneK.length; i += 1) if (seen.undoneK[i] < 4.5 * unit) low += 1;
    if (unit < 2.5 || low < FEWEST_WHOLE) return;
  }
  reading.record(cell, position, unit, NEAR);
}

// NaN for no unit, and whether there were values enough to tell.
export interface Unit {
  unit: number;
  told: boolean;
}

// The number of which a cell's values are whole multiples: its smallest, or a small fraction of that.
//
// valueK: values proportional to counts; least: the smallest value of the cell; fewest: values above the smallest that
// a cell needs; with 0 a unit is found wherever one fits.
export function exactUnit(valueK: Float64Array, least: number, fewest = FEWEST): Unit {
  let told = false, firstShare = 0;
  for (let divisor = 1; divisor < 7; divisor += 1) {
    const factor = divisor / least, low = 1.05 * divisor, next = divisor + 2.2;
    let nTelling = 0, nWhole = 0, nNext = 0;
    for (let i = 0; i < valueK.length; i += 1) {
      const ratio = valueK[i] * factor;
      if (!(ratio > low && ratio <= LARGEST_RATIO)) continue;
      nTelling += 1;
      if (Math.abs(ratio - rint(ratio)) < 0.1) nWhole += 1;
      if (ratio < next) nNext += 1;
    }
    const share = nTelling > 0 ? nWhole / nTelling : fewest === 0 ? 1 : 0;
    if (divisor === 1) firstShare = share;
    const enough = nTelling >= fewest;
    told ||= enough;
    // counts grow thinner step by step: without the next multiples the scale is another one; a few fractions among
    // whole multiples are no reason for a smaller unit
    const follows = nNext >= (fewest > 0 ? 0.05 * nTelling : 0);
    if (enough && share >= 0.9 && follows && (firstShare < 0.75 || divisor === 1)) {
      const unit = least / divisor;
      return { unit: fewest > 0 && isOfFractions(valueK, unit) ? NaN : unit, told };
    }
  }
  return { unit: NaN, told };
}

const times = new Int32Array(LARGEST_STEP + 2);

// Whether a unit is a mere fraction of one count, as where shared reads make halves and thirds. One multiple of it is
// then far commoner than itself and its neighbours: one count.
function isOfFractions(valueK: Float64Array, unit: number): boolean {
  times.fill(0);
  for (let i = 0; i < valueK.length; i += 1) {
    const step = rint(valueK[i] / unit);
    if (step <= LARGEST_STEP) times[step] += 1;
  }
  for (let step = 2; step <= LARGEST_STEP; step += 1) {
    if (times[step] > 3 * Math.max(times[step - 1], times[step + 1], times[1]) + 6) return true;
  }
  return false;
}

// The largest number of which a cell's whole values are all multiples; NaN where it is 1 or a cell has too few values
// for it to mean anything.
export function commonDivisor(valueK: Float64Array): number {
  let divisor = 0, n = 0;
  for (let i = 0; i < valueK.length; i += 1) {
    let other = Math.abs(rint(valueK[i]));
    if (!(other > 0 && other <= 2 ** 52)) continue;
    if (valueK[i] > 0) n += 1;
    while (other > 0) [divisor, other] = [other, divisor % other];
  }
  return divisor < 1.5 || n < FEWEST_NEARLY ? NaN : divisor;
}

let missK = new Float64Array(0);

// The number near whose multiples a cell's smaller values lie, as they do where values were rounded; NaN for none.
export function nearUnit(valueK: Float64Array, least: number): number {
  let unit = NaN, off = Infinity;
  for (const start of [least, ...quantiles(valueK, [0.1, 0.25, 0.4])]) {
    let found = start > TINY ? start : TINY;
    for (let i = 0; i < 3; i += 1) found = refined(valueK, found);
    const mean = missOf(valueK, found);
    if (mean < off && !isOfFractions(valueK, found)) [unit, off] = [found, mean];
  }
  return unit;
}

// How far the smaller values are from multiples of a unit; NaN where they don't lie near them as counts do.
function missOf(valueK: Float64Array, unit: number): number {
  if (missK.length !== valueK.length) missK = new Float64Array(valueK.length);
  let nClose = 0, fitting = 0, beyondOne = 0, twos = 0;
  for (let i = 0; i < valueK.length; i += 1) {
    const ratio = valueK[i] / unit;
    missK[i] = 0;
    if (!(ratio < 4.5)) continue;
    // what is stored stands for one count at least
    missK[i] = Math.abs(ratio - Math.max(rint(ratio), 1));
    nClose += 1;
    if (missK[i] < 0.22) fitting += 1;
    if (ratio > 1.5) beyondOne += 1;
    if (ratio > 1.5 && ratio < 2.5) twos += 1;
  }
  nClose = Math.max(nClose, 1);
  const good = fitting >= 0.88 * nClose && nClose >= FEWEST_NEARLY && beyondOne >= 3 && twos >= 0.25 * beyondOne;
  return good ? pairwise(missK, 0, missK.length) / nClose : NaN;
}

let closeK = new Float64Array(0);

// Fits the unit to the values that lie near its first three multiples.
function refined(valueK: Float64Array, unit: number): number {
  if (closeK.length !== valueK.length) closeK = new Float64Array(valueK.length);
  let steps = 0;
  for (let i = 0; i < valueK.length; i += 1) {
    const ratio = valueK[i] / unit;
    const close = ratio < 3.5;
    closeK[i] = close ? valueK[i] : 0;
    if (close) steps += rint(ratio);
  }
  return Math.max(pairwise(closeK, 0, closeK.length) / Math.max(steps, 1), TINY);
}

// Quantiles of numbers, NaN left out.
function quantiles(valueK: Float64Array, shares: number[]): number[] {
  const sortedK = valueK.slice().sort();
  let last = sortedK.length - 1;
  while (last > 0 && Number.isNaN(sortedK[last])) last -= 1;
  return shares.map((share) => sortedK[Math.floor(share * Math.max(last, 0))]);
}
