// What an upload says of its cells, kept for the page: the columns of its table, and its maps.
//
// Counts, genes found, mitochondrial share and score stand first: they are known of every file.
// Axis: n cells.

import { states } from "../annotation/cautions.ts";
import type { Annotation } from "../annotation/result.ts";
import { valuesOf } from "../annotation/samples.ts";
import type { Csr } from "../base/csr.ts";
import { SpoticellError } from "../base/errors.ts";
import { type Column as Told, Frame } from "../base/frame.ts";
import { Growing } from "../base/growing.ts";
import { storedMaps } from "../io/embeddings.ts";
import type { CellSource } from "../io/source.ts";

// Stands for no value where cells have the number of their category.
export const MISSING = 65535;
// Columns that are kept, values of a column of categories, and letters of a name.
export const MOST_COLUMNS = 100, MOST_CATEGORIES = 500, LONGEST_NAME = 200;
// Whole numbers with so few values, of several cells each, are taken as names of groups.
const MOST_STEPS = 60;
const MITOCHONDRIAL = "MT-", SCORE = "score", MIXED = "mixed", STATE = "state";
// Whole numbers beyond are no names.
const LARGEST = 1e9;
const LARGEST_SINGLE = 3.4028234663852886e38;

// What a table says of each cell: places among the categories, or numbers, NaN for none.
export interface Column {
  name: string;
  values: Uint16Array | Float32Array;
  categories: string[] | null;
  isOurs: boolean;
}

// A column as the page gets it.
export interface Described {
  name: string;
  kind: "category" | "number";
  ours: boolean;
  missing: number;
  categories: { name: string; cells: number }[] | null;
  low: number | null;
  high: number | null;
}

export interface KeptColumns {
  columns: Column[];
  described: Described[];
  leftOut: string[];
  maps: { name: string; places: Float32Array }[];
}

// All but the values of single cells.
export function describe(column: Column): Described {
  const words = { name: column.name, kind: column.categories === null ? "number" : "category", ours: column.isOurs } as const;
  let missing = 0;
  if (column.categories === null) {
    let low = Infinity, high = -Infinity;
    for (const value of column.values) {
      if (!Number.isFinite(value)) { missing += 1; continue; }
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { ...words, missing, categories: null, low, high };
  }
  const cells = new Int32Array(column.categories.length);
  for (const code of column.values) if (code === MISSING) missing += 1; else cells[code] += 1;
  return { ...words, missing, categories: column.categories.map((name, c) => ({ name, cells: cells[c] })), low: null, high: null };
}

// Gathers columns and maps while the cells are read.
export class ColumnKeeper {
  private readonly isMitochondrial: Uint8Array;
  // Shares of mitochondrial counts of the cells that were seen.
  private readonly shares = new Growing(new Float32Array(0));

  constructor(private readonly source: CellSource, symbols: readonly string[]) {
    this.isMitochondrial = Uint8Array.from(symbols, (symbol) => Number(symbol.toUpperCase().startsWith(MITOCHONDRIAL)));
  }

  see(counts: Csr): void {
    for (let n = 0; n < counts.height; n += 1) {
      let total = 0, own = 0;
      for (let e = counts.indptr[n]; e < counts.indptr[n + 1]; e += 1) {
        total += counts.data[e];
        if (this.isMitochondrial[counts.indices[e]]) own += counts.data[e];
      }
      this.shares.push(total > 0 ? own / total : NaN);
    }
  }

  finish(annotation: Annotation): KeptColumns {
    let obs = new Frame([]);
    try {
      obs = this.source.obs();
    } catch (error) {
      // cells are named without the table about them
      if (!(error instanceof SpoticellError)) throw error;
    }
    const { columns: usable, leftOut } = usableColumns(obs), columns = [...this.ours(annotation), ...usable];
    const maps = [...storedMaps(this.source)].map(([name, data]) => ({ name, places: unitSquare(data, name) }));
    return { columns, described: columns.map(describe), leftOut, maps };
  }

  // What is known of every file, where cells differ in it.
  private *ours(annotation: Annotation): Generator<Column> {
    const measures: [string, ArrayLike<number>][] = [
      ["counts", annotation.nCountsN], ["genes found", annotation.nGenesN], ["mitochondrial share", this.shares.values], [SCORE, annotation.scoreN],
    ];
    for (const [name, values] of measures) {
      if (differ(values)) yield { name, values: Float32Array.from(values), categories: null, isOurs: true };
    }
    for (const [name, words] of [[MIXED, annotation.mixed === null ? null : annotation.mixed.words()], [STATE, states(annotation)]] as const) {
      if (words === null || !words.categories.length) continue;
      yield { name, values: Uint16Array.from(words.codes, (code) => (code < 0 ? MISSING : code)), categories: [...words.categories], isOurs: true };
    }
  }
}

// The columns with other scores; as they were where the cells of the run had one score.
export function withScores(kept: KeptColumns, scoreN: Float32Array): KeptColumns {
  const columns = kept.columns.map((column) => (column.isOurs && column.name === SCORE ? { ...column, values: scoreN } : column));
  return { ...kept, columns, described: columns.map((column, at) => (column === kept.columns[at] ? kept.described[at] : describe(column))) };
}

// The columns of a table by which cells can be coloured and chosen, and the names of the others: columns with one value,
// columns of text with nearly as many values as cells, such as barcodes, and all that is beyond MOST_COLUMNS.
export function usableColumns(obs: Frame): { columns: Column[]; leftOut: string[] } {
  const columns: Column[] = [], leftOut: string[] = [];
  for (const [name, told] of obs.columns) {
    const column = columns.length < MOST_COLUMNS && [...name].length <= LONGEST_NAME ? usable(obs, name, told) : null;
    if (column === null) leftOut.push(shortened(name));
    else columns.push(column);
  }
  return { columns, leftOut: leftOut.slice(0, MOST_COLUMNS) };
}

function usable(obs: Frame, name: string, told: Told): Column | null {
  if (told.kind === "number") {
    const numbers = Float64Array.from(told.values, (value) => (Math.abs(value) <= LARGEST_SINGLE ? value : NaN));
    if (!areGroups(numbers)) return differ(numbers) ? { name, values: Float32Array.from(numbers), categories: null, isOurs: false } : null;
    obs = new Frame(obs.index, new Map([[name, { kind: "number", values: numbers, whole: true }]]));
  }
  const [names, placeN] = valuesOf(obs, name, "the table");
  if (names.length < 2 || names.length > Math.min(MOST_CATEGORIES, Math.floor(obs.height / 2))) return null;
  return { name, values: Uint16Array.from(placeN, (place) => (place < 0 ? MISSING : place)), categories: names.map(shortened), isOurs: false };
}

const shortened = (name: string): string => [...name].slice(0, LONGEST_NAME).join("");

function differ(values: ArrayLike<number>): boolean {
  let low = Infinity, high = -Infinity, isKnown = false;
  for (let n = 0; n < values.length; n += 1) {
    const value = values[n];
    if (Number.isFinite(value)) isKnown = true;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return isKnown && high > low;
}

// Whether numbers are few and whole, as those of clusters are.
function areGroups(numbers: Float64Array): boolean {
  const known = new Set<number>(), most = Math.min(MOST_STEPS, Math.floor(numbers.length / 10));
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue;
    if (!Number.isInteger(value) || Math.abs(value) >= LARGEST) return false;
    known.add(value);
    if (known.size > most) return false;
  }
  return known.size >= 2;
}

// Places, x and y of a cell beside each other, brought into the unit square, both axes by the same scale, all x first;
// those of a tissue are counted downwards.
export function unitSquare(places: ArrayLike<number>, name = ""): Float32Array {
  const n = places.length / 2, low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 1) {
    if (places[i] < low[i & 1]) low[i & 1] = places[i];
    if (places[i] > high[i & 1]) high[i & 1] = places[i];
  }
  const scale = Math.max(high[0] - low[0], high[1] - low[1]), inside = new Float32Array(2 * n), isTissue = name.toLowerCase().includes("spatial");
  for (let i = 0; i < n; i += 1) {
    inside[i] = (places[2 * i] - (low[0] + high[0]) / 2) / scale + 0.5;
    const y = (places[2 * i + 1] - (low[1] + high[1]) / 2) / scale + 0.5;
    inside[n + i] = isTissue ? 1 - y : y;
  }
  return inside;
}
