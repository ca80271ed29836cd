// Genes by type: how many cells of each type have a gene, how much of it, and how that is spread.
//
// Log-normalised is the logarithm of one more than the counts of a cell that is scaled to 10,000 counts.
// Axes: n cells, t types, the unknown the last.

import { round } from "../base/rounding.ts";
import { round4, type Results } from "./results.ts";

// Equal steps of a spread.
const STEPS = 32;

type Kept = ArrayLike<number>;

export interface GeneWords {
  symbol: string;
  id: string;
}

export interface GeneByType extends GeneWords {
  share: number[];
  mean: number[];
}

// Share and mean in each type of the genes that texts name, over the cells that are kept; and other texts.
export function expression(results: Results, texts: string[], keptN: Kept): { genes: GeneByType[]; unknown: string[]; cells: number[] } {
  const typeN = typeOfEach(results), types = results.nTypes + 1, { meant, unknown } = genesMeant(results, texts);
  const cells = Array<number>(types).fill(0);
  for (let n = 0; n < typeN.length; n += 1) if (keptN[n]) cells[typeN[n]] += 1;
  const genes = [...meant].map(([g, words]) => {
    const levelN = results.levelsOf(g), seen = new Float64Array(types), sum = new Float64Array(types);
    for (let n = 0; n < typeN.length; n += 1) {
      if (!keptN[n] || !(levelN[n] > 0)) continue;
      seen[typeN[n]] += 1;
      sum[typeN[n]] += levelN[n];
    }
    const means = (totals: Float64Array): number[] => Array.from(totals, (total, t) => round(total / Math.max(cells[t], 1), 4));
    return { ...words, share: means(seen), mean: means(sum) };
  });
  return { genes, unknown, cells };
}

// Symbol and id of each gene that texts name, by its position, and the texts that name none.
export function genesMeant(results: Results, texts: string[]): { meant: Map<number, GeneWords>; unknown: string[] } {
  const meant = new Map<number, GeneWords>(), unknown: string[] = [], { symbols, ids } = results.bundle.vocabulary;
  for (const text of new Set(texts)) {
    const g = results.gene(text);
    if (g === null) unknown.push(text);
    else meant.set(g, { symbol: symbols[g], id: ids[g] });
  }
  return { meant, unknown };
}

// How a gene is spread over the cells of each type that have it, of those that are kept.
export function spread(results: Results, g: number, keptN: Kept): { symbol: string; most: number; cells: number[][] } {
  const levelN = results.levelsOf(g), typeN = typeOfEach(results);
  let most = 0;
  for (let n = 0; n < levelN.length; n += 1) if (keptN[n] && levelN[n] > most) most = levelN[n];
  const cells = Array.from({ length: results.nTypes + 1 }, () => Array<number>(STEPS).fill(0)), scale = STEPS / Math.max(most, 1e-30);
  for (let n = 0; n < levelN.length; n += 1) {
    if (keptN[n] && levelN[n] > 0) cells[typeN[n]][Math.min(Math.trunc(levelN[n] * scale), STEPS - 1)] += 1;
  }
  return { symbol: results.bundle.vocabulary.symbols[g], most: round4(most), cells };
}

// The number of each cell's type; of the unknown the one after the last.
function typeOfEach(results: Results): Uint16Array {
  const unknown = results.nTypes;
  return results.shown.typesN.map((type) => Math.min(type, unknown));
}
