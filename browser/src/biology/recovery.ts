// Counts worked back from what is stored, once it is known what that is. The counterpart of
// spoticell/biology/recovery.py.
//
// Axes: n cells, v genes of the data set, e stored values of a matrix.

import { argsort } from "../base/arrays.ts";
import { Csr } from "../base/csr.ts";
import { CountsError } from "../base/errors.ts";
import { rint } from "../base/rounding.ts";
import { select } from "../base/select.ts";
import { pairwise, reduced } from "../base/sums.ts";
import { comma } from "../base/words.ts";
import { EXACT, Look, NEAR, type Reading, above, exactUnit, floors, lookedAt, readCells } from "./reading.ts";
import { COMMON_TARGETS, CONSTANT_WITHIN, type Kind, SCALES, type Sparse, undone, withData } from "./scales.ts";

// No gene has so many counts in a cell.
const MOST_COUNTS = 1e9;
export const REMEDY = "Put the raw counts into layers['counts'] or raw, or give the file with the counts.";

// What a matrix holds, why that is believed, and what can be had from it.
export interface CountsVerdict {
  kind: Kind;
  // One sentence with the numbers that decided, and what to do where the matrix can't be used.
  evidence: string;
  usable: boolean;
  nCells: number;
  // Cells without any count.
  nEmpty: number;
  // Whether recover gives whole counts or values proportional to counts within a cell.
  recovers: "counts" | "proportions";
  // Whether the counts are those that were stored, not only near them.
  exact: boolean;
  // Whether all values have few decimals, which is then why the counts aren't exact.
  rounded: boolean;
  // Values above zero, or above what stands for zero.
  nValues: number;
  // What each cell sums to once the scale is undone; null where that isn't constant.
  targetSum: number | null;
  // What one count is in every cell once the scale is undone; null where cells differ.
  unit: number | null;
  // Whether every value is a whole count as it stands.
  plain: boolean;
  // Between which means of its values, the scale undone, a cell without a unit is taken for proportions of counts; null
  // where there is no such cell.
  meanWithin: [number, number] | null;
  // Whether a cell's counts are estimated from its genes: no value says what one count is.
  byGenes: boolean;
  // Barcodes with at most so many counts are empty droplets; 0 where there are none.
  emptyUpTo: number;
  // Other scales that a fair share of the cells is on.
  beside: Kind[];
  // Sentences that the owner of the matrix should read.
  remarks: string[];
}

// Turns stored values into counts, or into something proportional to them within each cell.
//
// Each cell is read on the scale of its matrix or, where it doesn't fit that, on its own; a cell that fits none is left
// empty. A CountsError if nothing of the kind can be had; the message is the verdict's evidence.
export function recover(valuesNv: Csr, verdict: CountsVerdict): Csr {
  if (!verdict.usable) throw new CountsError(verdict.evidence);
  const storedNv = canonical(valuesNv);
  if (!verdict.plain) return workedBack(...aboveFloor(storedNv), verdict);
  const countE = new Float32Array(storedNv.nnz);
  for (let e = 0; e < countE.length; e += 1) countE[e] = rint(storedNv.data[e]);
  return finished(storedNv, countE);
}

// The same of values above their floor; as recover in everything else.
export function workedBack(keptNv: Csr, floorN: Float64Array, verdict: CountsVerdict): Csr {
  if (verdict.kind === "fractional counts") return finished(keptNv, undo(keptNv, floorN, 0));
  const position = positionOf(verdict.kind);
  if (verdict.recovers === "counts") return finished(keptNv, counts(keptNv, floorN, readCells(keptNv, floorN, position), position, verdict));
  const undoneE = undo(keptNv, floorN, position), undoneNv = withData(keptNv, undoneE);
  const oneN = verdict.byGenes ? depthOf(keptNv).map((depth, cell) => sumOf(undoneNv, cell) / depth) : oneCount(undoneNv);
  return finished(keptNv, divided(undoneNv, oneN));
}

// The values of each cell over a number of its own.
export function divided(valuesNv: Sparse, byN: Float64Array): Float64Array {
  const dividedE = new Float64Array(valuesNv.data.length);
  for (let cell = 0; cell < byN.length; cell += 1) {
    for (let e = valuesNv.indptr[cell]; e < valuesNv.indptr[cell + 1]; e += 1) dividedE[e] = valuesNv.data[e] / byN[cell];
  }
  return dividedE;
}

// Works out each value: on the matrix's scale, or on the cell's own, or as it stands.
function counts(keptNv: Csr, floorN: Float64Array, reading: Reading, position: number, verdict: CountsVerdict): Float64Array {
  const ratioE = undo(keptNv, floorN, position), undoneNv = withData(keptNv, ratioE), seen = new Look(lookedAt(keptNv.indptr));
  for (let cell = 0; cell < floorN.length; cell += 1) {
    const from = keptNv.indptr[cell], to = keptNv.indptr[cell + 1];
    if (to === from) continue;
    const here = isHere(undoneNv, reading, cell, position, verdict);
    let scale = position;
    if (!here && reading.best(cell) === EXACT) {
      scale = ownScale(keptNv, floorN, reading, cell, verdict);
      undoCell(keptNv, floorN, cell, scale, ratioE, from);
    }
    const { unit, asItIs } = oneOf(undoneNv, keptNv, reading, cell, scale, here, verdict, seen);
    let possible = true;
    for (let e = from; e < to; e += 1) {
      const ratio = ratioE[e] / unit;
      ratioE[e] = asItIs ? ratio : rint(ratio);
      if (!(ratioE[e] < MOST_COUNTS)) possible = false;
    }
    // a cell without a unit, or whose unit leads to absurd counts, has none
    if (!possible) ratioE.fill(0, from, to);
  }
  return ratioE;
}

// Whether a cell is on the scale of its matrix.
function isHere(undoneNv: Sparse, reading: Reading, cell: number, position: number, verdict: CountsVerdict): boolean {
  if (reading.fit(cell, position) > 0) return true;
  // a cell that sums to what the others do is on their scale, whatever else seems to fit
  if (verdict.targetSum !== null && Math.abs(sumOf(undoneNv, cell) / verdict.targetSum - 1) <= CONSTANT_WITHIN) return true;
  // values that are whole as they stand may be logarithms of 1 and 3 counts
  return verdict.unit !== null && position > 0 && allWhole(undoneNv, cell, verdict.unit);
}

// What one count is in a cell whose scale is undone, and whether its values are no whole multiples of it.
function oneOf(
  undoneNv: Sparse, keptNv: Csr, reading: Reading, cell: number, scale: number, here: boolean, verdict: CountsVerdict, seen: Look,
): { unit: number; asItIs: boolean } {
  let unit = reading.unit(cell, scale), guessed = false;
  // values that only come near multiples on another scale tell nothing
  if (Number.isNaN(unit) && (here || !reading.testedN[cell] || reading.best(cell) === NEAR)) {
    if (verdict.unit !== null) {
      unit = verdict.unit;
    } else {
      seen.at(undoneNv.data, undoneNv.indptr[cell], undoneNv.indptr[cell + 1], 0);
      unit = exactUnit(seen.valueK, seen.least, 0).unit;
      guessed = Number.isNaN(unit);
      if (guessed) unit = seen.least;
    }
  }
  // where the others are whole multiples, a cell that only comes near is one too, of another number
  const near = reading.fit(cell, scale) === NEAR;
  if (verdict.unit !== null && near && Math.abs(unit / verdict.unit - 1) < 0.25) unit = verdict.unit;
  const odd = verdict.meanWithin !== null && reading.odd(cell) && inLine(meanOf(undoneNv, cell), allWhole(keptNv, cell), verdict);
  if (odd) unit = verdict.unit ?? leastOf(undoneNv, cell);
  return { unit, asItIs: odd || guessed || (near && verdict.exact && verdict.unit === null) };
}

// Whether a cell without a unit is taken as it stands.
//
// mean: of its values, the scale undone; whole: whether all its values are whole: deep cells whose genes all have
// several counts, if the mean isn't low.
export function inLine(mean: number, whole: boolean, verdict: CountsVerdict): boolean {
  const [low, high] = verdict.meanWithin ?? [0, 0];
  return mean >= low && (mean <= high || whole);
}

// Among the scales that fit a cell exactly one that makes sense of it, else that of its matrix.
function ownScale(keptNv: Csr, floorN: Float64Array, reading: Reading, cell: number, verdict: CountsVerdict): number {
  const likeliest = SCALES.map((_, scale) => scale).filter((scale) => reading.fit(cell, scale) === EXACT);
  const cellE = new Float64Array(keptNv.indptr[cell + 1] - keptNv.indptr[cell]);
  const off = likeliest.map((scale) => {
    undoCell(keptNv, floorN, cell, scale, cellE, 0);
    const total = pairwise(cellE, 0, cellE.length);
    return Math.min(...COMMON_TARGETS.map((target) => Math.abs(total / target - 1)));
  });
  const least = Math.min(...off);
  if (least < CONSTANT_WITHIN) return likeliest[off.indexOf(least)];
  // a few logarithms seem to be on another logarithm by chance; whole numbers and logarithms are never taken for each
  // other, counts whose logarithm was taken have 1 as their unit, and chance doesn't choose one for many cells
  const position = positionOf(verdict.kind), beside = verdict.beside.map(positionOf);
  const sure = likeliest.find(
    (scale) => scale === 0 || position === 0 || Math.abs(reading.unit(cell, scale) - 1) < 1e-3 || beside.includes(scale),
  );
  return sure ?? position;
}

// Undoes a scale in each cell: values proportional to counts within a cell.
export function undo(keptNv: Csr, floorN: Float64Array, position: number): Float64Array {
  const undoneE = new Float64Array(keptNv.nnz);
  for (let cell = 0; cell < floorN.length; cell += 1) undoCell(keptNv, floorN, cell, position, undoneE, keptNv.indptr[cell]);
  return undoneE;
}

// The same in one cell, whose values are written from one place on.
function undoCell(keptNv: Csr, floorN: Float64Array, cell: number, position: number, into: Float64Array, start: number): void {
  const { largest } = SCALES[position], zero = undone(position, Math.min(floorN[cell], largest));
  const from = keptNv.indptr[cell], to = keptNv.indptr[cell + 1];
  for (let e = from; e < to; e += 1) into[start + e - from] = undone(position, Math.min(keptNv.data[e], largest)) - zero;
}

// A guess at what one count is in each cell whose values are no whole multiples: a fifth of its values are below.
export function oneCount(undoneNv: Sparse): Float64Array {
  const unitN = new Float64Array(undoneNv.indptr.length - 1).fill(NaN);
  for (let cell = 0; cell < unitN.length; cell += 1) {
    const values = new Float64Array(undoneNv.data.subarray(undoneNv.indptr[cell], undoneNv.indptr[cell + 1]));
    if (values.length > 0) unitN[cell] = select(values, Math.floor(values.length / 5));
  }
  return unitN;
}

// The counts of each cell estimated from the genes that it has, as a droplet with so many of them would have.
//
// Twice the genes take nearly three times the counts; 500 genes stand for 1,000 counts, 2,000 for 8,000. It is a rule of
// thumb: proportions don't say how many molecules or reads they were made of.
export function depthOf(valuesNv: Csr): Float64Array {
  return Float64Array.from(valuesNv.sizes(), (nGenes) => 1000 * (Math.max(nGenes, 1) / 500) ** 1.5);
}

// The place of a scale in SCALES; counts are plain numbers.
export function positionOf(kind: Kind): number {
  return Math.max(SCALES.findIndex((scale) => scale.kind === kind), 0);
}

// Whether all values of a cell are whole multiples of a number.
function allWhole(valuesNv: Sparse, cell: number, unit = 1): boolean {
  for (let e = valuesNv.indptr[cell]; e < valuesNv.indptr[cell + 1]; e += 1) {
    const ratio = valuesNv.data[e] / unit;
    if (!(Math.abs(ratio - rint(ratio)) < 0.01)) return false;
  }
  return true;
}

export function leastOf(valuesNv: Sparse, cell: number): number {
  let least = Infinity;
  for (let e = valuesNv.indptr[cell]; e < valuesNv.indptr[cell + 1]; e += 1) least = Math.min(least, valuesNv.data[e]);
  return least;
}

// The sum of a cell's values, in double precision.
export const sumOf = (valuesNv: Sparse, cell: number): number => reduced(valuesNv.data, valuesNv.indptr[cell], valuesNv.indptr[cell + 1]);

// The mean of a cell's values, 0 where there is none.
export const meanOf = (valuesNv: Sparse, cell: number): number =>
  sumOf(valuesNv, cell) / Math.max(valuesNv.indptr[cell + 1] - valuesNv.indptr[cell], 1);

// The matrix sorted, without repeats or stored zeros; the given one isn't changed.
export function canonical(valuesNv: Csr): Csr {
  const { indices, indptr } = valuesNv;
  for (let row = 0; row < valuesNv.height; row += 1) {
    for (let e = indptr[row] + 1; e < indptr[row + 1]; e += 1) {
      if (indices[e] <= indices[e - 1]) return withoutZeros(summed(valuesNv));
    }
  }
  return withoutZeros(valuesNv);
}

// The matrix with the values of a gene that comes twice in a cell added up, genes rising.
function summed(valuesNv: Csr): Csr {
  const { data, indices, indptr, width } = valuesNv, bounds = new Int32Array(indptr.length);
  const sumE = new Float32Array(data.length), geneE = new Int32Array(data.length);
  let at = 0;
  for (let row = 0; row < valuesNv.height; row += 1) {
    const from = indptr[row], first = at;
    for (const place of argsort(indices.subarray(from, indptr[row + 1]))) {
      if (at > first && geneE[at - 1] === indices[from + place]) {
        sumE[at - 1] += data[from + place];
      } else {
        sumE[at] = data[from + place];
        geneE[at] = indices[from + place];
        at += 1;
      }
    }
    bounds[row + 1] = at;
  }
  return new Csr(sumE.slice(0, at), geneE.slice(0, at), bounds, width);
}

function withoutZeros(valuesNv: Csr): Csr {
  const { data, indices, indptr, width } = valuesNv;
  if (!data.includes(0)) return valuesNv;
  const bounds = new Int32Array(indptr.length), keptE = new Float32Array(data.length), geneE = new Int32Array(data.length);
  let at = 0;
  for (let row = 0; row < valuesNv.height; row += 1) {
    for (let e = indptr[row]; e < indptr[row + 1]; e += 1) {
      if (data[e] === 0) continue;
      keptE[at] = data[e];
      geneE[at] = indices[e];
      at += 1;
    }
    bounds[row + 1] = at;
  }
  return new Csr(keptE.slice(0, at), geneE.slice(0, at), bounds, width);
}

// Takes off what stands for zero: the values above it, as stored, and what zero is in each cell.
//
// valuesNv: as stored, canonical; firstCell: where the first of these cells stands in its matrix. A CountsError if a
// value is NaN or infinite, or a cell has negative values and none that stands for zero.
export function aboveFloor(valuesNv: Csr, firstCell = 0): [Csr, Float64Array] {
  refuseNoNumbers(valuesNv, firstCell);
  const floorN = floors(valuesNv);
  if (floorN.some(Number.isNaN)) {
    const [n, place] = found(valuesNv, firstCell, (value, cell) => value < 0 && Number.isNaN(floorN[cell]));
    throw new CountsError(
      `${comma(n)} of the values read so far are negative (${place}), so ` +
        `the matrix looks scaled or batch-corrected, and counts can't be had from it. ${REMEDY}`,
    );
  }
  return [above(valuesNv, floorN), floorN];
}

function refuseNoNumbers(valuesNv: Csr, firstCell: number): void {
  // the sum isn't finite if a value isn't, and is quicker to have than a look at each
  let sum = 0;
  for (let e = 0; e < valuesNv.nnz; e += 1) sum += valuesNv.data[e];
  if (Number.isFinite(sum)) return;
  const [n, place] = found(valuesNv, firstCell, (value) => !Number.isFinite(value));
  throw new CountsError(
    `${comma(n)} of the values read so far are NaN or infinite (${place}); counts are numbers. Replace or drop them first.`,
  );
}

// How many values are bad, and where the first is.
function found(valuesNv: Csr, firstCell: number, isBad: (value: number, cell: number) => boolean): [number, string] {
  let n = 0, place = "";
  for (let cell = 0; cell < valuesNv.height; cell += 1) {
    for (let e = valuesNv.indptr[cell]; e < valuesNv.indptr[cell + 1]; e += 1) {
      if (!isBad(valuesNv.data[e], cell)) continue;
      if (n === 0) place = `the first at cell ${comma(firstCell + cell)}, gene ${comma(valuesNv.indices[e])}, counting from 0`;
      n += 1;
    }
  }
  return [n, place];
}

// Values in the places of others, in single precision.
function finished(like: Csr, valueE: Float32Array | Float64Array): Csr {
  return withoutZeros(new Csr(valueE instanceof Float32Array ? valueE : new Float32Array(valueE), like.indices, like.indptr, like.width));
}
