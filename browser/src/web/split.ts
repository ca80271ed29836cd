// Genes by type and by the values of a column: how many cells of each have a gene, and how much of it.
// Axes: n cells, t types that are told, v values that are told.

import { argsort, bincount } from "../base/arrays.ts";
import { round } from "../base/rounding.ts";
import { categoryColumn } from "./changes.ts";
import { genesMeant } from "./expression.ts";
import type { Results } from "./results.ts";

// Types and values that are told, those of most cells; more don't make a plot that can be read.
const MOST_TYPES = 12, MOST_VALUES = 6;

// Share and mean of genes in the cells of each type and value, and what is left out.
export function split(results: Results, texts: string[], place: number, keptN: ArrayLike<number>): Record<string, unknown> {
  const { names, codeN } = categoryColumn(results, place), { typesN } = results.shown, n = results.nCells;
  const cellsT = counted(typesN, keptN, results.nTypes), cellsV = counted(codeN, keptN, names.length);
  const types = commonest(cellsT, MOST_TYPES), values = commonest(cellsV, MOST_VALUES).sort((a, b) => a - b);
  const rowT = places(types), columnV = places(values), placeN = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i += 1) {
    const row = rowT[typesN[i]], column = columnV[codeN[i]];
    if (keptN[i] && row >= 0 && column >= 0) placeN[i] = row * values.length + column;
  }
  const size = types.length * values.length, cells = bincount(placeN.filter((at) => at >= 0), size);
  const means = (levelN: ArrayLike<number>): number[][] => {
    const sums = new Float64Array(size);
    for (let i = 0; i < n; i += 1) if (placeN[i] >= 0) sums[placeN[i]] += levelN[i];
    return rows(Array.from(sums, (sum, at) => round(sum / Math.max(cells[at], 1), 4)), types.length, values.length);
  };
  const { meant, unknown } = genesMeant(results, texts);
  const genes = [...meant].map(([g, words]) => {
    const levelN = results.levelsOf(g);
    return { ...words, share: means(Uint8Array.from(levelN, (level) => Number(level > 0))), mean: means(levelN) };
  });
  const different = (cells: Int32Array): number => cells.reduce((sum, one) => sum + Number(one > 0), 0);
  return {
    types,
    values: values.map((value) => names[value]),
    cells: rows(Array.from(cells), types.length, values.length),
    types_left_out: different(cellsT) - types.length,
    values_left_out: different(cellsV) - values.length,
    genes,
    unknown,
  };
}

// Cells that are kept of each code below a number.
function counted(codeN: Uint16Array, keptN: ArrayLike<number>, nCodes: number): Int32Array {
  const cells = new Int32Array(nCodes);
  for (let n = 0; n < codeN.length; n += 1) if (keptN[n] && codeN[n] < nCodes) cells[codeN[n]] += 1;
  return cells;
}

const commonest = (cells: Int32Array, most: number): number[] =>
  Array.from(argsort(cells.map((one) => -one))).filter((code) => cells[code] > 0).slice(0, most);

// The place of each code among some codes, -1 where it is none of them.
function places(codes: number[]): Int32Array {
  const place = new Int32Array(65536).fill(-1);
  codes.forEach((code, at) => { place[code] = at; });
  return place;
}

const rows = (values: number[], height: number, width: number): number[][] =>
  Array.from({ length: height }, (_, row) => values.slice(row * width, (row + 1) * width));
