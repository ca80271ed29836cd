// How answers agree with curated labels: an answer is right if it is the label or one of its subtypes; an ancestor of the
// label isn't. Axis: n cells.

import { loadOntology } from "../biology/ontology.ts";
import { UNKNOWN } from "../keys.ts";

const NO_ANSWER: ReadonlySet<string> = new Set(["", UNKNOWN, "nan", "None"]);

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
  const ontology = loadOntology(), found = { right: 0, coarser: 0, wrong: 0, unanswered: 0 };
  const isAbove = (term: string, other: string): boolean => ontology.has(other) && ontology.ancestors(other).has(term);
  truthN.forEach((label, n) => {
    const answer = answerN[n];
    if (NO_ANSWER.has(label)) return;
    if (NO_ANSWER.has(answer)) found.unanswered += 1;
    else if (isAbove(label, answer)) found.right += 1;
    else if (isAbove(answer, label)) found.coarser += 1;
    else found.wrong += 1;
  });
  return found;
}
