// Cells whose answers aren't sure, with the reason of each, at the threshold that is shown.
// Axes: n cells, u those that aren't sure.

import { BETWEEN, LIKELY, reasons, REASONS } from "../annotation/reasons.ts";
import { ruleOf } from "../biology/answer_rule.ts";
import { loadOntology } from "../biology/ontology.ts";
import { shortName } from "../biology/short_names.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";

// Reason of cells that would be sure, but are called another type alone, which their name excludes.
const MOVED = "named by neighbours";
// All reasons of the page.
const EVERY: readonly string[] = [...REASONS, MOVED];
// Cells of which all is told at a time, and whose probabilities are in memory at a time.
export const MOST_ROWS = 200;
const BLOCK = 1024;

interface Looked {
  codeN: Int8Array;
  answerN: Int32Array;
  secondN: Int32Array;
}

export interface Asked {
  // The one reason whose cells are told; all if null.
  reason: string | null;
  // Number in the summary of the one type whose cells are looked at; all if null.
  of: number | null;
  // Which cells of these are told: the first, and how many.
  start: number;
  most: number;
}

// For each cell the place of its reason among all, -1 where its answer is sure and its own.
export const codes = (results: Results): Int8Array => lookedAt(results).codeN;

// The reasons with their cells, and of some cells all that is known, reason by reason, the least sure first.
export function unsure(results: Results, { reason, of, start, most }: Asked): Record<string, unknown> {
  if (reason !== null && !EVERY.includes(reason)) throw new Refusal(422, `There is no such reason. There are: ${EVERY.join(", ")}.`);
  const looked = lookedAt(results), { codeN } = looked, { scoreN, typesN } = results.shown, wanted = reason === null ? -1 : EVERY.indexOf(reason);
  const cells = new Int32Array(EVERY.length), found: number[] = [];
  for (let n = 0; n < codeN.length; n += 1) {
    const code = codeN[n];
    if (code < 0 || (of !== null && typesN[n] !== of)) continue;
    cells[code] += 1;
    if (reason === null || code === wanted) found.push(n);
  }
  found.sort((a, b) => codeN[a] - codeN[b] || scoreN[a] - scoreN[b] || a - b);
  return {
    reasons: EVERY.flatMap((name, code) => (cells[code] ? [{ reason: name, code: code + 1, cells: cells[code] }] : [])),
    cells: found.length,
    start,
    rows: found.slice(start, start + most).map((n) => row(results, n, looked)),
  };
}

// What is told of one cell; the second type only where it is the reason.
function row(results: Results, n: number, { codeN, answerN, secondN }: Looked): Record<string, unknown> {
  const reason = EVERY[codeN[n]], alone = results.alone(n), term = results.term(answerN[n]);
  return {
    position: n,
    name: results.left.names[n],
    term,
    short: shortName(term),
    score: results.shown.scoreN[n],
    second: reason === BETWEEN ? shortName(results.term(secondN[n])) : null,
    alone: alone === null ? null : shortName(alone.term),
    n_counts: results.left.nCountsN[n],
    reason,
  };
}

// Each cell's reason, answer and second best type; the last is looked for where the score is low.
function lookedAt(results: Results): Looked {
  const answerN = results.answers(), { scoreN, barredN, doubtedN, singleN } = results.shown, { left } = results;
  const low: number[] = [], secondN = new Int32Array(answerN.length).fill(-1), rule = ruleOf(results.bundle.nodes, loadOntology());
  for (let n = 0; n < answerN.length; n += 1) if (answerN[n] >= 0 && scoreN[n] < LIKELY) low.push(n);
  for (let start = 0; start < low.length; start += BLOCK) {
    const some = low.slice(start, start + BLOCK);
    const [secondS] = rule.secondBest(results.probabilities(some), some.map((n) => answerN[n]));
    some.forEach((n, s) => { secondN[n] = secondS[s]; });
  }
  const nMeasured = left.measuredG.reduce((sum, isMeasured) => sum + Number(isMeasured), 0);
  const mixedN = left.mixed === null ? null : Uint8Array.from(left.mixed.pairN, (pair) => Number(pair >= 0));
  const codeN = Int8Array.from(reasons({ answerN, scoreN, secondN, nCountsN: left.nCountsN, barredN, doubtedN, nMeasured, mixedN }));
  if (singleN !== null) {
    const between = new Map<number, boolean>(), many = results.bundle.nodes.length + 1;
    for (let n = 0; n < codeN.length; n += 1) {
      if (codeN[n] >= 0 || singleN[n] === answerN[n]) continue;
      const pair = (answerN[n] + 1) * many + singleN[n] + 1;
      if (!between.has(pair)) between.set(pair, isConflict(results.term(answerN[n]), results.term(singleN[n])));
      if (between.get(pair)) codeN[n] = EVERY.indexOf(MOVED);
    }
  }
  return { codeN, answerN, secondN };
}

// Whether of two types neither is the other or above it.
function isConflict(one: string, other: string): boolean {
  const ontology = loadOntology();
  if (!ontology.has(one) || !ontology.has(other)) return false;
  return !ontology.ancestors(one).has(other) && !ontology.ancestors(other).has(one);
}
