// The genes that set a group of cells apart from the other cells.
// Axes: s cells, g genes, t genes that are tested, k groups.

import { argsort } from "../base/arrays.ts";
import { Csr } from "../base/csr.ts";
import { rowSums } from "../base/row_sums.ts";
import { falseDiscovery, normalTail } from "../base/stats.ts";
import type { Vocabulary } from "./vocabulary.ts";

// Of a group.
export const MOST_GENES = 10;
// Share of the genes of a group that may be there by chance.
export const FALSE = 0.05;
// Cells that a group needs, and that there must be beside it.
export const FEWEST = 3;
// Share of the cells of some group in which a gene must be seen to be tested.
export const SEEN = 0.1;
// Counts that each cell is scaled to before logarithms are taken.
export const DEPTH = 1e4;
// Symbols of genes of ribosomal proteins.
export const RIBOSOMAL = /^(?:RP[LS](?:\p{Nd}+[AXYL\p{Nd}]*|A|P\p{Nd}|SA)(?:-\p{Nd}+)?|RPSA)$/u;

// A gene that is higher in a group than in the other cells.
export interface GroupGene {
  // Position among the genes.
  gene: number;
  // How often a cell of the group has more of it than another cell, ties half.
  auc: number;
  // Share of false genes among those that are at least as clear.
  q: number;
}

// Which genes tell of a type: not those of mitochondria and ribosomes, which follow its state and handling.
export function telling(vocabulary: Vocabulary): Uint8Array {
  return Uint8Array.from(vocabulary.symbols, (symbol, g) => (vocabulary.chromosomes[g] !== "MT" && !RIBOSOMAL.test(symbol) ? 1 : 0));
}

// The genes that set each group apart from all other cells: of each those with the largest AUC, largest first; none for a
// group of which there are too few cells.
//
// The test is that of Mann and Whitney on log-normalised counts, one-sided, by its normal approximation with ties; its
// p-values are corrected for the number of genes as Benjamini and Hochberg do. Only genes are tested that a tenth of the
// cells of some group has. Cells of no group (-1) are others; cells without counts don't count.
export function groupGenes(countsSg: Csr, codeS: ArrayLike<number>, groups: number, amongG: Uint8Array | null = null): GroupGene[][] {
  const full: number[] = [], sums = rowSums(countsSg);
  for (let s = 0; s < sums.length; s += 1) if (sums[s] > 0) full.push(s);
  const counts = countsSg.rows(full), code = Int32Array.from(full, (s) => codeS[s]), sizeK = new Int32Array(groups);
  for (const one of code) if (one >= 0) sizeK[one] += 1;
  const placeK = new Int32Array(groups).fill(-1), tested: number[] = [];
  for (let k = 0; k < groups; k += 1) if (sizeK[k] >= FEWEST && code.length - sizeK[k] >= FEWEST) placeK[k] = tested.push(k) - 1;
  const found: GroupGene[][] = Array.from({ length: groups }, () => []);
  if (!tested.length) return found;
  const own = code.map((one) => (one >= 0 ? placeK[one] : -1)), size = Int32Array.from(tested, (k) => sizeK[k]);
  const seenG = seen(counts, own, size), geneT: number[] = [];
  for (let g = 0; g < counts.width; g += 1) if (seenG[g] && (amongG === null || amongG[g])) geneT.push(g);
  const { aucKt, pKt } = mannWhitney(logNormalised(counts), geneT, own, size);
  tested.forEach((k, place) => {
    const auc = aucKt.subarray(place * geneT.length, (place + 1) * geneT.length);
    const q = falseDiscovery(pKt.subarray(place * geneT.length, (place + 1) * geneT.length));
    const best = Array.from(argsort(auc.map((value) => -value))).filter((t) => q[t] < FALSE && auc[t] > 0.5);
    found[k] = best.slice(0, MOST_GENES).map((t) => ({ gene: geneT[t], auc: auc[t], q: q[t] }));
  });
  return found;
}

// Which genes are seen in enough cells of a group.
function seen(countsSg: Csr, code: Int32Array, size: Int32Array): Uint8Array {
  const cellsKg = new Int32Array(size.length * countsSg.width), enoughG = new Uint8Array(countsSg.width);
  for (let s = 0; s < code.length; s += 1) {
    if (code[s] < 0) continue;
    for (let e = countsSg.indptr[s]; e < countsSg.indptr[s + 1]; e += 1) if (countsSg.data[e] > 0) cellsKg[code[s] * countsSg.width + countsSg.indices[e]] += 1;
  }
  for (let k = 0; k < size.length; k += 1) {
    for (let g = 0; g < enoughG.length; g += 1) if (cellsKg[k * enoughG.length + g] >= SEEN * size[k]) enoughG[g] = 1;
  }
  return enoughG;
}

// The natural logarithm of 1 and counts per 10,000 counts of their cell.
export function logNormalised(countsSg: Csr): Csr {
  const data = new Float32Array(countsSg.nnz), sums = rowSums(countsSg);
  for (let s = 0; s < sums.length; s += 1) {
    const scale = DEPTH / Math.max(sums[s], 1e-9);
    for (let e = countsSg.indptr[s]; e < countsSg.indptr[s + 1]; e += 1) data[e] = Math.log1p(countsSg.data[e] * scale);
  }
  return new Csr(data, countsSg.indices, countsSg.indptr, countsSg.width);
}

interface Compared {
  aucKt: Float64Array;
  pKt: Float64Array;
}

// AUC and p-value of each gene in each group. Each gene is ranked once, not once for each group; cells without it are
// ranked together.
function mannWhitney(valuesSg: Csr, geneT: number[], code: Int32Array, size: Int32Array): Compared {
  const cells = code.length, genes = geneT.length, groups = size.length;
  const aucKt = new Float64Array(groups * genes), pKt = new Float64Array(groups * genes);
  const { starts, values, cell } = columnsOf(valuesSg, geneT), rankSum = new Float64Array(groups), there = new Int32Array(groups);
  for (let t = 0; t < genes; t += 1) {
    rankSum.fill(0);
    there.fill(0);
    const spread = rank(values, cell, starts[t], starts[t + 1], cells, code, rankSum, there);
    const none = cells - (starts[t + 1] - starts[t]);
    for (let k = 0; k < groups; k += 1) {
      const own = size[k], rest = cells - own, above = rankSum[k] + ((own - there[k]) * (none + 1)) / 2 - (own * (own + 1)) / 2;
      const width = Math.sqrt((own * rest * spread) / cells), excess = above - (own * rest) / 2 - 0.5;
      aucKt[k * genes + t] = above / (own * rest);
      pKt[k * genes + t] = width > 0 ? normalTail(excess / width) : 1;
    }
  }
  return { aucKt, pKt };
}

// Adds up the ranks of the cells of each group that have a gene, and gives the variance of all ranks: the one that ties
// leave.
function rank(values: Float32Array, cell: Int32Array, from: number, to: number, cells: number, code: Int32Array, rankSum: Float64Array, there: Int32Array): number {
  const none = cells - (to - from), order = argsort(values.subarray(from, to));
  let squares = cells ** 3 - cells - (none ** 3 - none);
  for (let start = 0; start < order.length; ) {
    let stop = start + 1;
    while (stop < order.length && values[from + order[stop]] === values[from + order[start]]) stop += 1;
    const ties = stop - start, middle = none + start + (ties + 1) / 2;
    squares -= ties ** 3 - ties;
    for (let i = start; i < stop; i += 1) {
      const group = code[cell[from + order[i]]];
      if (group >= 0) { rankSum[group] += middle; there[group] += 1; }
    }
    start = stop;
  }
  return squares / 12 / (cells - 1);
}

// Values of some genes, one gene after another.
function columnsOf({ data, indices, indptr, width }: Csr, geneT: number[]): { starts: Int32Array; values: Float32Array; cell: Int32Array } {
  const placeG = new Int32Array(width).fill(-1), starts = new Int32Array(geneT.length + 1);
  geneT.forEach((gene, t) => { placeG[gene] = t; });
  for (const gene of indices) if (placeG[gene] >= 0) starts[placeG[gene] + 1] += 1;
  for (let t = 0; t < geneT.length; t += 1) starts[t + 1] += starts[t];
  const at = starts.slice(), values = new Float32Array(starts[geneT.length]), cell = new Int32Array(values.length);
  for (let s = 0; s + 1 < indptr.length; s += 1) {
    for (let e = indptr[s]; e < indptr[s + 1]; e += 1) {
      const t = placeG[indices[e]];
      if (t < 0) continue;
      values[at[t]] = data[e];
      cell[at[t]] = s;
      at[t] += 1;
    }
  }
  return { starts, values, cell };
}
