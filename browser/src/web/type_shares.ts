// The share of a type among the cells of each sample, with its interval.
// Axis: n cells.

import { interval } from "../annotation/composition.ts";
import { categoryColumn } from "./changes.ts";
import { MISSING } from "./columns.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";
import { ofTypes } from "./selection.ts";

const NOT_TOLD = "This run wasn't told which column says from which sample each cell is. Give one of the list of columns.";

// How many of the cells of each sample are of a type, or of several together, by their numbers; samples are the values of
// a column, or those of the run if it is null.
export function shares(results: Results, types: number[], column: number | null, keptN: ArrayLike<number>): Record<string, unknown> {
  const { names, sampleN } = samplesOf(results, column), isMember = ofTypes(results, types);
  const totals = new Int32Array(names.length), own = new Int32Array(names.length);
  let without = 0;
  for (let n = 0; n < isMember.length; n += 1) {
    if (!keptN[n]) continue;
    const sample = sampleN[n];
    if (sample < 0 || sample === MISSING) {
      without += 1;
      continue;
    }
    totals[sample] += 1;
    own[sample] += isMember[n];
  }
  const samples = names.flatMap((name, s) => {
    if (!totals[s]) return [];
    const [low, high] = interval(own[s], totals[s]);
    return [{ name, cells: own[s], total: totals[s], share: own[s] / totals[s], low, high }];
  });
  return { samples, without };
}

// The names of the samples, and the place of each cell's; -1 or MISSING where there is none.
function samplesOf(results: Results, column: number | null): { names: readonly string[]; sampleN: ArrayLike<number> } {
  if (column !== null) {
    const { names, codeN } = categoryColumn(results, column);
    return { names, sampleN: codeN };
  }
  const { samples } = results.left;
  if (samples === null) throw new Refusal(422, NOT_TOLD);
  return samples;
}
