// Which types a set of cells has: counts in two levels, and what the table of types shows of them.
// Objects for templates have the names that Python's have.

import type { Annotation } from "../../annotation/result.ts";
import { argsort, bincount, median } from "../../base/arrays.ts";
import { joined } from "../../base/joined.ts";
import { loadOntology } from "../../biology/ontology.ts";
import { GREY } from "../../biology/palette.ts";
import { shortName } from "../../biology/short_names.ts";
import { UNKNOWN } from "../../keys.ts";

// Types that are in the table at once; the rarer ones open on request.
const SHOWN = 30;

// The cells of one type; its number is its place among all types by their cells, from 1.
export interface TypeRow {
  number: number;
  answer: number;
  term: string;
  name: string;
  color: string;
  cells: number;
  median_score: number;
  short: string;
  scores: Float32Array;
}

// The cells of one broad type; its term is "unknown" where the types have none above them.
export interface Lineage {
  term: string;
  name: string;
  short: string;
  color: string;
  rows: TypeRow[];
  cells: number;
  median_score: number;
  // The type of all its cells, where that is the broad type itself.
  alone: TypeRow | null;
}

// A piece of a bar of all cells; `full` is what the name is short for, if it is.
export interface Part {
  name: string;
  cells: number;
  color: string;
  full: string;
}

interface Group {
  lineage: Lineage;
  shown: TypeRow[];
  rare: Lineage | null;
}

// Counts cells by broad type and by type, most first; cells without a type are left out.
export function compose(annotation: Annotation): Lineage[] {
  const { answerN, scoreN, nodes } = annotation;
  const known = answerN.filter((answer) => answer >= 0);
  const cells = bincount(known, nodes.length);
  const order = argsort(Float64Array.from(cells, (count) => -count)).slice(0, cells.filter(Boolean).length);
  const scores = new Map([...order].map((answer) => [answer, new Float32Array(cells[answer])]));
  const filled = new Int32Array(nodes.length);
  for (let n = 0; n < answerN.length; n += 1) if (answerN[n] >= 0) scores.get(answerN[n])![filled[answerN[n]]++] = scoreN[n];
  const byBroad = new Map<string, TypeRow[]>();
  order.forEach((answer, place) => {
    const term = nodes[answer], own = scores.get(answer)!;
    const row = { number: place + 1, answer, term, name: annotation.names[answer], color: annotation.colors.of(term), cells: own.length, median_score: median(own), short: shortName(term), scores: own };
    const broad = loadOntology().broadLevel(term);
    byBroad.set(broad, [...(byBroad.get(broad) ?? []), row]);
  });
  const lineages = [...byBroad].map(([broad, rows]) =>
    (broad === UNKNOWN ? lineageOf(broad, "other types", rows, rows[0].color) : lineageOf(broad, loadOntology().name(broad), rows, annotation.colors.of(broad))));
  return lineages.sort((one, other) => other.cells - one.cells);
}

function lineageOf(term: string, name: string, rows: TypeRow[], color: string): Lineage {
  const scores = joined(Float32Array, rows.map((row) => row.scores));
  const alone = rows.length === 1 && rows[0].term === term ? rows[0] : null;
  return { term, name, short: term === UNKNOWN ? name : shortName(term), color, rows, cells: scores.length, median_score: median(scores), alone };
}

// Settles what is in the table of types; the rarest ones are summed, and listed apart.
export function typeTable(lineages: Lineage[], annotation: Annotation) {
  const rare = rareTypes(lineages);
  const groups = lineages.map((lineage) => groupOf(lineage, rare));
  return {
    groups,
    total: annotation.answerN.length,
    unknown: annotation.answerN.filter((answer) => answer < 0).length,
    longest: lineages.length ? Math.max(...lineages.map(({ cells }) => cells)) : 1,
    unknown_color: GREY,
    n_rare: groups.reduce((sum, group) => sum + (group.rare?.rows.length ?? 0), 0),
  };
}

function groupOf(lineage: Lineage, rare: Set<number>): Group {
  const rest = lineage.rows.filter((row) => rare.has(row.number));
  return {
    lineage,
    shown: lineage.alone ? [] : lineage.rows.filter((row) => !rare.has(row.number)),
    rare: rest.length ? lineageOf(lineage.term, lineage.name, rest, lineage.color) : null,
  };
}

// Numbers of the types to sum: beyond the commonest, neither first nor the only such one of a lineage.
function rareTypes(lineages: Lineage[]): Set<number> {
  const commonest = lineages.flatMap(({ rows }) => rows).sort((one, other) => other.cells - one.cells).slice(0, SHOWN);
  const kept = new Set(commonest.map(({ number }) => number));
  const rare = lineages.flatMap(({ rows }) => {
    const others = rows.slice(1).filter(({ number }) => !kept.has(number));
    return others.length > 1 ? others.map(({ number }) => number) : [];
  });
  // a second table for a few types isn't worth it
  return new Set(rare.length > 5 ? rare : []);
}
