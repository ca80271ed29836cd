// Files beside a Matrix Market file that name its genes and cells, under the names that people give them.

import { strip } from "../../base/text.ts";
import type { Bytes } from "../bytes.ts";
import { lines } from "../storage/lines.ts";
import { split } from "./textlayout.ts";

export type Kind = "genes" | "cells" | "rows" | "columns";

const KINDS: [Kind, string][] = [
  ["genes", "(?:features?|genes?|gene_?names|gene_?ids|var_?names|all_genes)"],
  ["cells", "(?:barcodes?|cells?|cell_?names|cell_?ids|cell_?metadata|obs_?names)"],
  ["rows", "(?:mtx_rows|rows?|row_?names)"],
  ["columns", "(?:mtx_cols|cols?|columns?|col_?names)"],
];
const TABLE = "(?:\\.(?:tsv|csv|txt))?(?:\\.gz)?";
const MATRIX_WORD = /(?:^|(?<=[._-]))(?:matrix|counts?|count_matrix|expression|dge|mat)$/i;

// Side files of a Matrix Market file by what they name.
// A file that shares the beginning of its name with the matrix wins over one that doesn't.
export function findSideFiles(matrix: Bytes, beside: readonly Bytes[]): Map<Kind, Bytes> {
  const files = new Map(beside.filter((file) => file !== matrix).map((file) => [file.name, file]));
  return new Map(Array.from(sideNames(matrix.name, [...files.keys()].sort()), ([kind, name]) => [kind, files.get(name)!]));
}

// Names of side files among those of files beside a matrix.
export function sideNames(matrix: string, others: readonly string[]): Map<Kind, string> {
  const stem = matrix.replace(/\.mtx(?:\.gz)?$/i, "");
  const starts = [stem, stem.replace(MATRIX_WORD, "").replace(/[._-]+$/, "")].filter(Boolean);
  const found = new Map<Kind, string>();
  for (const start of [...starts.map((words) => `${escaped(words)}[._-]?`), ""]) {
    for (const [kind, words] of KINDS) {
      const pattern = new RegExp(`^${start}${words}${TABLE}$`, "iu");
      const match = others.find((other) => pattern.test(other));
      if (match !== undefined && !found.has(kind)) found.set(kind, match);
    }
  }
  return found;
}

const escaped = (words: string): string => words.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

// Columns of a side file with so many entries, a heading dropped; null if it has another length.
export function readSideFile(file: Bytes, length: number): string[][] | null {
  let rows = rowsOf(file, length + 1);
  if (rows.length === length + 1) rows = rows.slice(1);
  if (rows.length !== length) return null;
  const nColumns = rows.reduce((least, row) => Math.min(least, row.length), rows[0]?.length ?? 1);
  const columns = Array.from({ length: nColumns }, (_, column) => rows.map((row) => row[column]));
  const numbered = nColumns > 1 && columns[0].every((word, place) => word === String(place + 1));
  return numbered ? columns.slice(1) : columns;
}

// Fields of every line, one line more than the limit at most.
function rowsOf(file: Bytes, limit: number): string[][] {
  const rows: string[][] = [];
  let delimiter: string | null = null;
  for (const line of lines(file)) {
    if (!strip(line)) continue;
    delimiter ??= line.includes("\t") ? "\t" : ",";
    rows.push(split(line, delimiter).map((field) => strip(field)));
    if (rows.length > limit) break;
  }
  return rows;
}
