// A table about cells: named rows, and columns of categories, numbers, texts or yes and no. What pandas' DataFrame is in Python.

export type Column =
  // -1 stands for none
  | { kind: "category"; codes: Int32Array; categories: string[]; ordered?: boolean }
  | { kind: "number"; values: Float64Array; whole: boolean }
  | { kind: "text"; values: (string | null)[] }
  // 2 stands for none
  | { kind: "flag"; values: Uint8Array };

export class Frame {
  constructor(readonly index: string[], readonly columns: Map<string, Column> = new Map()) {}

  get height(): number {
    return this.index.length;
  }
}

// Values as words, as pandas' astype(str) gives them; null for none.
export function wordsOf(column: Column): (string | null)[] {
  switch (column.kind) {
    case "category": return Array.from(column.codes, (code) => (code < 0 ? null : column.categories[code]));
    case "text": return column.values;
    case "flag": return Array.from(column.values, (value) => (value === 2 ? null : value ? "True" : "False"));
    case "number": return Array.from(column.values, (value) => (Number.isNaN(value) ? null : column.whole || !Number.isInteger(value) ? String(value) : value.toFixed(1)));
  }
}
