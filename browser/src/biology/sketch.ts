// A sample's own expression in a few numbers a cell: what sets its cells apart, whatever a network has learned.
// Axes: n cells, g genes, v genes that vary, k numbers of a sketch.

import { argsort } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import { COLUMNS, Kernels } from "../base/kernels.ts";
import { largestDirections } from "../base/lanczos.ts";
import type { Matrix } from "../base/matrix.ts";
import { rowSums } from "../base/row_sums.ts";

// Genes that a sketch looks at, the most variable ones, and numbers that it makes of them.
export const GENES = 2000, NUMBERS = 30;

// Square roots of proportions, of the chosen genes only; short numbers, as they are gone through more than a hundred times.
interface Roots {
  data: Float32Array;
  indices: Uint16Array;
  indptr: Int32Array;
}

// Principal components of the square roots of proportions, found on some cells and applied to all.
//
// The square root makes the noise of counts alike in all genes, whatever their level (Bartlett 1936,
// https://doi.org/10.2307/2983678), so the genes that vary most are those that differ between cells.
export class Sketch {
  readonly numbers: number;
  private readonly genes: number;
  private readonly placeG: Int32Array;
  // Holds of each gene its weights, 32 with zeros, then room for the roots of a cell and what is made of them.
  private readonly kernels: Kernels;
  private readonly originK: Float32Array;

  constructor(countsNg: Csr) {
    const n = countsNg.height, scaled = scaledOf(countsNg);
    const { meanG, varianceG } = spread(scaled, countsNg);
    const chosen = argsort(varianceG.map((value) => -value)).slice(0, GENES).sort();
    this.placeG = new Int32Array(countsNg.width).fill(-1);
    chosen.forEach((gene, place) => { this.placeG[gene] = place; });
    const meanV = Float64Array.from(chosen, (gene) => meanG[gene]);
    const roots = rootsOf(scaled, countsNg, this.placeG);
    this.numbers = Math.max(0, Math.min(NUMBERS, n - 1, chosen.length - 1));
    const directions = components(roots, meanV, this.numbers);
    const length = meanLength(roots, meanV, directions) || 1;
    this.genes = chosen.length;
    this.kernels = new Kernels(chosen.length * (COLUMNS + 2) + COLUMNS);
    this.originK = new Float32Array(this.numbers);
    directions.forEach((direction, k) => {
      let origin = 0;
      for (let v = 0; v < chosen.length; v += 1) {
        const weight = Math.fround(direction[v] / length);
        this.kernels.numbers[v * COLUMNS + k] = weight;
        origin += meanV[v] * weight;
      }
      this.originK[k] = origin;
    });
  }

  // The sketch of each cell; the mean squared length is about one.
  apply(countsNg: Csr): Matrix {
    const { data, indices, indptr } = countsNg, { placeG, originK, numbers, kernels } = this;
    const sketch = new Float32Array(countsNg.height * numbers), roots = this.genes * COLUMNS;
    const places = new Int32Array(this.genes), made = roots + 2 * this.genes, totalN = rowSums(countsNg);
    for (let i = 0; i < countsNg.height; i += 1) {
      let some = 0;
      for (let e = indptr[i]; e < indptr[i + 1]; e += 1) {
        const place = placeG[indices[e]];
        if (place < 0) continue;
        kernels.numbers[roots + some] = Math.sqrt(data[e]);
        places[some] = place * COLUMNS;
        some += 1;
      }
      kernels.setPlaces(roots + this.genes, places, some);
      kernels.sums(0, roots + this.genes, roots, some, made);
      const depth = Math.fround(Math.sqrt(Math.max(totalN[i], 1)));
      for (let k = 0; k < numbers; k += 1) sketch[i * numbers + k] = Math.fround(kernels.numbers[made + k] / depth) - originK[k];
    }
    return { data: sketch, width: numbers };
  }
}

function scaledOf(countsNg: Csr): Float64Array {
  const { data, indptr } = countsNg, sums = rowSums(countsNg), scaled = new Float64Array(data.length);
  for (let i = 0; i < sums.length; i += 1) {
    const total = Math.max(sums[i], 1e-12);
    for (let e = indptr[i]; e < indptr[i + 1]; e += 1) scaled[e] = Math.sqrt(data[e] / total);
  }
  return scaled;
}

function spread(scaled: Float64Array, countsNg: Csr): { meanG: Float64Array; varianceG: Float64Array } {
  const n = countsNg.height, meanG = new Float64Array(countsNg.width), varianceG = new Float64Array(countsNg.width);
  for (let e = 0; e < scaled.length; e += 1) {
    meanG[countsNg.indices[e]] += scaled[e];
    varianceG[countsNg.indices[e]] += scaled[e] * scaled[e];
  }
  for (let g = 0; g < meanG.length; g += 1) {
    meanG[g] /= n;
    varianceG[g] = varianceG[g] / n - meanG[g] * meanG[g];
  }
  return { meanG, varianceG };
}

function rootsOf(scaled: Float64Array, countsNg: Csr, placeG: Int32Array): Roots {
  let size = 0;
  for (let e = 0; e < scaled.length; e += 1) if (placeG[countsNg.indices[e]] >= 0) size += 1;
  const data = new Float32Array(size), indices = new Uint16Array(size), indptr = new Int32Array(countsNg.indptr.length);
  let at = 0;
  for (let i = 0; i < countsNg.height; i += 1) {
    for (let e = countsNg.indptr[i]; e < countsNg.indptr[i + 1]; e += 1) {
      const place = placeG[countsNg.indices[e]];
      if (place >= 0) { data[at] = scaled[e]; indices[at] = place; at += 1; }
    }
    indptr[i + 1] = at;
  }
  return { data, indices, indptr };
}

// values - mean, times a vector of the genes: a number for each cell.
function timesValues({ data, indices, indptr }: Roots, meanV: Float64Array, vectorV: Float64Array, productN: Float64Array): void {
  const middle = dot(meanV, vectorV);
  for (let i = 0; i < productN.length; i += 1) {
    let sum = 0;
    for (let e = indptr[i]; e < indptr[i + 1]; e += 1) sum += data[e] * vectorV[indices[e]];
    productN[i] = sum - middle;
  }
}

// The same, and the outcome times values - mean, turned: a number for each gene. Each cell's values are gone through once.
function timesProducts({ data, indices, indptr }: Roots, meanV: Float64Array, vectorV: Float64Array, productV: Float64Array): void {
  const middle = dot(meanV, vectorV);
  let total = 0;
  productV.fill(0);
  for (let i = 0; i + 1 < indptr.length; i += 1) {
    const from = indptr[i], to = indptr[i + 1];
    let value = -middle;
    for (let e = from; e < to; e += 1) value += data[e] * vectorV[indices[e]];
    total += value;
    for (let e = from; e < to; e += 1) productV[indices[e]] += data[e] * value;
  }
  for (let v = 0; v < productV.length; v += 1) productV[v] -= total * meanV[v];
}

function dot(one: Float64Array, two: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i += 1) sum += one[i] * two[i];
  return sum;
}

// Directions in which the values vary most. They are exact: those of a randomised algorithm depend on the cells' order.
function components(roots: Roots, meanV: Float64Array, numbers: number): Float64Array[] {
  if (!numbers) return [];
  const most = Math.min(roots.indptr.length - 1, meanV.length);
  const times = (given: Float64Array, found: Float64Array) => timesProducts(roots, meanV, given, found);
  return largestDirections(times, meanV.length, { numbers, most, start: squares(roots, meanV) });
}

// Sum of the squares of each gene's values: a start that goes by no order.
function squares({ data, indices, indptr }: Roots, meanV: Float64Array): Float64Array {
  const n = indptr.length - 1, found = meanV.map((mean) => -n * mean * mean);
  for (let e = 0; e < data.length; e += 1) found[indices[e]] += data[e] * data[e];
  return found;
}

function meanLength(roots: Roots, meanV: Float64Array, directions: Float64Array[]): number {
  const n = roots.indptr.length - 1, product = new Float64Array(n);
  let squares = 0;
  for (const direction of directions) {
    timesValues(roots, meanV, direction, product);
    for (let i = 0; i < n; i += 1) squares += product[i] * product[i];
  }
  return Math.sqrt(squares / n);
}
