// Tallies: what is kept of all cells of a matrix to judge what its values are; memory doesn't grow with cells. The
// counterpart of spoticell/biology/tallies.py.
//
// Axes: n cells, v genes of the data set, s scales.

import type { Csr } from "../base/csr.ts";
import { rint } from "../base/rounding.ts";
import { pairwise, reduced } from "../base/sums.ts";
import { Droplets, addOnEach } from "./droplets.ts";
import { EXACT, NEAR, type Reading } from "./reading.ts";
import { Moments, SCALES } from "./scales.ts";

// A cell with so many genes and no value above the second number hardly ever holds counts: some gene has more.
export const DEEP = 200, FLAT = 12;
// Cells without a scale that are remembered one by one.
const MOST_ODD = 10_000;
// Share of the tested cells that makes a scale beside the commonest one credible.
const MIXED = 0.02;
const ROUNDED_TARGETS = [1e4, 1e5, 1e6];

// How well each scale fits a cell: two bits for each, plain numbers highest, with one more than the fit. That numbers
// sort as Python's tuples do.
export type Pattern = number;
// The pattern of cells that weren't tested.
const NONE: Pattern = 0;

const fitIn = (pattern: Pattern, position: number): number => ((pattern >>> (2 * (SCALES.length - 1 - position))) & 3) - 1;

const POSITIONS = SCALES.map((_, position) => position);

// A cell that no scale fits: its place, the mean of its values, as stored, and whether they are all whole.
export interface OddCell {
  cell: number;
  mean: number;
  whole: boolean;
}

// Sums over all cells that went by.
export class Tallies {
  nCells = 0;
  nFull = 0;
  nValues = 0;
  nGenes = 0;
  nFloored = 0;
  largest = 0;
  nDeep = 0;
  nDeepFlat = 0;
  // Cells of each pattern.
  readonly patterns = new Map<Pattern, number>();
  readonly firstCell = new Map<Pattern, number>();
  // Cells that are counts as they stand.
  nCounted = 0;
  // Cells that are multiples of another number than 1: how many, the first, and its number.
  multiples = { n: 0, first: -1, unit: 1 };
  // Cells that no scale fits, the first of them.
  readonly odd: OddCell[] = [];
  nOdd = 0;
  nOddValues = 0;
  // What one count is in the cells that a scale fits exactly, relative to the first such cell.
  readonly unitS = SCALES.map(() => new Moments());
  readonly unitOfFirstS = SCALES.map(() => 1);
  // Whole cells that sum nearly, not quite, to a customary number; and those that come half as near to it.
  readonly nAtTarget = new Map(ROUNDED_TARGETS.map((target) => [target, 0]));
  readonly nNearTarget = new Map(ROUNDED_TARGETS.map((target) => [target, 0]));
  readonly dropletsS = SCALES.map(() => new Droplets());
  readonly totals = new Moments();
  readonly logTotals = new Moments();
  readonly logGenes = new Moments();
  private logBoth = 0;

  // Takes in the next cells, as they were read.
  add(keptNv: Csr, floorN: Float64Array, reading: Reading): void {
    this.addPatterns(reading);
    this.addUnits(reading);
    addOnEach(this.dropletsS, keptNv);
    this.addOdd(keptNv, reading);
    this.nCells += floorN.length;
    this.nGenes = keptNv.width;
    for (const floor of floorN) if (floor !== 0) this.nFloored += 1;
    this.addSums(keptNv);
  }

  private addSums(keptNv: Csr): void {
    const { data, indptr } = keptNv;
    const totalN: number[] = [], genesN: number[] = [];
    for (let cell = 0; cell < keptNv.height; cell += 1) {
      const from = indptr[cell], to = indptr[cell + 1];
      if (to === from) continue;
      let largest = data[from];
      for (let e = from + 1; e < to; e += 1) if (data[e] > largest) largest = data[e];
      this.largest = Math.max(this.largest, largest);
      if (to - from >= DEEP) {
        this.nDeep += 1;
        if (largest <= FLAT) this.nDeepFlat += 1;
      }
      totalN.push(Math.max(reduced(data, from, to), 1e-300));
      genesN.push(to - from);
    }
    if (genesN.length === 0) return;
    this.nFull += genesN.length;
    this.nValues += data.length;
    this.addTargets(totalN);
    const logGenesN = Float64Array.from(genesN, Math.log), logTotalN = Float64Array.from(totalN, Math.log);
    this.totals.add(totalN);
    this.logGenes.add(logGenesN);
    this.logTotals.add(logTotalN);
    const both = logGenesN.map((logGenes, i) => logGenes * logTotalN[i]);
    this.logBoth += pairwise(both, 0, both.length);
  }

  private addTargets(totalN: number[]): void {
    for (const target of ROUNDED_TARGETS) {
      let [at, near] = [0, 0];
      for (const total of totalN) {
        const off = total / target - 1;
        if (off > -0.02 && off < 0.005 && total !== target) at += 1;
        if (off > -0.07 && off < 0.055) near += 1;
      }
      this.nAtTarget.set(target, this.nAtTarget.get(target)! + at);
      this.nNearTarget.set(target, this.nNearTarget.get(target)! + near);
    }
  }

  private addPatterns(reading: Reading): void {
    const counts = new Map<Pattern, number>(), first = new Map<Pattern, number>();
    for (let cell = 0; cell < reading.height; cell += 1) {
      if (!reading.fullN[cell]) continue;
      let pattern = NONE;
      if (reading.testedN[cell]) for (const position of POSITIONS) pattern = 4 * pattern + reading.fit(cell, position) + 1;
      if (!first.has(pattern)) first.set(pattern, this.nCells + cell);
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
    }
    // sorted, as the order of the patterns is that of the remarks
    for (const pattern of [...counts.keys()].sort((a, b) => a - b)) {
      this.patterns.set(pattern, (this.patterns.get(pattern) ?? 0) + counts.get(pattern)!);
      if (!this.firstCell.has(pattern)) this.firstCell.set(pattern, first.get(pattern)!);
    }
  }

  private addUnits(reading: Reading): void {
    for (const position of POSITIONS) {
      const units: number[] = [];
      for (let cell = 0; cell < reading.height; cell += 1) {
        if (reading.fit(cell, position) !== EXACT) continue;
        const unit = reading.unit(cell, position);
        units.push(unit);
        if (position === 0) this.addMultiple(cell, unit);
      }
      if (units.length > 0 && this.unitS[position].n === 0) this.unitOfFirstS[position] = units[0];
      this.unitS[position].add(units.map((unit) => unit / this.unitOfFirstS[position]));
    }
  }

  private addMultiple(cell: number, unit: number): void {
    if (Math.abs(unit - 1) < 1e-3) {
      this.nCounted += 1;
      return;
    }
    if (this.multiples.n === 0) this.multiples = { n: 0, first: this.nCells + cell, unit };
    this.multiples.n += 1;
  }

  private addOdd(keptNv: Csr, reading: Reading): void {
    for (let cell = 0; cell < reading.height; cell += 1) {
      if (!reading.odd(cell)) continue;
      const from = keptNv.indptr[cell], to = keptNv.indptr[cell + 1];
      this.nOdd += 1;
      this.nOddValues += to - from;
      if (this.odd.length >= MOST_ODD) continue;
      const values = keptNv.data.subarray(from, to);
      const mean = pairwise(values, 0, values.length) / values.length;
      this.odd.push({ cell: this.nCells + cell, mean, whole: values.every((value) => value === rint(value)) });
    }
  }

  // Cells with values enough to say on which scale they are.
  get nTested(): number {
    let n = 0;
    for (const [pattern, count] of this.patterns) if (pattern !== NONE) n += count;
    return n;
  }

  // Cells that each scale fits, exactly or nearly.
  get nFittingS(): number[] {
    return this.counted(NEAR);
  }

  // Cells that each scale fits exactly.
  get nExactS(): number[] {
    return this.counted(EXACT);
  }

  private counted(least: number): number[] {
    const nS = POSITIONS.map(() => 0);
    for (const [pattern, count] of this.patterns) {
      for (const position of POSITIONS) if (fitIn(pattern, position) >= least) nS[position] += count;
    }
    return nS;
  }

  // The patterns of cells that one scale doesn't fit and another fits exactly, by the first that does.
  //
  // Scales that hardly any cell is on are left out: a few shallow cells among logarithms seem to fit another logarithm
  // by chance, and only whole numbers and logarithms are never taken for each other.
  others(position: number): Map<number, Pattern[]> {
    const found = new Map<number, Pattern[]>();
    for (const pattern of this.patterns.keys()) {
      const scale = POSITIONS.findIndex((place) => fitIn(pattern, place) === EXACT);
      if (pattern === NONE || fitIn(pattern, position) !== 0 || scale < 0) continue;
      found.set(scale, [...(found.get(scale) ?? []), pattern]);
    }
    const least = MIXED * this.nTested;
    for (const [scale, patterns] of found) {
      if (position !== 0 && scale !== 0 && this.nOf(patterns) < least) found.delete(scale);
    }
    return found;
  }

  // Cells of some patterns.
  nOf(patterns: Pattern[]): number {
    return patterns.reduce((sum, pattern) => sum + this.patterns.get(pattern)!, 0);
  }

  // What one count is on a scale if it is the same in all cells that the scale fits exactly.
  unit(position: number): number | null {
    const moments = this.unitS[position];
    return moments.n > 0 && moments.spread < 1e-3 ? this.unitOfFirstS[position] * moments.mean : null;
  }

  // Growth of a cell's total with its genes, both in logs: near or above 1 for counts, NaN where none varies.
  get slope(): number {
    const n = this.logGenes.n, spread = this.logGenes.deviation ** 2;
    if (n < 3 || spread < 1e-9) return NaN;
    return (this.logBoth / n - this.logGenes.mean * this.logTotals.mean) / spread;
  }

  // Three standard errors above the slope; NaN where there is none.
  get slopeAtMost(): number {
    const slope = this.slope, deviation = this.logGenes.deviation;
    if (Number.isNaN(slope)) return slope;
    const unexplained = Math.max(this.logTotals.deviation ** 2 - (slope * deviation) ** 2, 0);
    return slope + (3 * Math.sqrt(unexplained / (this.logGenes.n - 2))) / deviation;
  }
}
