// Columns of a table about cells as words: text once for each value that occurs, a number for each cell.
// Axis: n cells.

import { ConfigError } from "../base/errors.ts";
import { type Column, type Frame, wordsOf } from "../base/frame.ts";
import { compare, strip } from "../base/text.ts";
import { repr } from "../base/words.ts";

// Columns that are named one by one where the right one isn't there.
export const MOST = 30;
// Of a column that can tell groups or samples: values at most, and cells of a value at least, on average.
export const MOST_VALUES = 500, CELLS_A_VALUE = 10;
// Words that say nothing of a cell, in lower case.
export const SILENT: ReadonlySet<string> = new Set(["", "unknown", "unassigned", "na", "n/a", "nan", "none"]);

// What pandas' Categorical is in Python.
export type Categorical = Extract<Column, { kind: "category" }>;

// A column's name if a table about cells has it; the message names those that are there.  name: how messages call the data set.
export function namedColumn(obs: Frame, column: string, name: string): string {
  if (!obs.columns.has(column)) throw new ConfigError(`${name} has no column ${repr(column)} about its cells; it has ${listed(obs)}.`);
  return column;
}

// The columns of a table about cells, for a message.
export const listed = (obs: Frame): string => [...obs.columns.keys()].slice(0, MOST).map(repr).join(", ") || "none";

// The columns whose values are few, each of several cells: they may tell groups or samples.
export function sharedColumns(obs: Frame): string[] {
  const most = Math.min(MOST_VALUES, Math.floor(obs.height / CELLS_A_VALUE));
  return [...obs.columns].filter(([, column]) => {
    const many = distinct(column, most + 1);
    return many >= 2 && many <= most;
  }).map(([name]) => name);
}

// How many values occur; no more than so many are looked for.
function distinct(column: Column, enough: number): number {
  const values: ArrayLike<unknown> = column.kind === "category" ? column.codes : column.values;
  const found = new Set<unknown>();
  for (let n = 0; n < values.length && found.size < enough; n += 1) {
    const value = values[n];
    const missing = value === null || value !== value || (column.kind === "category" && value === -1) || (column.kind === "flag" && value === 2);
    if (!missing) found.add(value);
  }
  return found.size;
}

// A column as text without spaces around it; missing where nothing is said (SILENT).
export function words(column: Column): Categorical {
  return renamed(categorical(column), (word) => (SILENT.has(word.toLowerCase()) ? "" : word));
}

// A column's values, in no order of their own.
export function categorical(column: Column): Categorical {
  if (column.kind === "category") return column;
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from(wordsOf(column), (word) => {
    if (word === null) return -1;
    const code = codeOf.get(word) ?? codeOf.size;
    codeOf.set(word, code);
    return code;
  });
  return { kind: "category", codes, categories: [...codeOf.keys()] };
}

// Give other names to values, the same to several if need be; missing where the name is "".  In sorted categories.
export function renamed(values: Categorical, name: (word: string) => string): Categorical {
  const names = values.categories.map((value) => name(strip(value)));
  const categories = [...new Set(names)].filter((one) => one).sort(compare);
  const codeOf = new Map(categories.map((one, code) => [one, code]));
  const newCode = names.map((one) => codeOf.get(one) ?? -1);
  return { kind: "category", codes: values.codes.map((code) => (code < 0 ? -1 : newCode[code])), categories };
}

// Say of each cell whether its value is one of those wanted.
export function among(values: Categorical, wanted: readonly string[]): Uint8Array {
  const wantedC = values.categories.map((value) => Number(wanted.includes(value)));
  return Uint8Array.from(values.codes, (code) => (code < 0 ? 0 : wantedC[code]));
}

// Count the chosen cells of each value, commonest first, then by name; missing ones are left out.
export function counted(values: Categorical, chosenN: ArrayLike<number | boolean>): Map<string, number> {
  const cells = new Int32Array(values.categories.length);
  values.codes.forEach((code, n) => {
    if (code >= 0 && chosenN[n]) cells[code] += 1;
  });
  const found = values.categories.map((value, code): [string, number] => [value, cells[code]]).filter(([, many]) => many);
  return new Map(found.sort(([one, few], [other, many]) => many - few || compare(one, other)));
}
