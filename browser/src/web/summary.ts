// An annotation in short, as the page shows it: types with counts, scores and colours, and levels to colour by.

import type { TypeColors } from "../annotation/colors.ts";
import { type Differences, METHOD } from "../annotation/differences.ts";
import type { Group } from "../annotation/groups.ts";
import type { Annotation } from "../annotation/result.ts";
import { argsort, bincount, flatnonzero, median } from "../base/arrays.ts";
import { joined } from "../base/joined.ts";
import { everydayNames } from "../biology/everyday.ts";
import { loadOntology, type Ontology } from "../biology/ontology.ts";
import { shortName } from "../biology/short_names.ts";
import { compose } from "../report/sections/composition.ts";
import { OTHERS, sampleView } from "../report/sections/samples.ts";
import type { Renamed } from "./renamed.ts";
import { tissueCanBeTold } from "./weights.ts";

// Stands for unknown where cells have the number of their type.
export const UNKNOWN_TYPE = 65535;

export interface TypeInfo {
  index: number;
  term: string;
  name: string;
  short: string;
  also: string[];
  path: { term: string; name: string; short: string }[];
  cells: number;
  median_score: number;
  color: string;
}

export interface NamedGroup {
  [name: string]: unknown;
  name: string;
  term: string;
  genes: { symbol: string; auc: number; known: boolean }[];
  agree: number | null;
}

// What the page gets as JSON, under the names that it knows.
export interface Summary {
  [name: string]: unknown;
  threshold: number;
  saved_threshold: number;
  allowed: string | null;
  tissues: string | null;
  tissue: { shown: string | null; saved: string | null } | null;
  types: TypeInfo[];
  groups: NamedGroup[] | null;
  renamed: Renamed | null;
}

// The types that cells have, as positions in the bundle's nodes, commonest first.
export function commonTypes(annotation: Annotation): number[] {
  const cellsM = bincount(annotation.answerN.filter((answer) => answer >= 0), annotation.nodes.length);
  const order = argsort(cellsM.map((cells) => -cells));
  return Array.from(order.subarray(0, flatnonzero(cellsM).length));
}

// The outcome as plain values, for JSON.
export function summarise(annotation: Annotation): Summary {
  const ontology = loadOntology(), { answerN, scoreN } = annotation, known = scoreN.filter((_, n) => answerN[n] >= 0);
  const scores = scoresByNode(annotation);
  const types = commonTypes(annotation).map((answer, index) => typeInfo(index, answer, annotation, ontology, scores.get(answer)!));
  return {
    cells: answerN.length,
    named: known.length,
    threshold: annotation.threshold,
    saved_threshold: annotation.threshold,
    least_score: annotation.leastScore,
    allowed: annotation.allowed === null ? null : annotation.allowed.describe(),
    tissues: annotation.tissues === null ? null : annotation.tissues.describe(),
    tissue: tissueOf(annotation),
    cautions: annotation.cautions.map(({ kind, text }) => ({ kind, text })),
    changed_by_neighbours: annotation.singleN === null ? null : annotation.changed,
    no_common_type: null,
    model: annotation.bundle.name,
    score_median: known.length ? medianOf(known) : null,
    types,
    levels: (["broad", "middle", "fine"] as const).map((name) => level(name, types, annotation, scores)),
    unknown: { cells: answerN.length - known.length, reasons: plain(annotation.whyUnknown()) },
    groups: annotation.groups === null ? null : annotation.groups.groups.map((group) => namedGroup(group, annotation.colors)),
    samples: samplesInfo(annotation.samples === null ? null : sampleView(annotation, compose(annotation))),
    differences: differencesInfo(annotation),
    // nothing is known here of results before these
    renamed: null,
  };
}

const plain = (told: Map<string, number> | Record<string, number>): Record<string, number> => (told instanceof Map ? Object.fromEntries(told) : told);

// As NumPy does it: the mean of the two in the middle in single precision.
function medianOf(scores: ArrayLike<number>): number {
  return Math.fround(median(scores));
}

// Scores of the cells of each node that is an answer.
function scoresByNode(annotation: Annotation): Map<number, Float32Array> {
  const { answerN, scoreN } = annotation, cellsM = bincount(answerN.filter((answer) => answer >= 0)), found = new Map<number, Float32Array>();
  const next = new Int32Array(cellsM.length);
  cellsM.forEach((cells, m) => { if (cells) found.set(m, new Float32Array(cells)); });
  for (let n = 0; n < answerN.length; n += 1) if (answerN[n] >= 0) found.get(answerN[n])![next[answerN[n]]++] = scoreN[n];
  return found;
}

// The tissue that was told; null where these answers can't be shown for another one.
function tissueOf(annotation: Annotation): { shown: string | null; saved: string | null } | null {
  if (!tissueCanBeTold(annotation.options)) return null;
  const told = annotation.allowed === null ? null : annotation.allowed.tissue;
  return { shown: told, saved: told };
}

function namedGroup(group: Group, colors: TypeColors): NamedGroup {
  return {
    name: group.name,
    cells: group.cells,
    term: group.term,
    type: group.cellType,
    short: shortName(group.term),
    color: colors.of(group.term),
    share: group.share,
    score: group.score,
    second: {
      term: group.secondTerm,
      name: group.secondCellType,
      short: shortName(group.secondTerm),
      probability: group.secondProbability,
    },
    novel: group.novel,
    genes: group.genes.map(({ symbol, auc, known }) => ({ symbol, auc, known })),
    studies: [],
    tissues: [],
    agree: group.agree,
  };
}

// The bars of the report.
function samplesInfo(view: ReturnType<typeof sampleView>): Record<string, unknown> | null {
  if (view === null) return null;
  const bars = view.bars.map(({ name, condition, cells, parts }) => ({
    name, condition, cells,
    parts: parts.map((part) => ({ name: part.full || part.name, short: part.name, cells: part.cells, color: part.color === OTHERS ? null : part.color })),
  }));
  return { by: view.by, samples: view.n_samples, bars };
}

const number = (value: number): number | null => (Number.isNaN(value) ? null : value);

function differencesInfo(annotation: Annotation): Record<string, unknown> | null {
  const found = annotation.differences, samples = annotation.samples;
  return found === null || samples === null ? null : toldDifferences(found, samples.condition ?? "", (term) => annotation.colors.of(term));
}

// Differences between two conditions as plain values, with the colours of their types.
export function toldDifferences(found: Differences, condition: string, colorOf: (term: string) => string): Record<string, unknown> {
  const changes = found.table.map((row) => ({
    term: row.term,
    name: row.cell_type,
    short: shortName(row.term),
    color: colorOf(row.term),
    cells: row.cells,
    first: row.share_first,
    second: row.share_second,
    difference: row.difference,
    low: number(row.low),
    high: number(row.high),
    p: number(row.p),
    q: number(row.q),
  }));
  return {
    condition,
    conditions: [...found.conditions],
    samples: [...found.samples],
    method: found.tested ? METHOD : null,
    changes,
    notes: [...found.notes],
  };
}

function typeInfo(index: number, answer: number, annotation: Annotation, ontology: Ontology, scores: Float32Array): TypeInfo {
  const term = annotation.nodes[answer];
  return {
    index,
    term,
    name: annotation.names[answer],
    short: shortName(term),
    also: [...everydayNames(term)],
    path: namedTerms(ontology.path(term), ontology),
    cells: scores.length,
    median_score: medianOf(scores),
    color: annotation.colors.of(term),
  };
}

// Terms with their names.
export const namedTerms = (terms: readonly string[], ontology: Ontology): { term: string; name: string; short: string }[] =>
  terms.map((term) => ({ term, name: ontology.name(term), short: shortName(term) }));

type LevelName = "broad" | "middle" | "fine";

const PLACES: Record<LevelName, (path: string[]) => string> = {
  broad: (path) => path[0],
  middle: (path) => path[Math.floor(path.length / 2)],
  fine: (path) => path[path.length - 1],
};

// The groups that types form on a level, commonest first, and the group of each type.
function level(name: LevelName, types: TypeInfo[], annotation: Annotation, scores: Map<number, Float32Array>): Record<string, unknown> {
  const ontology = loadOntology(), terms = types.map(({ path }) => PLACES[name](belowBroad(path.map((place) => place.term), ontology)));
  const members = new Map<string, TypeInfo[]>();
  types.forEach((kind, at) => members.set(terms[at], [...(members.get(terms[at]) ?? []), kind]));
  const position = new Map(annotation.nodes.map((node, m) => [node, m]));
  const groups = [...members].map(([term, kinds]) => {
    const all = joined(Float32Array, kinds.map((kind) => scores.get(position.get(kind.term)!)!));
    return { term, name: ontology.name(term), short: shortName(term), cells: all.length, median_score: medianOf(all), types: kinds.map(({ index }) => index) };
  });
  groups.sort((a, b) => b.cells - a.cells);
  const colorOf = annotation.colors.level(new Map(groups.map(({ term }) => [term, members.get(term)!.map((kind) => kind.term)])));
  const order = groups.map(({ term }) => term);
  return { name, groups: groups.map((group) => ({ ...group, color: colorOf.get(group.term)! })), group_of_type: terms.map((term) => order.indexOf(term)) };
}

// A path from what its last term is among broad types.
function belowBroad(path: string[], ontology: Ontology): string[] {
  const broad = ontology.broadLevel(path[path.length - 1]);
  return path.includes(broad) ? path.slice(path.indexOf(broad)) : path;
}
