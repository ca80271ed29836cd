// Counts from which one gene or one cell is read without the others.
//
// They lie in blocks of cells, within a block gene by gene. A gene is then a short stretch of each block, and a cell is
// found in its own block. An entry takes three bytes, two for its cell and one for its value where that is a whole number
// below 256; other values lie apart. What memory shouldn't hold goes to a file of the browser's own, if it has one.
// Axes: n cells, g the bundle's genes, b blocks, e entries.

import { Csr } from "../base/csr.ts";
import type { Spill } from "./spill.ts";

// Counts that cells are scaled to before logarithms are taken.
const DEPTH = 1e4;
// Bytes of counts that memory holds; more go to a file.
const MOST_HELD = 400 * 1024 * 1024;
// Cells that lie together, where so many come.
const TOGETHER = 2048;
// Where more values than one in so many lie apart, all of a block are kept in full.
const FEW_APART = 12;
export const NOT_KEPT =
  "The counts of these cells don’t fit into the browser’s memory, and it gives the page no room on disk, so genes can’t be shown. Use Spoticell on your computer for this file.";

interface Block {
  first: number;
  cells: number;
  // Where each gene's entries begin among those of the block, and the last one's end.
  pointersG: Uint32Array;
  // Values that are no whole numbers below 256, by their places.
  apartE: Uint32Array;
  apart: Float32Array;
  isWhole: boolean;
  // Null where they lie in the file.
  rowsE: Uint16Array | null;
  valuesE: Uint8Array | Float32Array | null;
  // Their place in the file.
  at: number;
}

export class CountsWriter {
  private readonly blocks: Block[] = [];
  private waiting: Csr[] = [];
  private held = 0;
  private written = 0;
  private isLost = false;
  private n = 0;

  constructor(private readonly nGenes: number, private readonly spill: Spill | null = null, private readonly mostHeld = MOST_HELD) {}

  // Take in the next cells, some thousands at most.
  append(counts: Csr): void {
    this.waiting.push(counts);
    if (this.waiting.reduce((sum, part) => sum + part.height, 0) >= TOGETHER) this.pack();
  }

  private pack(): void {
    if (!this.waiting.length) return;
    const counts = this.waiting.length > 1 ? Csr.vstack(this.waiting) : this.waiting[0], first = this.n;
    this.waiting = [];
    this.n += counts.height;
    if (this.isLost) return;
    const pointersG = begins(counts, this.nGenes), next = pointersG.slice(), size = counts.nnz;
    const rowsE = new Uint16Array(size), fullE = new Float32Array(size);
    for (let n = 0; n < counts.height; n += 1) {
      for (let e = counts.indptr[n]; e < counts.indptr[n + 1]; e += 1) {
        const place = next[counts.indices[e]]++;
        rowsE[place] = n;
        fullE[place] = counts.data[e];
      }
    }
    this.keep({ first, cells: counts.height, pointersG, rowsE, at: 0, ...packed(fullE) });
  }

  private keep(block: Block): void {
    const bytes = block.rowsE!.byteLength + block.valuesE!.byteLength;
    if (this.held + bytes <= this.mostHeld) this.held += bytes;
    else if (!this.writeOut(block)) {
      this.isLost = true;
      this.blocks.length = 0;
      return;
    }
    this.blocks.push(block);
  }

  private writeOut(block: Block): boolean {
    const { spill } = this, values = bytesOf(block.valuesE!), rows = bytesOf(block.rowsE!);
    if (spill === null || !spill.write(values, this.written) || !spill.write(rows, this.written + values.length)) return false;
    block.at = this.written;
    this.written += values.length + rows.length;
    block.rowsE = block.valuesE = null;
    return true;
  }

  // What was taken in; null where there was no room for it.
  finish(): Counts | null {
    this.pack();
    return this.isLost ? null : new Counts(this.blocks, this.nGenes, this.n, this.spill);
  }
}

export class Counts {
  constructor(private readonly blocks: Block[], readonly nGenes: number, readonly nCells: number, private readonly spill: Spill | null) {}

  // Counts of one gene in all cells.
  gene(g: number): Float32Array {
    const countsN = new Float32Array(this.nCells);
    for (const block of this.blocks) {
      const start = block.pointersG[g], stop = block.pointersG[g + 1];
      if (start === stop) continue;
      const rowsE = this.rowsOf(block, start, stop), valuesE = this.valuesOf(block, start, stop);
      for (let e = 0; e < rowsE.length; e += 1) countsN[block.first + rowsE[e]] = valuesE[e];
    }
    return countsN;
  }

  // How many cells have a count of a gene.
  cellsWith(g: number): number {
    let cells = 0;
    for (const block of this.blocks) cells += block.pointersG[g + 1] - block.pointersG[g];
    return cells;
  }

  // Counts of one cell in all genes.
  cell(n: number): Float32Array {
    return this.rows([n]).toDense();
  }

  // Counts of some cells, whose places rise.
  rows(cellS: ArrayLike<number>): Csr {
    const parts: Csr[] = [];
    let from = 0;
    for (const block of this.blocks) {
      let to = from;
      while (to < cellS.length && cellS[to] < block.first + block.cells) to += 1;
      if (to > from) parts.push(this.rowsWithin(block, Array.prototype.slice.call(cellS, from, to)));
      from = to;
    }
    return Csr.vstack(parts, this.nGenes);
  }

  // Block after block the place of its first cell, and its counts.
  *each(): Generator<{ first: number; counts: Csr }> {
    for (const block of this.blocks) {
      const all = Array.from({ length: block.cells }, (_, i) => block.first + i);
      yield { first: block.first, counts: this.rowsWithin(block, all) };
    }
  }

  close(): void {
    this.spill?.close();
  }

  private rowsWithin(block: Block, cellS: number[]): Csr {
    const placeN = new Int32Array(block.cells).fill(-1), size = block.pointersG[this.nGenes];
    cellS.forEach((cell, s) => { placeN[cell - block.first] = s; });
    const rowsE = this.rowsOf(block, 0, size), valuesE = this.valuesOf(block, 0, size);
    const indptr = new Int32Array(cellS.length + 1);
    for (let e = 0; e < size; e += 1) if (placeN[rowsE[e]] >= 0) indptr[placeN[rowsE[e]] + 1] += 1;
    for (let s = 0; s < cellS.length; s += 1) indptr[s + 1] += indptr[s];
    const data = new Float32Array(indptr[cellS.length]), indices = new Int32Array(data.length), next = indptr.slice();
    for (let g = 0; g < this.nGenes; g += 1) {
      for (let e = block.pointersG[g]; e < block.pointersG[g + 1]; e += 1) {
        const s = placeN[rowsE[e]];
        if (s < 0) continue;
        data[next[s]] = valuesE[e];
        indices[next[s]++] = g;
      }
    }
    return new Csr(data, indices, indptr, this.nGenes);
  }

  private rowsOf(block: Block, start: number, stop: number): Uint16Array {
    if (block.rowsE !== null) return block.rowsE.subarray(start, stop);
    const rowsE = new Uint16Array(stop - start), size = block.isWhole ? 1 : 4;
    this.spill!.read(bytesOf(rowsE), block.at + size * block.pointersG[this.nGenes] + 2 * start);
    return rowsE;
  }

  private valuesOf(block: Block, start: number, stop: number): Float32Array {
    let stored: Uint8Array | Float32Array;
    if (block.valuesE !== null) {
      stored = block.valuesE.subarray(start, stop);
    } else {
      stored = block.isWhole ? new Uint8Array(stop - start) : new Float32Array(stop - start);
      this.spill!.read(bytesOf(stored), block.at + stored.BYTES_PER_ELEMENT * start);
    }
    if (stored instanceof Float32Array) return stored;
    const valuesE = Float32Array.from(stored);
    for (let k = firstFrom(block.apartE, start); k < block.apartE.length && block.apartE[k] < stop; k += 1) {
      valuesE[block.apartE[k] - start] = block.apart[k];
    }
    return valuesE;
  }
}

// Natural logarithm of 1 and counts per 10,000 counts of their cell; zero in cells without counts.
export function logNormalised(countsN: ArrayLike<number>, totalN: ArrayLike<number>): Float64Array {
  const valueN = new Float64Array(countsN.length);
  for (let n = 0; n < valueN.length; n += 1) if (countsN[n]) valueN[n] = Math.log1p((DEPTH * countsN[n]) / Math.max(totalN[n], 1e-9));
  return valueN;
}

function begins(counts: Csr, nGenes: number): Uint32Array {
  const pointersG = new Uint32Array(nGenes + 1);
  for (let e = 0; e < counts.indices.length; e += 1) pointersG[counts.indices[e] + 1] += 1;
  for (let g = 0; g < nGenes; g += 1) pointersG[g + 1] += pointersG[g];
  return pointersG;
}

function packed(fullE: Float32Array): Pick<Block, "apartE" | "apart" | "isWhole" | "valuesE"> {
  const wholeE = new Uint8Array(fullE.length), apartE: number[] = [], most = fullE.length / FEW_APART;
  for (let e = 0; e < fullE.length && apartE.length <= most; e += 1) {
    wholeE[e] = fullE[e];
    if (wholeE[e] !== fullE[e]) apartE.push(e);
  }
  const isWhole = apartE.length <= most;
  const places = Uint32Array.from(isWhole ? apartE : []);
  return { isWhole, valuesE: isWhole ? wholeE : fullE, apartE: places, apart: Float32Array.from(places, (e) => fullE[e]) };
}

const bytesOf = (values: Uint8Array | Uint16Array | Float32Array): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function firstFrom(sorted: Uint32Array, least: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
