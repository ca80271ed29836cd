// Files to keep of a run, made when they are asked for. The counterpart of spoticell/web/tables.py and kept_marks.py.

import { csvText, obsColumns, runRecord, staleColumns, typeColors } from "../annotation/outputs.ts";
import type { Annotation } from "../annotation/result.ts";
import { csvRows } from "../base/csv.ts";
import { compare } from "../base/text.ts";
import { type Column, Frame } from "../base/frame.ts";
import { annotatedH5ad, blobOf, type Embedding } from "../io/annotated.ts";
import type { Bytes } from "../io/bytes.ts";
import { AnnDataSource } from "../io/formats/h5ad.ts";
import { guard } from "../io/formula.ts";
import type { CellSource } from "../io/source.ts";
import type { Record as Plain } from "../io/storage/elements.ts";
import { Hdf5Tree } from "../io/storage/hdf5.ts";
import { csvParts } from "../io/write.ts";
import * as keys from "../keys.ts";
import { render } from "../report/page.ts";
import { VERSION } from "../version.ts";
import { curatedNames } from "./curated.ts";
import { leftOut, readRules } from "./filters.ts";
import { Refusal } from "./refusal.ts";
import { keptName, type Reply } from "./replies.ts";
import type { Results } from "./results.ts";

const H5AD = "annotated.h5ad", REPORT = "report.html", CSV = "types.csv", COMPOSITION = "composition.csv", DIFFERENCES = "differences.csv", GROUPS = "groups.csv";
const NOT_ASKED = "This run was asked for nothing that this table would tell. Name samples, conditions or groups.";
// Numbers in these columns of tables are whole.
const WHOLE = "cells";
// Probabilities of all types and cells that are written, numbers of 4 bytes each.
const MOST_PROBABILITIES = 64_000_000;

// What a file is made of.
export interface Run {
  source: CellSource;
  annotation: Annotation;
  results: Results;
}

type FileReply = Omit<Reply, "body"> & { body: Uint8Array | Blob };

export function filesOf({ samples, differences, groups }: Annotation): string[] {
  const tables: [string, unknown][] = [[COMPOSITION, samples], [DIFFERENCES, differences], [GROUPS, groups]];
  return [H5AD, CSV, REPORT, ...tables.filter(([, asked]) => asked !== null).map(([name]) => name)];
}

// The options of the command line that write the tables of a run, and where beside the other files.
export function tablePlaces({ samples, differences, groups }: Annotation, stem: string): Map<string, string> {
  const written: [string, string, unknown][] = [["composition", COMPOSITION, samples], ["differences", DIFFERENCES, differences], ["groups_output", GROUPS, groups]];
  return new Map(written.filter(([, , asked]) => asked !== null).map(([option, name]) => [option, `${stem}.${name}`]));
}

export function fileOf(name: string, run: Run, filter: string): FileReply {
  if (!filesOf(run.annotation).includes(name)) throw new Refusal(404, NOT_ASKED);
  const body = name === H5AD ? h5adOf(run, filter) : new TextEncoder().encode([...textOf(name, run, filter)].join(""));
  return { status: 200, headers: { "Content-Type": "application/octet-stream", "X-File-Name": keptName(run.results.left.name, name) }, body };
}

function textOf(name: string, { annotation, results }: Run, filter: string): Iterable<string> {
  if (name === REPORT) return [render(annotation, { command: results.left.commands.shell, version: VERSION, places: results.left })];
  if (name === COMPOSITION) return csvParts(columnsOf(annotation.bySample.table()));
  if (name === DIFFERENCES) return csvParts(columnsOf(annotation.differences!.table));
  if (name === GROUPS) return csvParts(columnsOf(annotation.groups!.table));
  const marks = marksOf(results, filter), text = csvText(annotation);
  return marks.size ? marked(text, marks) : text;
}

// The visitor's cells with the answers: an AnnData file as it is, with what is new behind its end.
function h5adOf({ source, annotation, results }: Run, filter: string): Blob {
  const key = annotation.options.keyAdded, columns = obsColumns(annotation), marks = marksOf(results, filter);
  const obs = new Frame(columns.index, new Map([...columns.columns, ...[...marks].map(([name, words]): [string, Column] => [name, markOf(name, words)])]));
  const uns = { ...runRecord(annotation), ...(filter && { filter: JSON.stringify(Object.fromEntries(readRules(filter))) }) };
  const parts = annotatedH5ad(source, annotation.findings.matrix, {
    obs, obsm: embeddings(results, key), uns: new Map([[keys.keyed(keys.RUN, key), uns as unknown as Plain]]),
    colors: new Map(Object.entries(typeColors(annotation, columns))), stale: staleColumns(annotation),
  });
  const bytes: Bytes | null = source instanceof AnnDataSource && source.tree instanceof Hdf5Tree ? source.tree.bytes : null;
  return blobOf(parts, bytes);
}

function embeddings(results: Results, key: string): Map<string, Embedding> {
  const { nCells, bundle, left: { fingerprints, x, y } } = results, places = new Float32Array(2 * nCells);
  for (let n = 0; n < nCells; n += 1) places.set([x[n], y[n]], 2 * n);
  const found = new Map<string, Embedding>([[keys.keyed(keys.FINGERPRINT, key), fingerprints], [keys.keyed(keys.MAP, key), { data: places, width: 2 }]]);
  if (nCells * bundle.nodes.length <= MOST_PROBABILITIES) {
    found.set(keys.keyed(keys.PROBABILITIES, key), results.exactProbabilities(Int32Array.from({ length: nCells }, (_, n) => n)));
  }
  return found;
}

function markOf(name: string, words: string[]): Column {
  if (name === keys.keyed(keys.FILTERED)) return { kind: "flag", values: Uint8Array.from(words, (word) => Number(word === "True")) };
  const categories = [...new Set(words)].sort(compare), code = new Map(categories.map((word, place) => [word, place]));
  return { kind: "category", categories, codes: Int32Array.from(words, (word) => code.get(word)!) };
}

// What readers did to the cells: names that they gave, and whether their filters leave each out.
function marksOf(results: Results, filter: string): Map<string, string[]> {
  const marks = new Map<string, string[]>(), rules = readRules(filter), names = curatedNames(results);
  if (names !== null) marks.set(keys.keyed(keys.CURATED, keys.KEY_ADDED), names);
  if (rules.size) {
    const out = leftOut(results.shown.columns, rules, results.nCells);
    marks.set(keys.keyed(keys.FILTERED, keys.KEY_ADDED), Array.from(out, (isOut) => (isOut ? "True" : "False")));
  }
  return marks;
}

function* marked(text: Iterable<string>, marks: Map<string, string[]>): Generator<string> {
  const names = [...marks.keys()], added = [...marks.values()];
  let at = -1;
  for (const { row } of csvRows(linesOf(text), ",")) {
    const more = at < 0 ? names : added.map((words) => guard(words[at]));
    yield `${[...row, ...more].map(quoted).join(",")}\n`;
    at += 1;
  }
}

function* linesOf(text: Iterable<string>): Generator<string> {
  for (const part of text) yield* part.match(/[^\n]*\n/g) ?? [];
}

const quoted = (word: string): string => (/[",\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word);

// The rows of a table as its columns.
function columnsOf(rows: object[]): Map<string, Column> {
  const names = Object.keys(rows[0] ?? {}), valuesOf = (name: string) => rows.map((row) => (row as Record<string, unknown>)[name]);
  return new Map(names.map((name) => [name, columnOf(name, valuesOf(name))]));
}

function columnOf(name: string, values: unknown[]): Column {
  const kind = typeof values.find((value) => value !== null);
  if (kind === "number") return { kind: "number", whole: name === WHOLE, values: Float64Array.from(values, (value) => (value === null ? NaN : Number(value))) };
  if (kind === "boolean") return { kind: "flag", values: Uint8Array.from(values, (value) => (value === null ? 2 : Number(value))) };
  return { kind: "text", values: values as (string | null)[] };
}
