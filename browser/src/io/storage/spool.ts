// Entries of a matrix in any order, sorted by cell within bounded memory.
// Matrices stored gene by gene can't be read cell by cell. A page has no disk to sort them on, so up to BAND_ENTRIES are
// sorted in memory and kept. Of a larger matrix the entries are gone through again for each band of cells that fits.

import { Csr } from "../../base/csr.ts";
import { FileFormatError } from "../../base/errors.ts";

// Cells, genes and values, all of one length.
export type Entries = [Int32Array, Int32Array, Float32Array];

// Entries of a band: 12 bytes each while they come, 8 bytes more while they are sorted.
export const BAND_ENTRIES = 1 << 25;
// How often all entries are gone through at most.
export const MOST_PASSES = 24;

export class Spool {
  // Entries of each row.
  private readonly size: Int32Array;
  private kept: Entries[] | null = [];
  private only: Csr | null = null;
  private nEntries = 0;

  constructor(private readonly shape: readonly [number, number], private readonly entries: () => Iterable<Entries>, private readonly band = BAND_ENTRIES) {
    this.size = new Int32Array(shape[0]);
    for (const part of entries()) this.add(part);
    if (this.kept !== null) {
      const sorted = new Band(0, this.size, shape[1]);
      // what was sorted is let go of at once
      for (let part = this.kept.shift(); part !== undefined; part = this.kept.shift()) sorted.add(part);
      this.only = sorted.rows();
    }
  }

  // Rows from first to last, a band at a time; repeats are kept.
  *bands(): Generator<Csr> {
    if (this.only !== null) return yield this.only;
    for (const [start, stop] of this.stretches()) {
      const sorted = new Band(start, this.size.subarray(start, stop), this.shape[1]);
      for (const part of this.entries()) sorted.add(part);
      yield sorted.rows();
    }
  }

  // Refuses a matrix that would be gone through too often.
  check(file: string, label: string): void {
    if (this.only !== null || this.stretches().length <= MOST_PASSES) return;
    throw new FileFormatError(
      `${file}: '${label}' isn't stored by cell and is too large to be sorted in a browser. Write it by cell, in Python ` +
      "`adata.X = adata.X.tocsr()`, or name the cells with the Python package.",
    );
  }

  private add(part: Entries): void {
    const [row] = part;
    for (let i = 0; i < row.length; i += 1) this.size[row[i]] += 1;
    this.nEntries += row.length;
    if (this.nEntries > this.band) this.kept = null;
    this.kept?.push(part);
  }

  private stretches(): [number, number][] {
    const found: [number, number][] = [];
    let start = 0, held = 0;
    for (let row = 0; row < this.size.length; row += 1) {
      if (held && held + this.size[row] > this.band) {
        found.push([start, row]);
        [start, held] = [row, 0];
      }
      held += this.size[row];
    }
    return [...found, [start, this.size.length]];
  }
}

// Some consecutive rows that get their entries in any order.
class Band {
  private readonly indptr: Int32Array;
  private readonly next: Int32Array;
  private readonly indices: Int32Array;
  private readonly data: Float32Array;

  constructor(private readonly start: number, size: Int32Array, private readonly width: number) {
    this.indptr = new Int32Array(size.length + 1);
    for (let i = 0; i < size.length; i += 1) this.indptr[i + 1] = this.indptr[i] + size[i];
    this.next = this.indptr.slice(0, size.length);
    this.indices = new Int32Array(this.indptr[size.length]);
    this.data = new Float32Array(this.indptr[size.length]);
  }

  add([row, column, value]: Entries): void {
    const { start, next, indices, data } = this, height = next.length;
    for (let i = 0; i < row.length; i += 1) {
      const here = row[i] - start;
      if (here < 0 || here >= height) continue;
      const place = next[here]++;
      indices[place] = column[i];
      data[place] = value[i];
    }
  }

  rows(): Csr {
    return new Csr(this.data, this.indices, this.indptr, this.width);
  }
}
