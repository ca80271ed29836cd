// A column about cells as words: each word once, and a number for each cell.

import type { Column } from "../base/frame.ts";
import { compare, strip } from "../base/text.ts";
import { float } from "../base/words.ts";

export interface CellWords {
  // Place of each cell's word; -1 where there is none.
  codes: Int32Array;
  // Without spaces around them, in the order of their values; two may be the same.
  words: string[];
}

export function cellWords(column: Column): CellWords {
  if (column.kind === "category") return { codes: column.codes, words: column.categories.map((word) => strip(word)) };
  if (column.kind === "flag") return { codes: Int32Array.from(column.values, (value) => (value === 2 ? -1 : value)), words: ["False", "True"] };
  if (column.kind === "text") {
    const values = [...new Set(column.values.filter((value) => value !== null))].sort(compare);
    const place = new Map(values.map((value, code) => [value, code]));
    return { codes: Int32Array.from(column.values, (value) => (value === null ? -1 : place.get(value)!)), words: values.map((word) => strip(word)) };
  }
  const values = [...new Set(column.values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const place = new Map(values.map((value, code) => [value, code]));
  return { codes: Int32Array.from(column.values, (value) => place.get(value) ?? -1), words: values.map((value) => (column.whole ? String(value) : float(value))) };
}
