// Summaries among cells: sums and means of cells that stand beside them in a table. The counterpart of
// spoticell/biology/summaries.py.
//
// A name alone decides only where it can be nothing else (Total). A name that hints (lymph_avg, total_1) needs values
// that agree, and values alone decide where they are the others' sum or mean.
//
// Axes: n cells, v genes of the data set.

import { quantile } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import { reduced } from "../base/sums.ts";
import { repr } from "../base/words.ts";

// What nobody calls a cell, in lower case and without signs.
const PLAIN = new Set([
  "total", "totals", "grandtotal", "sum", "sums", "rowsum", "rowsums", "mean", "means", "rowmean", "rowmeans",
  "average", "averages", "avg", "median", "min", "max", "sd", "std", "stdev", "sem", "variance", "pseudobulk",
  "ncells", "numcells", "ncellsbycounts", "totalcounts", "log1ptotalcounts", "meancounts", "log1pmeancounts",
  "pctdropoutbycounts", "dispersions", "dispersionsnorm", "variances", "variancesnorm", "highlyvariablerank",
]);
// Words in a name that a cell may have too.
const HINTS = ["total", "sum", "mean", "average", "avg", "median", "aggregate", "aggregated", "pseudobulk"];
// Hints that cells bear as well: what is sorted is called total too.
const OF_CELLS = ["total", "sum"];
// Cosine of a cell and the sum of the others from which on it is their sum or mean.
const ALIKE = 1 - 1e-5;
// Share of cells with whole numbers only from which on those with fractions are odd.
const MOST_WHOLE = 0.9;
const FEW_CELLS = 5, FEW_GENES = 20;
const WORDS = /[A-Z]?[a-z]+|[A-Z]+/g;
// A name of so many letters is none that is plain.
const LONG = 24;

// Whether a name can only be that of a sum or a mean.
export function plainlySummary(name: string): boolean {
  if (name.length >= LONG && [...name].length >= LONG) return false;
  return PLAIN.has(name.replace(/[^\p{L}\p{N}]+/gu, "").toLowerCase());
}

// The words in a name that hint; most names are told at a glance.
function hintsIn(name: string): string[] {
  const lower = name.toLowerCase();
  if (!HINTS.some((hint) => lower.includes(hint))) return [];
  const words = (name.match(WORDS) ?? []).map((word) => word.toLowerCase());
  return HINTS.filter((hint) => words.includes(hint));
}

// Says which cells of a file from which none can be left out are called as sums and means are.
export function notesOnNames(names: string[]): string[] {
  const found = names.filter((name) => PLAIN.has(name.toLowerCase()) || hintsIn(name).some((hint) => !OF_CELLS.includes(hint)));
  if (found.length === 0 || 2 * found.length >= names.length + 1) return [];
  const many = found.length > 1, listed = found.slice(0, 4).map(repr).join(", ");
  const what = many ? "sums or means of cells, but are taken for cells" : "a sum or mean of cells, but is taken for a cell";
  return [`${listed} ${many ? "look" : "looks"} like ${what}. Take such rows out of the file.`];
}

// Which cells are sums and means of others; never all.
//
// parts: gives the values of all cells in pieces, from the first cell to the last; called twice.
export function findSummaries(names: string[], parts: () => Iterable<Csr>): Uint8Array {
  const plainN = Uint8Array.from(names, (name) => Number(plainlySummary(name)));
  const hints = names.map(hintsIn), hintedN = Uint8Array.from(hints, (words, cell) => Number(words.length > 0 && !plainN[cell]));
  // a word that most cells have is a habit
  if (2 * count(hintedN) >= names.length) hintedN.fill(0);
  const othersN = plainN.map((plain, cell) => Number(!plain && !hintedN[cell]));
  if (count(othersN) < FEW_CELLS) return count(othersN) > 0 ? plainN : plainN.fill(0);
  const seen = look(parts, othersN), fractionsN = fractions(seen, othersN), manyN = many(seen, othersN, fractionsN), sumN = isSum(seen, othersN);
  const foundN = plainN.map((plain, cell) => Number(plain || (fractionsN[cell] && manyN[cell]) || sumN[cell]));
  for (const hint of HINTS) {
    const having = [...names.keys()].filter((cell) => hintedN[cell] && hints[cell].includes(hint));
    const agreeing = having.filter((cell) => fractionsN[cell] || manyN[cell] || sumN[cell]);
    if (having.length > 0 && agreeing.length / having.length >= 1 / 2) for (const cell of having) foundN[cell] = 1;
  }
  return foundN;
}

const count = (maskN: Uint8Array): number => maskN.reduce((sum, one) => sum + one, 0);

// What was seen of each cell.
interface Seen {
  genesN: Int32Array;
  wholeN: Uint8Array;
  // Cosine with the sum of the other cells.
  alikeN: Float64Array;
}

// Whether a cell is the sum or mean of the others; nothing where they are all alike.
function isSum(seen: Seen, othersN: Uint8Array): Uint8Array {
  const usual = quantile(seen.alikeN.filter((_, cell) => othersN[cell]), 0.9) < 1 - 1e-3;
  return othersN.map((_, cell) => Number(usual && seen.alikeN[cell] >= ALIKE && seen.genesN[cell] >= FEW_GENES));
}

// Whether a cell has fractions among counts.
function fractions(seen: Seen, othersN: Uint8Array): Uint8Array {
  const counts = count(seen.wholeN.filter((_, cell) => othersN[cell])) / count(othersN) >= MOST_WHOLE;
  return othersN.map((_, cell) => Number(counts && !seen.wholeN[cell]));
}

// Whether a cell has more genes than any cell.
function many(seen: Seen, othersN: Uint8Array, fractionsN: Uint8Array): Uint8Array {
  const most = seen.genesN.reduce((most, genes, cell) => (othersN[cell] && !fractionsN[cell] ? Math.max(most, genes) : most), 0);
  return othersN.map((_, cell) => Number(seen.genesN[cell] >= 1.1 * most));
}

// Sums up the cells that may be cells, then compares each with their sum.
function look(parts: () => Iterable<Csr>, othersN: Uint8Array): Seen {
  const n = othersN.length, totalV = totals(parts, othersN);
  const genesN = new Int32Array(n), wholeN = new Uint8Array(n), alongN = new Float64Array(n), ownN = new Float64Array(n);
  let start = 0;
  for (const partNv of parts()) {
    const squareE = new Float64Array(partNv.data);
    for (let e = 0; e < squareE.length; e += 1) squareE[e] *= squareE[e];
    for (let row = 0; row < partNv.height; row += 1) {
      const from = partNv.indptr[row], to = partNv.indptr[row + 1], cell = start + row;
      let along = 0, whole = 1;
      for (let e = from; e < to; e += 1) {
        along += partNv.data[e] * totalV[partNv.indices[e]];
        if (!Number.isInteger(partNv.data[e])) whole = 0;
      }
      [genesN[cell], wholeN[cell], alongN[cell], ownN[cell]] = [to - from, whole, along, reduced(squareE, from, to)];
    }
    start += partNv.height;
  }
  const all = totalV.reduce((sum, total) => sum + total * total, 0);
  const alikeN = alongN.map((along, cell) => {
    const own = ownN[cell], rest = all - (othersN[cell] ? 2 * along - own : 0);
    return noNan((along - (othersN[cell] ? own : 0)) / Math.sqrt(Math.max(rest, 0) * own));
  });
  return { genesN, wholeN, alikeN };
}

// The sum of those that may be cells, each part in single precision.
function totals(parts: () => Iterable<Csr>, othersN: Uint8Array): Float64Array {
  let start = 0, totalV = new Float64Array(0);
  for (const partNv of parts()) {
    const partV = new Float32Array(partNv.width);
    if (totalV.length === 0) totalV = new Float64Array(partNv.width);
    for (let row = 0; row < partNv.height; row += 1) {
      if (!othersN[start + row]) continue;
      for (let e = partNv.indptr[row]; e < partNv.indptr[row + 1]; e += 1) partV[partNv.indices[e]] += partNv.data[e];
    }
    for (let v = 0; v < totalV.length; v += 1) totalV[v] += partV[v];
    start += partNv.height;
  }
  return totalV;
}

// np.nan_to_num
function noNan(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
