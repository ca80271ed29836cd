// Which of several matrices is used: the one that holds most, and of those that hold the same the exact one.
// What a matrix is called only breaks ties: people store counts of the most variable genes, of half of the cells or of
// nothing under the best of names.

import type { CountsVerdict } from "../biology/counts.ts";
import { comma, percent } from "../base/words.ts";

// Matrices whose numbers of values differ less than this hold the same.
export const SAME = 0.98;
// A matrix of exact counts gives way to one from which this can be had if it holds less than this share of it.
const MUCH_FULLER = { counts: 0.9, proportions: 0.5 };
// What was filled in has values in more than this share of cells and genes, and is no fuller for it.
const FILLED = 0.5;

// A matrix from which counts can be had.
export class Candidate {
  constructor(
    readonly matrix: string,
    readonly verdict: CountsVerdict,
    // Counts above zero in known genes, over all cells.
    readonly nValues: number,
    // The same as a share of all cells and known genes.
    readonly filled: number,
  ) {}

  // Whether its counts are those that were counted.
  get exact(): boolean {
    return this.verdict.exact && this.verdict.recovers === "counts";
  }
}

// Choose one of at least one matrix, likeliest names first; of equal ones the first.
export function bestOf(candidates: readonly Candidate[]): Candidate {
  const exact = candidates.filter((candidate) => candidate.exact), inexact = candidates.filter((candidate) => !candidate.exact);
  if (!exact.length) return fullest(inexact);
  const best = fullest(exact), fuller = inexact.filter((one) => muchFuller(one, best));
  return fuller.length ? fullest(fuller) : best;
}

function muchFuller(inexact: Candidate, best: Candidate): boolean {
  return inexact.filled < FILLED && best.nValues < MUCH_FULLER[inexact.verdict.recovers] * inexact.nValues;
}

// Say why a matrix that would serve isn't the one that is used.
export function whyNot(other: Candidate, chosen: Candidate): string {
  if (other.nValues >= SAME * chosen.nValues) return other.verdict.evidence;
  const share = other.nValues / Math.max(chosen.nValues, 1), empty = other.verdict.nEmpty - chosen.verdict.nEmpty;
  const cells = empty > 0 ? `, and ${comma(empty)} of its cells are empty` : "";
  return `it holds ${percent(share)} of the counts above zero that ${chosen.matrix} holds${cells}.`;
}

function fullest(candidates: readonly Candidate[]): Candidate {
  const most = Math.max(...candidates.map((candidate) => candidate.nValues));
  const full = candidates.filter((one) => one.nValues >= SAME * most);
  return full.reduce((best, one) => (plainness(one) < plainness(best) ? one : best));
}

function plainness(candidate: Candidate): number {
  const place = ["counts", "fractional counts"].indexOf(candidate.verdict.kind);
  return place < 0 ? 2 : place;
}
