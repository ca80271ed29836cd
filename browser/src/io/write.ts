// Tables as the text of csv files.

import type { Column } from "../base/frame.ts";
import { float } from "../base/words.ts";
import { guard } from "./formula.ts";

// Rows whose text is made at once.
export const ROWS = 16 * 2048;

// The text of a table in parts: its columns under their names. Text that a spreadsheet would run as a formula gets a '
// before it. Where some text holds a carriage return, all text is quoted: readers take a bare one for the end of a line.
export function* csvParts(columns: ReadonlyMap<string, Column>): Generator<string> {
  const names = [...columns.keys()].map(guard), all = [...columns.values()], n = all.length ? lengthOf(all[0]) : 0;
  const bare = names.some((name) => name.includes("\r")) || all.some((column) => texts(column).some((text) => text.includes("\r")));
  const quoted = (text: string) => (bare || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cells = all.map((column) => writer(column, quoted));
  const header = `${names.map(quoted).join(",")}\n`;
  for (let start = 0; start < Math.max(n, 1); start += ROWS) {
    const lines: string[] = start ? [] : [header], row: string[] = new Array(cells.length);
    for (let i = start; i < Math.min(n, start + ROWS); i += 1) {
      for (let c = 0; c < cells.length; c += 1) row[c] = cells[c](i);
      lines.push(`${row.join(",")}\n`);
    }
    yield lines.join("");
  }
}

function lengthOf(column: Column): number {
  return column.kind === "category" ? column.codes.length : column.values.length;
}

function texts(column: Column): string[] {
  if (column.kind === "category") return column.categories.filter((_, code) => column.codes.includes(code));
  return column.kind === "text" ? column.values.filter((value) => value !== null) : [];
}

function writer(column: Column, quoted: (text: string) => string): (row: number) => string {
  const none = quoted("");
  switch (column.kind) {
    case "category": {
      const words = column.categories.map((word) => quoted(guard(word)));
      return (row) => (column.codes[row] < 0 ? none : words[column.codes[row]]);
    }
    case "text":
      return (row) => quoted(guard(column.values[row] ?? ""));
    case "flag":
      return (row) => (column.values[row] === 2 ? none : column.values[row] ? "True" : "False");
    case "number":
      return (row) => (Number.isNaN(column.values[row]) ? none : column.whole ? String(column.values[row]) : float(column.values[row]));
  }
}
