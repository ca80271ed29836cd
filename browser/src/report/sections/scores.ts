// How sure the answers are: the histogram of scores, and why cells are unknown.

import type { Annotation } from "../../annotation/result.ts";
import { median } from "../../base/arrays.ts";

const BINS = 20;
// Score from which on the page calls an answer sure.
const SURE = 0.9;

export function scores(annotation: Annotation) {
  const own = annotation.scoreN.filter((_, n) => annotation.answerN[n] >= 0), total = annotation.answerN.length;
  const cells = new Int32Array(BINS);
  for (const score of own) cells[binOf(score)] += 1;
  return {
    total,
    named: own.length,
    unknown: total - own.length,
    sure: own.filter((score) => score >= Math.fround(SURE)).length,
    median: own.length ? median(own) : null,
    least: annotation.leastScore,
    bars: Array.from(cells, (count, bin) => ({ low: bin / BINS, high: (bin + 1) / BINS, cells: count })),
    tallest: Math.max(1, ...cells),
    // as Python's dictionary gives them
    reasons: { items: () => [...annotation.whyUnknown()] },
  };
}

// As NumPy's histogram: a score on an edge is of the higher bin, but 1 of the last.
function binOf(score: number): number {
  let bin = Math.min(Math.floor(score * BINS), BINS - 1);
  if (score < bin / BINS) bin -= 1;
  else if (bin < BINS - 1 && score >= (bin + 1) / BINS) bin += 1;
  return bin;
}
