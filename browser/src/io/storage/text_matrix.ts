// The matrix of a text: its entries are sorted by cell when it is first read, and kept.

import { Csr } from "../../base/csr.ts";
import { FileFormatError } from "../../base/errors.ts";
import { BAND_ENTRIES, Bands, type Entries, MOST_HELD, rowsOf } from "./bands.ts";
import { StoredMatrix } from "./matrix.ts";

export abstract class TextMatrix extends StoredMatrix {
  // About how many entries there are.
  abstract readonly nEntries: number;
  private bands: Bands | null = null;

  constructor(shape: readonly [number, number], where: [file: string, label: string], private readonly mostHeld = MOST_HELD) {
    super(shape, where);
  }

  // Cells, genes and values in the order of the file, in room that the next ones get; may be asked for more than once.
  abstract entries(): Generator<Entries>;

  *parts(_size: number): Generator<Csr> {
    if (this.bands === null) {
      const bands = new Bands(this.shape, this.nEntries, this.mostHeld);
      for (const entries of this.entries()) if (!bands.add(entries)) throw this.tooLarge();
      this.bands = bands;
    }
    yield* this.bands.held ? this.bands.bands() : this.inOrder();
  }

  override close(): void {
    this.bands = null;
  }

  // Rows of a text that lies cell by cell, as it is read.
  private *inOrder(): Generator<Csr> {
    const [height, width] = this.shape;
    let held: Entries[] = [], nHeld = 0, start = 0;
    for (const entries of this.entries()) {
      const [rows, columns, values] = entries;
      held.push([rows.slice(), columns.slice(), values.slice()]);
      nHeld += rows.length;
      const last = rows.length ? rows[rows.length - 1] : start;
      if (nHeld < BAND_ENTRIES || last === start) continue;
      // the last row may go on
      const { before, rest } = parted(held, last, start);
      yield rowsOf(before, last - start, width);
      [held, nHeld, start] = [[rest], rest[0].length, last];
    }
    const { before } = parted(held, height, start);
    yield rowsOf(before, height - start, width);
  }

  private tooLarge(): FileFormatError {
    return new FileFormatError(
      `${this.file}: its numbers don't lie cell by cell, and are too many to be sorted in a browser. ` +
      "Write it cell by cell, save the counts as .h5ad, or name the cells with the Python package.",
    );
  }
}

// Entries of rows before one, counted from start, and the others.
function parted(held: Entries[], stop: number, start: number): { before: Entries; rest: Entries } {
  const all = held.reduce((sum, [rows]) => sum + rows.length, 0);
  const rows = new Int32Array(all), columns = new Int32Array(all), values = new Float32Array(all);
  let n = 0;
  for (const part of held) {
    rows.set(part[0], n);
    columns.set(part[1], n);
    values.set(part[2], n);
    n += part[0].length;
  }
  let cut = all;
  while (cut > 0 && rows[cut - 1] >= stop) cut -= 1;
  const rest: Entries = [rows.slice(cut), columns.slice(cut), values.slice(cut)];
  for (let i = 0; i < cut; i += 1) rows[i] -= start;
  return { before: [rows.subarray(0, cut), columns.subarray(0, cut), values.subarray(0, cut)], rest };
}
