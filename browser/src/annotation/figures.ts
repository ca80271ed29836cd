// How answers agree with curated labels: an answer is right if it is the label or one of its subtypes; an ancestor of the
// label isn't. Axis: n cells.

import { loadOntology } from "../biology/ontology.ts";
import { UNKNOWN } from "../keys.ts";

export const NO_ANSWER: ReadonlySet<string> = new Set(["", UNKNOWN, "nan", "None"]);

export interface Verdicts {
  // The label, or a subtype of it.
  right: number;
  // A type above it.
  coarser: number;
  // Any other.
  wrong: number;
  unanswered: number;
}

// Counts the labelled cells by what their answers are worth; `truthN` and `answerN` are Cell Ontology terms.
export function verdicts(truthN: readonly string[], answerN: readonly string[]): Verdicts {
  const found = { right: 0, coarser: 0, wrong: 0, unanswered: 0 };
  truthN.forEach((label, n) => { if (!NO_ANSWER.has(label)) found[verdictOf(label, answerN[n])] += 1; });
  return found;
}

// What one answer is worth beside a label.
export function verdictOf(label: string, answer: string): keyof Verdicts {
  const ontology = loadOntology();
  const isAbove = (term: string, other: string): boolean => ontology.has(other) && ontology.ancestors(other).has(term);
  if (NO_ANSWER.has(answer)) return "unanswered";
  if (isAbove(label, answer)) return "right";
  return isAbove(answer, label) ? "coarser" : "wrong";
}
