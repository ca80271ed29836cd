// Entries of a matrix in any order, sorted by cell in memory. A page has no disk to sort them on, and going through a
// packed text again takes long, so entries are held as tightly as they can be: in pages, each of one band of cells, with
// columns of two bytes and counts of one. A text that is larger than that is given as it is read if it lies cell by cell.

import { Csr } from "../../base/csr.ts";

// Cells, genes and values, all of one length.
export type Entries = [Int32Array, Int32Array, Float32Array];

// Entries that a band should hold.
export const BAND_ENTRIES = 1 << 21;
// Bytes that entries may take.
export const MOST_HELD = 800_000_000;

const PAGE = 1 << 13;
const MOST_ROWS = 1 << 16;

// Some entries of a band, rows counted from its first.
interface Page {
  // Where they lie row by row, each row once, and where its entries end.
  rows: Uint16Array;
  ends: Uint16Array | null;
  columns: Uint16Array | Int32Array;
  values: Uint8Array | Uint16Array | Float32Array;
}

// The page of a band that is being filled.
class OpenPage {
  readonly rows = new Uint16Array(PAGE);
  readonly columns: Uint16Array | Int32Array;
  readonly values = new Float32Array(PAGE);
  size = 0;

  constructor(width: number) {
    this.columns = width <= MOST_ROWS ? new Uint16Array(PAGE) : new Int32Array(PAGE);
  }

  // What was put in, in less room; the page is then empty.
  taken(): Page {
    const n = this.size;
    this.size = 0;
    return { ...tightRows(this.rows, n), columns: this.columns.slice(0, n), values: tightValues(this.values, n) };
  }
}

function tightRows(rows: Uint16Array, n: number): Pick<Page, "rows" | "ends"> {
  let runs = 1;
  for (let i = 1; i < n; i += 1) if (rows[i] !== rows[i - 1]) runs += 1;
  if (2 * runs > n) return { rows: rows.slice(0, n), ends: null };
  const some = new Uint16Array(runs), ends = new Uint16Array(runs);
  for (let i = 0, run = -1; i < n; i += 1) {
    if (i === 0 || rows[i] !== rows[i - 1]) some[run += 1] = rows[i];
    ends[run] = i + 1;
  }
  return { rows: some, ends };
}

function tightValues(values: Float32Array, n: number): Page["values"] {
  let largest = 0;
  for (let i = 0; i < n; i += 1) {
    const value = values[i];
    if (value !== (value | 0) || value < 0) return values.slice(0, n);
    if (value > largest) largest = value;
  }
  if (largest > 0xffff) return values.slice(0, n);
  return largest > 0xff ? Uint16Array.from(values.subarray(0, n)) : Uint8Array.from(values.subarray(0, n));
}

// Takes entries in any order and gives rows in theirs.
export class Bands {
  // Whether all entries are held; else they came row by row, and were too many.
  held = true;
  // Whether each entry so far is of the row of the one before it, or of a later one.
  inOrder = true;
  private readonly height: number;
  private pages: Page[][] = [];
  private open: (OpenPage | undefined)[] = [];
  private nBytes = 0;
  private last = 0;

  // About nEntries will come; this settles how many rows a band has.
  constructor(private readonly shape: readonly [number, number], nEntries: number, private readonly most = MOST_HELD) {
    const nBands = Math.max(1, Math.ceil(nEntries / BAND_ENTRIES));
    this.height = Math.min(Math.max(1, Math.ceil(shape[0] / nBands)), MOST_ROWS);
  }

  // False where there is no room for entries that don't come row by row.
  add([rows, columns, values]: Entries): boolean {
    this.inOrder = this.inOrder && this.follow(rows);
    if (this.held) this.hold(rows, columns, values);
    if (this.nBytes > this.most && this.held) {
      this.held = false;
      this.pages = [];
      this.open = [];
    }
    return this.held || this.inOrder;
  }

  // Rows from first to last, a band at a time; columns are sorted, repeats summed.
  *bands(): Generator<Csr> {
    for (let start = 0, band = 0; start < this.shape[0]; start += this.height, band += 1) {
      yield this.band(band, Math.min(this.height, this.shape[0] - start));
    }
  }

  private follow(rows: Int32Array): boolean {
    let last = this.last, falls = 0;
    for (let i = 0; i < rows.length; i += 1) {
      if (rows[i] < last) falls += 1;
      last = rows[i];
    }
    this.last = last;
    return falls === 0;
  }

  private hold(rows: Int32Array, columns: Int32Array, values: Float32Array): void {
    const { height } = this;
    let first = 0, page: OpenPage | undefined;
    for (let i = 0; i < rows.length; i += 1) {
      const value = values[i];
      if (value === 0) continue;
      const row = rows[i];
      if (page === undefined || row < first || row >= first + height) {
        first = row - row % height;
        page = this.open[first / height] ??= new OpenPage(this.shape[1]);
      }
      const at = page.size;
      page.rows[at] = row - first;
      page.columns[at] = columns[i];
      page.values[at] = value;
      page.size = at + 1;
      if (page.size === PAGE) this.close(first / height, page);
    }
  }

  private close(band: number, open: OpenPage): void {
    const page = open.taken();
    (this.pages[band] ??= []).push(page);
    this.nBytes += page.rows.byteLength + (page.ends?.byteLength ?? 0) + page.columns.byteLength + page.values.byteLength;
  }

  private band(band: number, height: number): Csr {
    const open = this.open[band];
    if (open?.size) this.close(band, open);
    this.open[band] = undefined;
    const pages = this.pages[band] ?? [], indptr = startsOf(pages, height), width = this.shape[1];
    const indices = new Int32Array(indptr[height]), data = new Float32Array(indptr[height]), next = indptr.slice(0, height);
    for (const page of pages) spread(page, next, indices, data);
    const rows = new Csr(data, indices, indptr, width);
    return rising(indices, indptr) ? rows : sorted(rows);
  }
}

// Where each row begins.
function startsOf(pages: Page[], height: number): Int32Array {
  const starts = new Int32Array(height + 1);
  for (const { rows, ends } of pages) {
    for (let i = 0; i < rows.length; i += 1) starts[rows[i] + 1] += ends === null ? 1 : ends[i] - (i ? ends[i - 1] : 0);
  }
  for (let row = 0; row < height; row += 1) starts[row + 1] += starts[row];
  return starts;
}

// Puts entries of a page where those of their rows go on.
function spread({ rows, ends, columns, values }: Page, next: Int32Array, indices: Int32Array, data: Float32Array): void {
  for (let run = 0, i = 0; run < rows.length; run += 1) {
    let at = next[rows[run]];
    for (const end = ends === null ? i + 1 : ends[run]; i < end; i += 1, at += 1) {
      indices[at] = columns[i];
      data[at] = values[i];
    }
    next[rows[run]] = at;
  }
}

// Entries as sorted rows, repeats summed.
export function rowsOf([rows, columns, values]: Entries, height: number, width: number): Csr {
  const by = byKey(rows, height, columns, values), found = new Csr(by.values, by.one, by.starts, width);
  return rising(by.one, by.starts) ? found : sorted(found);
}

// Rows whose columns rise, repeats summed: sorted by column, then by row, which leaves the columns of a row in order.
function sorted({ data, indices, indptr, width }: Csr): Csr {
  const height = indptr.length - 1, rows = new Int32Array(data.length);
  for (let row = 0; row < height; row += 1) rows.fill(row, indptr[row], indptr[row + 1]);
  const across = byKey(indices, width, rows, data), columns = new Int32Array(data.length);
  for (let column = 0; column < width; column += 1) columns.fill(column, across.starts[column], across.starts[column + 1]);
  const both = byKey(across.one, height, columns, across.values);
  return summed(both.one, both.values, indptr, width);
}

// Entries sorted by a key, those with the same in the order in which they came.
function byKey(keys: Int32Array, nKeys: number, one: Int32Array, values: Float32Array) {
  const n = keys.length, starts = new Int32Array(nKeys + 1);
  for (let i = 0; i < n; i += 1) starts[keys[i] + 1] += 1;
  for (let key = 0; key < nKeys; key += 1) starts[key + 1] += starts[key];
  const next = starts.slice(0, nKeys), sorted = { one: new Int32Array(n), values: new Float32Array(n), starts };
  for (let i = 0; i < n; i += 1) {
    const at = next[keys[i]]++;
    sorted.one[at] = one[i];
    sorted.values[at] = values[i];
  }
  return sorted;
}

function rising(columns: Int32Array, indptr: Int32Array): boolean {
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    for (let i = indptr[row] + 1; i < indptr[row + 1]; i += 1) if (columns[i] <= columns[i - 1]) return false;
  }
  return true;
}

function summed(columns: Int32Array, values: Float32Array, indptr: Int32Array, width: number): Csr {
  const ends = new Int32Array(indptr.length);
  let n = 0;
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    const first = n;
    for (let i = indptr[row]; i < indptr[row + 1]; i += 1) {
      if (n > first && columns[n - 1] === columns[i]) values[n - 1] += values[i];
      else {
        columns[n] = columns[i];
        values[n++] = values[i];
      }
    }
    ends[row + 1] = n;
  }
  return new Csr(values.subarray(0, n), columns.subarray(0, n), ends, width);
}
