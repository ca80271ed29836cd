// The columns, keys and colours that an annotation becomes.
//
// Nothing here depends on the time or the machine: the same cells give the same outputs. Axes: n cells, m ontology nodes.

import { Frame, type Column } from "../base/frame.ts";
import { compare } from "../base/text.ts";
import { round } from "../base/rounding.ts";
import { BROAD, loadOntology } from "../biology/ontology.ts";
import { csvParts } from "../io/write.ts";
import * as keys from "../keys.ts";
import { VERSION } from "../version.ts";
import { states } from "./cautions.ts";
import type { CompositionRow } from "./composition.ts";
import type { Groups } from "./groups.ts";
import { REASONS } from "./reasons.ts";
import type { Annotation } from "./result.ts";

// Columns that have six decimals in a csv file.
export const ROUNDED: readonly string[] = [keys.SCORE, keys.SECOND_PROBABILITY, keys.SINGLE_SCORE, keys.MIXED_SCORE, keys.GROUP_SHARE];

// Columns of types that have colours, so that scanpy's plots show a type in one colour whatever the column.
export const COLORED: readonly string[] = [keys.CELL_TYPE, keys.SHORT_TYPE, keys.SECOND_TYPE, keys.SINGLE_TYPE, keys.BROAD, keys.GROUP_CELL_TYPE];

type Category = Extract<Column, { kind: "category" }>;

const numbers = (values: ArrayLike<number>, whole = false): Column => ({ kind: "number", values: Float64Array.from(values), whole });

// The columns about cells, in the order of the source, under the names of the cells.
export function obsColumns(annotation: Annotation): Frame {
  const { answerN, secondN, singleN, singleScoreN, mixed, groups, names, nodes } = annotation, columns = new Map<string, Column>();
  columns.set(keys.CELL_TYPE, spread(names, answerN));
  columns.set(keys.SHORT_TYPE, spread(annotation.shortNames, answerN));
  columns.set(keys.TERM, spread(nodes, answerN));
  columns.set(keys.SCORE, numbers(annotation.scoreN));
  columns.set(keys.SECOND_TYPE, spread(names, secondN));
  columns.set(keys.SECOND_TERM, spread(nodes, secondN));
  columns.set(keys.SECOND_PROBABILITY, numbers(annotation.secondProbabilityN));
  columns.set(keys.BROAD, spread(annotation.broadNames, answerN));
  columns.set(keys.N_COUNTS, numbers(annotation.nCountsN));
  columns.set(keys.N_GENES, numbers(annotation.nGenesN, true));
  columns.set(keys.REASON, { kind: "category", codes: Int32Array.from(annotation.reasonN), categories: [...REASONS] });
  const state = states(annotation);
  if (state !== null) columns.set(keys.STATE, state);
  if (singleN !== null && singleScoreN !== null) {
    columns.set(keys.SINGLE_TYPE, spread(names, singleN));
    columns.set(keys.SINGLE_TERM, spread(nodes, singleN));
    columns.set(keys.SINGLE_SCORE, numbers(singleScoreN));
  }
  if (mixed !== null) {
    columns.set(keys.MIXED, mixed.words());
    columns.set(keys.MIXED_SCORE, numbers(mixed.scoreN));
  }
  if (groups !== null) {
    columns.set(keys.GROUP, groups.groupN);
    columns.set(keys.GROUP_CELL_TYPE, groupTypes(groups));
    columns.set(keys.GROUP_SHARE, numbers(groups.shareN));
  }
  const key = annotation.options.keyAdded;
  return new Frame(annotation.cellNames, new Map([...columns].map(([name, values]) => [keys.keyed(name, key), values])));
}

// The word of each cell's node, "unknown" where it has none; words that occur, sorted.
function spread(ofNode: readonly string[], nodeN: Int32Array): Category {
  const there = new Uint8Array(ofNode.length + 1);
  for (const node of nodeN) there[node < 0 ? ofNode.length : node] = 1;
  const words = [...ofNode, keys.UNKNOWN], categories = [...new Set(words.filter((_, node) => there[node]))].sort(compare);
  const place = new Map(categories.map((word, code) => [word, code])), codeM = words.map((word) => place.get(word) ?? -1);
  return { kind: "category", codes: nodeN.map((node) => codeM[node < 0 ? ofNode.length : node]), categories };
}

const groupTypes = ({ groups, grouping }: Groups): Category => spread(groups.map((group) => group.cellType), grouping.codeN);

// The columns of an earlier run that this one doesn't write again, and that would no longer be true.
export function staleColumns(annotation: Annotation): string[] {
  const key = annotation.options.keyAdded, stale: string[] = [...keys.MATCHED];
  if (annotation.singleN === null) stale.push(...keys.TOGETHER);
  if (annotation.groups === null) stale.push(...keys.GROUPED);
  if (annotation.mixed === null) stale.push(...keys.MIXES);
  if (states(annotation) === null) stale.push(keys.STATE);
  return stale.map((name) => keys.keyed(name, key));
}

// The text of a csv file in parts: counts without a decimal point, scores with six decimals.
export function csvText(annotation: Annotation): Generator<string> {
  const key = annotation.options.keyAdded, columns = new Map<string, Column>([["cell", { kind: "text", values: annotation.cellNames }]]);
  const rounded = new Set(ROUNDED.map((name) => keys.keyed(name, key))), counts = keys.keyed(keys.N_COUNTS, key);
  const whole = annotation.nCountsN.every((value) => value % 1 === 0);
  for (const [name, column] of obsColumns(annotation).columns) {
    if (column.kind !== "number") columns.set(name, column);
    else if (rounded.has(name)) columns.set(name, { ...column, values: column.values.map((value) => round(value, 6)) });
    else if (name !== counts) columns.set(name, column);
    else columns.set(name, whole ? { ...column, whole } : { ...column, values: column.values.map((value) => round(value, 3)) });
  }
  return csvParts(columns);
}

// With what and from what the answers were made, as plain values.
export function runRecord(annotation: Annotation): Record<string, unknown> {
  const { bundle, tissues, allowed, groups } = annotation;
  return {
    spoticell_version: VERSION,
    bundle: bundle.name,
    bundle_date: bundle.manifest.date,
    bundle_sha256: bundle.sha256,
    ontology_version: bundle.manifest.ontologyVersion,
    threshold: annotation.threshold,
    least_score: annotation.leastScore,
    read_together: annotation.singleN !== null,
    allowed: allowed === null ? null : allowed.record(),
    tissues: tissues === null ? null : plain(tissues.shares),
    tissue_probabilities: tissues === null ? null : plain(tissues.chances),
    cautions: annotation.cautions.map((caution) => caution.text),
    classes: [...annotation.nodes],
    class_names: [...annotation.names],
    input: annotation.findings.toDict(),
    index: null,
    samples: samplesRecord(annotation, "list"),
    groups: groups === null ? null : groups.record(),
    cellxgene: null,
  };
}

const plain = (shares: ReadonlyMap<string, number>): Record<string, number> => Object.fromEntries(shares);

// One #rrggbb for each category of the columns of types, under the keys by which scanpy finds them.
export function typeColors(annotation: Annotation, columns: Frame): Record<string, string[]> {
  const key = annotation.options.keyAdded, ontology = loadOntology(), { nodes } = annotation;
  const termOf = new Map(BROAD.map((broad) => [ontology.name(broad), broad]));
  for (const names of [annotation.names, annotation.shortNames]) names.forEach((name, m) => termOf.set(name, nodes[m]));
  const colors: Record<string, string[]> = {};
  for (const name of COLORED.map((one) => keys.keyed(one, key))) {
    const column = columns.columns.get(name);
    if (column?.kind === "category") colors[keys.keyed(keys.COLORS, name)] = column.categories.map((word) => annotation.colors.of(termOf.get(word) ?? keys.UNKNOWN));
  }
  return colors;
}

// The whole outcome as plain values, for JSON.
export function summaryRecord(annotation: Annotation): Record<string, unknown> {
  const { bundle, tissues, allowed, groups, mixed, answerN } = annotation;
  return {
    spoticell_version: VERSION,
    bundle: { name: bundle.name, date: bundle.manifest.date, sha256: bundle.sha256 },
    threshold: annotation.threshold,
    least_score: annotation.leastScore,
    read_together: annotation.singleN !== null,
    allowed: allowed === null ? null : allowed.record(),
    tissues: tissues === null ? null : plain(tissues.shares),
    tissue_probabilities: tissues === null ? null : plain(tissues.chances),
    cautions: annotation.cautions.map((caution) => caution.text),
    input: annotation.findings.toDict(),
    cells: answerN.length,
    unknown: answerN.reduce((sum, answer) => sum + Number(answer < 0), 0),
    changed_by_neighbours: annotation.changed,
    why_unknown: plain(annotation.whyUnknown()),
    mixed: mixed === null ? null : plain(mixed.counted()),
    composition: annotation.summary(),
    index: null,
    samples: samplesRecord(annotation, "records"),
    groups: groups === null ? null : groups.table,
  };
}

// What the samples hold and how they differ, as plain values; null where no samples are told. Tables become a list a
// column, as h5ad files hold them, or a record a row.
export function samplesRecord(annotation: Annotation, kind: "list" | "records"): Record<string, unknown> | null {
  const { samples, differences } = annotation;
  if (samples === null) return null;
  const shaped = (rows: object[]) => (kind === "records" ? rows : listed(rows));
  const record = { by: samples.by, condition: samples.condition, composition: shaped(annotation.composition() satisfies CompositionRow[]) };
  if (differences === null) return record;
  const table = kind === "list" ? differences.table : differences.table.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number.isNaN(value) ? null : value])));
  return { ...record, differences: shaped(table), notes: differences.notes, ...differences.record() };
}

const listed = (rows: object[]): Record<string, unknown[]> =>
  Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => (row as Record<string, unknown>)[name])]));
