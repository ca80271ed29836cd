// What a column of the reader's labels means, and how the answers agree with it by the ontology.
// Axis: n cells.

import { NO_ANSWER, verdictOf, verdicts } from "../annotation/figures.ts";
import { strip } from "../base/text.ts";
import { words } from "../biology/columns.ts";
import { closestNames, meaningsOf } from "../biology/everyday.ts";
import { harmonise } from "../biology/labels.ts";
import { loadOntology } from "../biology/ontology.ts";
import { categoryColumn } from "./changes.ts";
import { MISSING } from "./columns.ts";
import type { Results } from "./results.ts";
import { namedTerms } from "./summary.ts";

// Share of the labelled cells whose label must be understood for a figure of agreement.
const ENOUGH = 0.8;
// Labels that are named, and names that are near each.
const TOLD = 20, NEAR = 3;

// Which labels of a column are understood as types, and how the answers agree with them.
export function against(results: Results, place: number, keptN: ArrayLike<number>): Record<string, unknown> {
  const { names, codeN } = categoryColumn(results, place), answerN = results.answers(), codes: number[] = [], terms: string[] = [];
  for (let n = 0; n < codeN.length; n += 1) {
    if (!keptN[n]) continue;
    codes.push(codeN[n] === MISSING ? -1 : codeN[n]);
    terms.push(results.term(answerN[n]));
  }
  const labels = harmonise(words({ kind: "category", codes: Int32Array.from(codes), categories: names }), ""), unresolved = [...labels.unresolved];
  const understood = labels.nUnderstood, labelled = understood + unresolved.reduce((sum, [, cells]) => sum + cells, 0);
  const isEnough = labelled > 0 && understood >= ENOUGH * labelled;
  return {
    labelled,
    understood,
    unlabelled: labels.nUnlabelled,
    enough: ENOUGH,
    not_understood: unresolved.slice(0, TOLD).map(([label, cells]) => told(label, cells, names)),
    more: Math.max(unresolved.length - TOLD, 0),
    agreement: isEnough ? verdicts(labels.termN, terms) : null,
    otherwise: otherwise(names, codes, labels.termN, terms),
  };
}

// The values of a column whose cells are named another type than theirs, those with most such cells first.
function otherwise(names: readonly string[], codes: readonly number[], labels: readonly string[], terms: readonly string[]): Record<string, unknown>[] {
  const meant = new Map<number, string>(), cells = new Map<number, number>(), others = new Map<number, Map<string, number>>();
  codes.forEach((code, n) => {
    if (NO_ANSWER.has(labels[n])) return;
    meant.set(code, labels[n]);
    cells.set(code, (cells.get(code) ?? 0) + 1);
    if (verdictOf(labels[n], terms[n]) !== "wrong") return;
    const own = others.get(code) ?? new Map<string, number>();
    others.set(code, own.set(terms[n], (own.get(terms[n]) ?? 0) + 1));
  });
  const named = (term: string) => namedTerms([term], loadOntology())[0];
  const rows = [...others].map(([value, own]) => ({
    value,
    label: names[value],
    meant: named(meant.get(value)!),
    cells: cells.get(value)!,
    other: [...own.values()].reduce((sum, n) => sum + n, 0),
    // of answers that are as common the order is that of their terms
    answers: [...own].sort(([one, n], [two, m]) => m - n || (one < two ? -1 : 1)).map(([term, n]) => ({ ...named(term), cells: n })),
  }));
  return rows.sort((one, two) => two.other - one.other || one.value - two.value).slice(0, TOLD);
}

// A label that isn't understood: its cells, its places in the column, and what it may mean or is near to.
function told(label: string, cells: number, names: string[]): Record<string, unknown> {
  return {
    label,
    cells,
    values: names.flatMap((name, place) => (strip(name) === label ? place : [])),
    ambiguous: meaningsOf(label).length > 0,
    near: closestNames([...label].slice(0, 100).join(""), [], NEAR),
  };
}
