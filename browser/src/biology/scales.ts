// Scales on which people store counts. The counterpart of spoticell/biology/scales.py.
//
// A scale is undone value by value, up to a factor for each cell. Which scale a cell is on, and what one count of it
// is, is found in reading.ts.
//
// Axis: e stored values of a matrix.

import type { Numbers } from "../base/arrays.ts";
import { rint } from "../base/rounding.ts";
import { pairwise } from "../base/sums.ts";

// Nothing smaller is divided by: squares of very small values are zero.
export const TINY = 1e-30;
// A value this near a whole number counts as one.
export const WHOLE_WITHIN = 0.01;
// Sums whose standard deviation is at most this share of their mean count as the same.
export const CONSTANT_WITHIN = 0.02;
// What people make cells sum to.
export const COMMON_TARGETS = [1, 1e2, 1e3, 1e4, 1e5, 1e6];

// What a matrix holds.
export type Kind =
  | "counts"
  | "fractional counts"
  | "normalised, not logged"
  | "natural log of 1 + normalised"
  | "log2 of 1 + normalised"
  | "log10 of 1 + normalised"
  | "square root of counts"
  | "log1p taken twice"
  | "inverse hyperbolic sine of normalised"
  | "Freeman-Tukey square roots of counts"
  | "rounded logarithms"
  | "RPKM, FPKM or TPM"
  | "smoothed over cells"
  | "ranks"
  | "seen or not seen"
  | "cut off or quantile-normalised"
  | "noise"
  | "nothing"
  | "unknown";

// Cells whose values are of single precision, as stored, or of double, as worked out.
export interface Sparse {
  readonly data: Float32Array | Float64Array;
  readonly indices: Int32Array;
  readonly indptr: Int32Array;
  readonly width: number;
}

// A way in which counts may have been stored.
export interface Scale {
  kind: Kind;
  // A value above this would stand for more than ten million counts in one gene.
  largest: number;
}

// Plain numbers first: of scales that fit equally well the first is taken.
export const SCALES: readonly Scale[] = [
  { kind: "normalised, not logged", largest: Infinity },
  { kind: "natural log of 1 + normalised", largest: 16.2 },
  { kind: "log2 of 1 + normalised", largest: 23.3 },
  { kind: "log10 of 1 + normalised", largest: 7 },
  { kind: "square root of counts", largest: 3163 },
  { kind: "log1p taken twice", largest: 2.85 },
  { kind: "inverse hyperbolic sine of normalised", largest: 16.9 },
  { kind: "Freeman-Tukey square roots of counts", largest: 6325 },
];

// What a value stood for before it was put on a scale, up to a factor for each cell.
export function undone(position: number, value: number): number {
  switch (position) {
    case 0: return value;
    case 1: return Math.expm1(value);
    case 2: return Math.expm1(value * Math.LN2);
    case 3: return Math.expm1(value * Math.LN10);
    case 4: return value * value;
    case 5: return Math.expm1(Math.expm1(value));
    case 6: return Math.sinh(value);
    default: return ofRoots(value);
  }
}

// Undoes sqrt(x) + sqrt(x + 1) - 1.
function ofRoots(value: number): number {
  const sum = value + 1, root = (sum * sum - 1) / (2 * sum);
  return root * root;
}

// Running mean and standard deviation.
export class Moments {
  n = 0;
  total = 0;
  squares = 0;

  add(values: Numbers): void {
    const square = Float64Array.from(values, (value) => value * value);
    this.n += values.length;
    this.total += pairwise(values, 0, values.length);
    this.squares += pairwise(square, 0, square.length);
  }

  // Mean so far, 0 where there is none.
  get mean(): number {
    return this.total / Math.max(this.n, 1);
  }

  get deviation(): number {
    return Math.sqrt(Math.max(this.squares / Math.max(this.n, 1) - this.mean ** 2, 0));
  }

  // Standard deviation as a share of the mean.
  get spread(): number {
    return this.deviation / Math.max(Math.abs(this.mean), 1e-300);
  }
}

// The last decimal that values have, null where they have more than three.
export function decimals(valuesE: Float32Array): number | null {
  return [1, 0.1, 0.01, 0.001].find((unit) => areMultiples(valuesE, unit)) ?? null;
}

// Whether all values are multiples of a number, as far as single precision can tell.
function areMultiples(valuesE: Float32Array, unit: number): boolean {
  let n = 0;
  for (let e = 0; e < valuesE.length; e += 1) {
    if (!(valuesE[e] < 1e5 * unit)) continue;
    const ratio = valuesE[e] / unit;
    if (!(Math.abs(ratio - rint(ratio)) < 0.02)) return false;
    n += 1;
  }
  return n > valuesE.length / 2;
}

// A matrix with other values in the same places.
export function withData<D extends Float32Array | Float64Array>(like: Sparse, data: D): Sparse & { readonly data: D } {
  return { data, indices: like.indices, indptr: like.indptr, width: like.width };
}

