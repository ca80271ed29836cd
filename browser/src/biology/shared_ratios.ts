// Ratios that tell a logarithm of RPKM or FPKM, whose cells sum to no common number. The counterpart of
// spoticell/biology/shared_ratios.py.
//
// Such values are counts times one number for each cell and one for each gene. Of the genes that two cells have the same
// count of, all have one ratio between the cells, to the last digit. Read as another logarithm they have not.
//
// Axes: n cells of a sample, g genes that two cells share.

import { argmax, searchsorted } from "../base/arrays.ts";
import type { Fit } from "./fit.ts";
import type { Kind, Sparse } from "./scales.ts";

// Pairs of cells that are looked at, and the cells that are needed.
const PAIRS = 40, FEWEST_CELLS = 6;
// Ratios that differ by no more than this part are the same, which takes six decimals: among large values those of a
// wrong logarithm differ by 1e-5. And the part around them that says how many are the same by chance.
const WITHIN = 3e-6, AROUND = 1e-2;
// Two cells must differ by this part: equal values have a ratio of 1 on any scale.
const APART = 0.02;
// Genes that share a ratio, at least, and how many times as many they are as by chance.
const FEWEST = 8, TIMES = 10;
// Share of pairs from which a logarithm is told, and up to which another isn't: of counts of four laboratories over the
// lengths of genes the right one has .6 to 1, and wrong ones have 0.
const TOLD = 0.5, OTHER = 0.05;
// What cells of RPKM, FPKM and TPM sum to.
const SUMS = [2e4, 1e7];
// Between which the largest value of their logarithms is.
export const MAYBE_LOG = [3, 25];
// What is said of values that may be such logarithms.
export const UNTOLD =
  " If they are logarithms of RPKM or FPKM, nothing tells which logarithm was taken: give the values from before the " +
  "logarithm, or with all their decimals.";
const LOGARITHMS: readonly Kind[] = ["natural log of 1 + normalised", "log2 of 1 + normalised", "log10 of 1 + normalised"];

// The one logarithm on which cells share ratios and sum to what RPKM and FPKM do; null where none is told.
export function toldLogarithm(fits: readonly Fit[]): Fit | null {
  const logs = fits.filter(({ kind }) => LOGARITHMS.includes(kind)), shares = logs.map(({ undoneNv }) => shareRatios(undoneNv));
  const told = logs.filter((_, at) => shares[at] >= TOLD);
  if (told.length !== 1 || shares.filter((share) => share > OTHER).length > 1) return null;
  const { mean } = told[0].sums;
  return mean >= SUMS[0] && mean <= SUMS[1] ? told[0] : null;
}

// The share of pairs of cells in which many genes have one and the same ratio.
export function shareRatios(undoneNv: Sparse): number {
  const n = undoneNv.indptr.length - 1;
  if (n < FEWEST_CELLS) return 0;
  const most = Math.min(PAIRS, n - 1), step = (n - 2) / (most - 1);
  const first = new Set(Array.from({ length: most }, (_, at) => (at === most - 1 ? n - 2 : Math.trunc(at * step))));
  return Array.from(first).filter((cell) => sharesOne(logRatios(undoneNv, cell, cell + 1))).length / first.size;
}

// The ratios of two cells in the genes that both have, as logarithms, in order.
function logRatios({ data, indices, indptr }: Sparse, one: number, other: number): Float64Array {
  const found: number[] = [];
  let a = indptr[one], b = indptr[other];
  while (a < indptr[one + 1] && b < indptr[other + 1]) {
    if (indices[a] === indices[b]) {
      const ratio = Math.log(data[a] / data[b]);
      if (Math.abs(ratio) > APART) found.push(ratio);
    }
    const behind = indices[a] - indices[b];
    if (behind <= 0) a += 1;
    if (behind >= 0) b += 1;
  }
  return Float64Array.from(found).sort();
}

// Whether many of some ratios in order are the same.
function sharesOne(ratioG: Float64Array): boolean {
  const sameG = Int32Array.from(ratioG, (ratio, g) => searchsorted(ratioG, ratio + WITHIN) - g);
  const most = ratioG.length > 0 ? argmax(sameG) : 0;
  if (ratioG.length === 0 || sameG[most] < FEWEST) return false;
  const around = searchsorted(ratioG, ratioG[most] + AROUND) - searchsorted(ratioG, ratioG[most] - AROUND);
  const byChance = ((around - sameG[most]) * WITHIN) / (2 * AROUND);
  return sameG[most] >= TIMES * (byChance + 0.2);
}
