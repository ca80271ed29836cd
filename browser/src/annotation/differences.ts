// How the shares of types differ between the samples of two conditions.
//
// A sample counts once, however many cells it has: cells of one sample aren't independent. Shares are compared as in
// propeller (Phipson et al. 2022, https://doi.org/10.1093/bioinformatics/btac582): their arcsine square roots, whose
// variance hardly depends on the share, in a t test; here in Welch's, which lets each condition vary in its own way.
// p-values are adjusted for the number of types after Benjamini and Hochberg 1995. The interval of a difference is
// Welch's too, of the shares as they are, so that it can be read in percent.
// Axes: s samples, t types.

import { compare } from "../base/text.ts";
import { falseDiscovery, studentBound, studentTails } from "../base/stats.ts";
import { comma, percent as written, repr } from "../base/words.ts";
import { loadOntology, TOO_GENERAL } from "../biology/ontology.ts";
import { UNKNOWN } from "../keys.ts";
import { CONFIDENCE, interval, type Composition } from "./composition.ts";

export const METHOD =
  "Welch's t test on arcsine square roots of the shares of samples (as in propeller, Phipson et al. 2022); " +
  "q after Benjamini and Hochberg";
// Samples that each condition needs for a test.
export const FEWEST_SAMPLES = 3;
// A type with fewer cells in all isn't tested.
export const FEWEST_CELLS = 10;
// Change of a type's share from which on it is worth asking whether other cells have come or the same have changed.
export const LARGE = 0.05;
// How often the larger share must hold the smaller one for that.
export const TIMES = 2;
// Most types that a broader type may have for its cells to be of one kind, which can change into each other.
export const KIN = 200;
// q up to which a change isn't taken for chance.
export const SURE = 0.05;

export interface DifferenceRow {
  cell_type: string;
  term: string;
  cells: number;
  // The conditions.
  first: string;
  second: string;
  // Means over their samples, and second less first.
  share_first: number;
  share_second: number;
  difference: number;
  // Its 95 % interval.
  low: number;
  high: number;
  // NaN where there is no test.
  p: number;
  q: number;
}

// The types of two conditions beside each other.
export class Differences {
  constructor(
    // The first and the second; others, where that isn't two.
    readonly conditions: string[],
    // How many samples of each.
    readonly samples: number[],
    // A row for each type, the clearest difference first. A type's cells are those of its subtypes too.
    readonly table: DifferenceRow[],
    // What to bear in mind.
    readonly notes: string[],
    // Terms of the types that the last of the notes are about: their cells may be in another state.
    readonly states: string[] = [],
  ) {}

  // Whether there are samples enough to tell a difference from chance.
  get tested(): boolean {
    return this.samples.length === 2 && Math.min(...this.samples) >= FEWEST_SAMPLES;
  }

  // The same as plain values, without the table.
  record(): Record<string, unknown> {
    return { conditions: this.conditions, n_samples: this.samples, method: this.tested ? METHOD : null };
  }
}

// The samples of one condition: cells of each type, row by row, and of all types.
interface Side {
  cells: number[][];
  total: number[];
}

// Compares the shares of types between the samples of two conditions. Samples without a condition are left out. With other
// than two conditions there is nothing to compare, with fewer than three samples of one there is no test; a note says so.
export function differences(composition: Composition): Differences {
  const conditions = [...new Set(composition.conditions)].filter(Boolean), { totalS } = composition;
  const samples = conditions.map((condition) => composition.conditions.filter((one) => one === condition).length);
  if (conditions.length !== 2) {
    const found = conditions.map(repr).join(", ") || "none";
    const note = `two conditions are compared, and the samples have ${conditions.length} (${found}): there is no comparison.`;
    return new Differences(conditions, samples, [], [note]);
  }
  const [terms, cellsSt] = withSubtypes(composition);
  const sides = conditions.map((condition): Side => {
    const rows = composition.samples.flatMap((_, s) => (composition.conditions[s] === condition ? [s] : []));
    return { cells: rows.map((s) => cellsSt[s]), total: rows.map((s) => totalS[s]) };
  });
  const shares = sides.map((side) => terms.map((_, t) => side.cells.map((row, s) => row[t] / side.total[s])));
  const tested = Math.min(...samples) >= FEWEST_SAMPLES, cellsT = terms.map((_, t) => cellsSt.reduce((sum, row) => sum + row[t], 0));
  const tests = terms.map((_, t): [number, number, number] => (tested && cellsT[t] >= FEWEST_CELLS ? welch(shares[0][t], shares[1][t]) : [NaN, NaN, NaN]));
  const q = adjusted(tests.map(([p]) => p));
  const sure = terms.map((_, t) => (tested ? q[t] <= SURE : apart(sides, t)));
  const changed = changes(composition, terms, sure, conditions), notes = [...changed.values()];
  if (!tested) {
    const said = conditions.map((condition, at) => `${repr(condition)} has ${comma(samples[at])}`).join(" and ");
    notes.unshift(`no difference is tested: each condition needs ${FEWEST_SAMPLES} samples, and ${said}.`);
  }
  const rows = terms.map((term, t): DifferenceRow => {
    const [one, two] = [mean(shares[0][t]), mean(shares[1][t])], [p, low, high] = tests[t];
    const told = { cell_type: nameOf(term), term, cells: cellsT[t], first: conditions[0], second: conditions[1] };
    return { ...told, share_first: one, share_second: two, difference: two - one, low, high, p, q: q[t] };
  });
  return new Differences(conditions, samples, clearestFirst(rows), notes, [...changed.keys()]);
}

function clearestFirst(rows: DifferenceRow[]): DifferenceRow[] {
  const p = ({ p: value }: DifferenceRow) => (Number.isNaN(value) ? Infinity : value);
  return rows.sort((a, b) => (p(a) === p(b) ? 0 : p(a) - p(b)) || Math.abs(b.difference) - Math.abs(a.difference) || compare(a.cell_type, b.cell_type));
}

// The cells of each answer and each broad type with those of their subtypes, so that it makes no difference whether the
// cells of a shallow sample have broader answers. A broad type that has the same cells as one answer is left out.
function withSubtypes(composition: Composition): [string[], number[][]] {
  const ontology = loadOntology(), answers = composition.terms.slice(0, -1), width = composition.terms.length;
  const broad = [...new Set(answers.map((answer) => ontology.broad(answer)))].filter((term) => term !== UNKNOWN && !answers.includes(term));
  const own = composition.samples.map((_, s) => Array.from(composition.cellsSt.subarray(s * width, (s + 1) * width)));
  const cellsOf = (term: string) => own.map((row) => answers.reduce((sum, answer, t) => sum + (ontology.ancestors(answer).has(term) ? row[t] : 0), 0));
  const ofAnswers = answers.map(cellsOf);
  const same = (one: number[], other: number[]) => one.every((cells, s) => cells === other[s]);
  const kept = broad.map((term) => [term, cellsOf(term)] as const).filter(([, cells]) => !ofAnswers.some((answer) => same(answer, cells)));
  const columns = [...ofAnswers, ...kept.map(([, cells]) => cells), own.map((row) => row[width - 1])];
  return [[...answers, ...kept.map(([term]) => term), UNKNOWN], composition.samples.map((_, s) => columns.map((column) => column[s]))];
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

// The p-value of a type, and the bounds of the difference of its shares; NaN where they are the same in all samples of
// each condition.
function welch(first: number[], second: number[]): [number, number, number] {
  const vary = [first, second].some((values) => Math.max(...values) > Math.min(...values));
  if (!vary) return [NaN, NaN, NaN];
  const turned = (values: number[]) => values.map((share) => Math.asin(Math.sqrt(share)));
  const test = student(turned(second), turned(first)), plain = student(second, first), bound = studentBound(1 - CONFIDENCE, plain.freedom) * plain.error;
  return [studentTails(test.difference / test.error, test.freedom), plain.difference - bound, plain.difference + bound];
}

function student(one: number[], two: number[]): { difference: number; error: number; freedom: number } {
  const [a, b] = [one, two].map((values) => values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length);
  return { difference: mean(one) - mean(two), error: Math.sqrt(a + b), freedom: (a + b) ** 2 / (a ** 2 / (one.length - 1) + b ** 2 / (two.length - 1)) };
}

function adjusted(p: number[]): number[] {
  const there = p.flatMap((value, t) => (Number.isNaN(value) ? [] : [t])), found = falseDiscovery(there.map((t) => p[t]));
  const q = p.map(() => NaN);
  there.forEach((t, at) => { q[t] = found[at]; });
  return q;
}

// Whether neither the shares of a type in samples of two conditions overlap nor the intervals of all their cells.
function apart(sides: Side[], t: number): boolean {
  const [[lowA, highA], [lowB, highB]] = sides.map(({ cells, total }) => {
    const sum = (values: number[]) => values.reduce((all, value) => all + value, 0), shares = cells.map((row, s) => row[t] / total[s]);
    const [low, high] = interval(sum(cells.map((row) => row[t])), sum(total));
    return [Math.min(low, ...shares), Math.max(high, ...shares)];
  });
  return highA < lowB || highB < lowA;
}

// Of which types cells may have changed rather than come or gone: a type's share moves, that of its kin stays. A stimulus
// changes genes that types are told by, and a cell then gets the name of a type near its own.
function changes(composition: Composition, terms: string[], sure: boolean[], conditions: string[]): Map<string, string> {
  const ontology = loadOntology(), answers = composition.terms.slice(0, -1), width = composition.terms.length, { sharesSt } = composition;
  const own = conditions.map((condition) => {
    const rows = composition.samples.flatMap((_, s) => (composition.conditions[s] === condition ? [s] : []));
    return answers.map((_, t) => mean(rows.map((s) => sharesSt[s * width + t])));
  });
  const shareOf = (term: string) => own.map((shares) => shares.reduce((sum, share, t) => sum + (ontology.ancestors(answers[t]).has(term) ? share : 0), 0));
  const found = new Map<string, [number, string, string]>();
  terms.slice(0, -1).forEach((term, t) => {
    const [first, second] = shareOf(term), moved = Math.abs(second - first);
    if (!sure[t] || moved < LARGE || Math.max(first, second) < TIMES * Math.min(first, second)) return;
    let kin: string | null = null, stayed: number[] = [], least = Infinity;
    for (const one of kinOf(term)) {
      const shares = shareOf(one), step = Math.abs(shares[0] - shares[1]);
      if (step < least) [kin, stayed, least] = [one, shares, step];
    }
    if (kin === null || least > moved / 2) return;
    const shares = [first, second, ...stayed].map(percent);
    const sentence =
      `${nameOf(term)} has ${shares[0]} of the cells of ${repr(conditions[0])} and ${shares[1]} of ` +
      `${repr(conditions[1])}, but ${nameOf(kin)} with all its types has ${shares[2]} and ${shares[3]}. The same ` +
      "cells may be in another state, and so have the name of a type near their own. Look at marker genes " +
      "before you believe in other cells.";
    const before = found.get(kin), entry: [number, string, string] = [moved, sentence, term];
    if (before === undefined || compareEntries(entry, before) > 0) found.set(kin, entry);
  });
  return new Map([...found.values()].sort((a, b) => compareEntries(b, a)).map(([, sentence, term]) => [term, sentence]));
}

const compareEntries = (a: [number, string, string], b: [number, string, string]): number => a[0] - b[0] || compare(a[1], b[1]) || compare(a[2], b[2]);

// A share as the page writes it, so that a sentence and a table say the same.
function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1%";
  return written(share, share < 0.1 || (share > 0.99 && share < 1) ? 1 : 0).replace(".0%", "%");
}

// The broader types of a type whose cells are of one kind, nearest first.
function kinOf(term: string): string[] {
  const ontology = loadOntology(), above = [...ontology.ancestors(term)].filter((one) => one !== term && !TOO_GENERAL.has(one)).sort(compare);
  const sizes = new Map(ontology.descendants(above).map((size, at) => [above[at], size]));
  return above.filter((kin) => sizes.get(kin)! <= KIN).sort((a, b) => sizes.get(a)! - sizes.get(b)!);
}

const nameOf = (term: string): string => (term === UNKNOWN ? UNKNOWN : loadOntology().name(term));
