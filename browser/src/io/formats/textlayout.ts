// How a table of text is laid out, told from its first lines: delimiter, heading, names, columns of words.

import { CsvError, csvRows } from "../../base/csv.ts";
import { FileFormatError } from "../../base/errors.ts";
import { toFloat } from "../../base/floats.ts";
import { head as headOf, strip } from "../../base/text.ts";
import { repr } from "../../base/words.ts";

// Lines that are looked at.
export const FIRST_LINES = 50;

export const DELIMITERS = ["\t", ";", ",", " "];
// How a GCT file begins; its second line says how large the table is.
const GCT = ["#1.2", "#1.3"];
const DECIMAL_COMMA = /^-?\d+,\d+(?:[eE][+-]?\d+)?$/;
const DECIMAL_POINT = /^-?\d+\.\d+$/;
const BLANK = new Set(["", "na", "nan", "null", "none", "n/a", "#n/a"]);
const NAMES_WORDS = new Set([
  "", "barcode", "barcodes", "cell", "cell_id", "cell_name", "cellid", "cells", "gene", "gene_id", "gene_name",
  "gene_short_name", "gene_symbol", "geneid", "genes", "id", "index", "name", "names", "symbol", "unnamed: 0",
]);

export class Layout {
  constructor(
    readonly delimiter: string,
    readonly decimalComma: boolean,
    // Lines before the heading.
    readonly nSkipped: number,
    // Names of all columns, that of the column of row names (if there is one) left out.
    readonly heading: readonly string[],
    // Whether the first column holds the names of the rows.
    readonly namesFirst: boolean,
    // Positions in heading of columns that hold words.
    readonly words: readonly number[],
    // Fields of the rows below the heading that hold words, as kinds of features or labels of cells.
    readonly told: readonly (readonly string[])[] = [],
  ) {}

  // Fields in every line but the heading.
  get nFields(): number {
    return this.heading.length + Number(this.namesFirst);
  }

  // Lines before the numbers.
  get first(): number {
    return this.nSkipped + 1 + this.told.length;
  }
}

// Layout of a table from its first lines.
export function findLayout(head: string[], name: string): Layout {
  const nSkipped = nComments(head);
  const body = head.slice(nSkipped).filter((line) => strip(line));
  if (body.length < 2) throw tooShort(name);
  const delimiter = delimiterOf(body, name);
  const [heading, ...rows] = body.map((line) => split(line, delimiter));
  const width = commonWidth(rows);
  const commas = delimiter !== "," && hasDecimalCommas(rows);
  const shifted = heading.length === width - 1;
  const told = rowsOfWords(rows, commas);
  const even = rows.slice(told.length).filter((row) => row.length === width);
  if (!even.length) throw tooShort(name);
  const columns = Array.from({ length: width }, (_, place) => even.map((row) => row[place]));
  const wordy = columns.map((column) => isWords(column, commas));
  const named = NAMES_WORDS.has(strip(heading[0]).toLowerCase());
  if (!(named || shifted) && heading.slice(1).every((field) => number(field, commas) !== null)) {
    throw new FileFormatError(`${name} has no heading: its first line must name the columns.`);
  }
  const namesFirst = shifted || wordy[0] || named || (wordy.includes(true) && countsRows(columns[0]));
  const names = shifted || !namesFirst ? heading : heading.slice(1);
  // a delimiter at the end of every line makes a column of nothing
  const empty = !strip(columns[columns.length - 1].join("")) && !strip(names[names.length - 1]);
  const words = wordy.flatMap((is, place) => (is && place >= Number(namesFirst) ? [place - Number(namesFirst)] : []));
  if (empty) words.push(names.length - 1);
  return new Layout(delimiter, commas, nSkipped, names, namesFirst, words, told);
}

const tooShort = (name: string) => new FileFormatError(`${name} is no table: it needs a line of names and at least one line of numbers.`);

// Fields of a line, their quotes taken off.
export function split(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  try {
    return csvRows([line], delimiter).next().value!.row;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FileFormatError(`a line that begins with ${repr(headOf(line, 40))} can't be split into fields (${error.message}). Mend its quotes.`);
  }
}

// The number that a field holds, or null.
export function number(field: string, decimalComma: boolean): number | null {
  return field.includes("_") ? null : toFloat(decimalComma ? field.replaceAll(",", ".") : field);
}

// Lines at the top that begin with #; a heading may begin so too if no other line is left.
function nComments(head: string[]): number {
  if (GCT.some((start) => head[0]?.startsWith(start))) return Math.min(2, head.length);
  let n = 0;
  while (n < head.length - 2 && head[n].startsWith("#")) n += 1;
  return n;
}

// The delimiter that splits most lines as it splits the heading.
function delimiterOf(body: string[], name: string): string {
  for (const delimiter of DELIMITERS) {
    const [heading, ...rows] = body.map((line) => split(line, delimiter));
    const width = commonWidth(rows);
    if (width >= 2 && (heading.length === width || heading.length === width - 1)) return delimiter;
  }
  throw new FileFormatError(
    `${name} is no table: its lines aren't split alike by commas, tabs, semicolons or spaces, with a name for every column in the first.`,
  );
}

// The commonest number of fields; of two that are as common the first.
function commonWidth(rows: string[][]): number {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
  let best = 0, most = 0;
  for (const [width, count] of counts) if (count > most) [best, most] = [width, count];
  return best;
}

function hasDecimalCommas(rows: string[][]): boolean {
  let commas = false;
  for (const row of rows) {
    for (let place = 1; place < row.length; place += 1) {
      if (DECIMAL_POINT.test(row[place])) return false;
      commas ||= DECIMAL_COMMA.test(row[place]);
    }
  }
  return commas;
}

// Whether a column numbers the rows, some of which may be gone.
function countsRows(column: string[]): boolean {
  if (!column.every((field) => /^\p{Nd}+$/u.test(strip(field)))) return false;
  const steps = new Set(column.slice(1).map((field, place) => Number(field) - Number(column[place])));
  return (column.length >= 5 && steps.size === 1 && steps.has(1)) || (column.length >= 20 && Math.min(...steps) > 0);
}

// The rows at the top, but never all rows, in which fields behind the first are words or blank.
function rowsOfWords(rows: string[][], decimalComma: boolean): string[][] {
  const wordy = (row: string[]) => {
    const told = row.slice(1).filter((field) => !isBlank(field));
    return told.length > 0 && told.every((field) => number(field, decimalComma) === null);
  };
  const upTo = rows.slice(0, -1).findIndex((row) => !wordy(row));
  return rows.slice(0, upTo < 0 ? rows.length - 1 : upTo).map((row) => row.map((field) => strip(field)));
}

// Whether most of a column that isn't blank is no number.
function isWords(column: string[], decimalComma: boolean): boolean {
  const told = column.filter((field) => !isBlank(field));
  const nWords = told.filter((field) => number(field, decimalComma) === null).length;
  return nWords > told.length / 2;
}

// Most fields begin with a figure, and aren't blank.
const isBlank = (field: string): boolean => !/^\d/.test(field) && BLANK.has(strip(field).toLowerCase());
