// Stored matrices read in blocks of cells: compressed by cell, or in any other order.
// Pointers and indices are checked before they are used. Matrices stored by gene go through a Spool.

import { searchsorted } from "../../base/arrays.ts";
import { Csr } from "../../base/csr.ts";
import { FileFormatError } from "../../base/errors.ts";
import { comma } from "../../base/words.ts";
import type { CellBlock } from "../source.ts";
import { canonical } from "./canonical.ts";
import { type Entries, Spool } from "./spool.ts";
import { reading, type StoredArray, type Tree } from "./tree.ts";
import { isNumber, type NumberArray } from "./values.ts";

export { canonical } from "./canonical.ts";
export type { Entries } from "./spool.ts";

// Numbers of a matrix held in memory at once while it is read.
export const ENTRIES_AT_ONCE = 1 << 20;
// Cells whose pointers are read at once.
export const POINTERS_AT_ONCE = 1 << 18;
// How often a large chunk may be unpacked.
export const MOST_UNPACKED = 4;
// Numbers in a piece that is read, and in a block that is given.
export const PIECE_ENTRIES = 1 << 24;
export const MOST_IN_BLOCK = 1 << 28;

export type Arrays = [data: StoredArray, indices: StoredArray, indptr: StoredArray];

// Makes an error of what is wrong.
export type Bad = (what: string) => FileFormatError;

// A matrix of cells by genes somewhere in a file.
export abstract class StoredMatrix {
  // Whether rows can be read without those before them, see rows.
  byCell = false;
  readonly file: string;
  readonly label: string;

  constructor(readonly shape: readonly [number, number], where: [file: string, label: string]) {
    [this.file, this.label] = where;
  }

  // Rows from first to last in pieces of any height.
  abstract parts(size: number): Generator<Csr>;

  // Rows from start up to stop in pieces of any height, where the matrix is stored by cell.
  rows(_start: number, _stop: number, _size: number): Generator<Csr> {
    throw new Error(`'${this.label}' isn't stored by cell`);
  }

  // Rows from first to last, size at a time.
  blocks(size: number): Generator<CellBlock> {
    return this.bounded(regroup(this.parts(size), size));
  }

  // Those of blocks that begin from start on and before stop, both whole blocks away from the first.
  *between(start: number, stop: number, size: number): Generator<CellBlock> {
    if (this.byCell) {
      yield* this.bounded(regroup(this.rows(start, Math.min(stop, this.shape[0]), size), size, start));
      return;
    }
    for (const block of this.blocks(size)) {
      if (block.start >= start) yield block;
      if (block.start + block.values.height >= stop) return;
    }
  }

  // Lets go of what was kept.
  close(): void {}

  // Error about this matrix.
  readonly bad: Bad = (what) => new FileFormatError(`${this.file}: ${what} in '${this.label}'. The file is damaged: write it again.`);

  private *bounded(blocks: Iterable<CellBlock>): Generator<CellBlock> {
    for (const block of blocks) {
      if (block.values.nnz > MOST_IN_BLOCK) throw this.bad(`${comma(block.values.nnz)} numbers in ${block.values.height} cells`);
      yield block;
    }
  }
}

// Compressed sparse rows: the entries of a cell lie together.
export class ByCell extends StoredMatrix {
  override byCell = true;
  private readonly data: StoredArray;
  private readonly indices: StoredArray;
  private readonly indptr: StoredArray;

  constructor(private readonly tree: Tree, arrays: Arrays, shape: readonly [number, number], where: [string, string]) {
    super(shape, where);
    [this.data, this.indices, this.indptr] = arrays;
    checkCompressed(arrays, shape, shape[0], where);
  }

  parts(size: number): Generator<Csr> {
    return this.rows(0, this.shape[0], size);
  }

  override *rows(start: number, stop: number, size: number): Generator<Csr> {
    const step = Math.max(size, POINTERS_AT_ONCE);
    let last = start ? null : 0;
    for (let first = start; first < stop; first += step) {
      const pointers = this.pointers(first, Math.min(first + step, stop), last);
      last = pointers[pointers.length - 1];
      for (const [top, bottom] of cuts(pointers, size, this.least())) yield this.piece(pointers.subarray(top, bottom + 1));
    }
  }

  // Entries to read at least: each piece unpacks its chunks anew, so large ones ask for large pieces.
  private least(): number {
    const largest = Math.max(...[this.data, this.indices].map(({ chunks }) => chunks?.[0] ?? 1));
    return Math.floor(largest / MOST_UNPACKED);
  }

  private pointers(start: number, stop: number, last: number | null): Float64Array {
    const pointers = integers(this.tree, this.indptr, start, stop + 1, this);
    const end = pointers[pointers.length - 1], nValues = this.data.shape[0];
    let longest = 0, disordered = last === null ? pointers[0] < 0 : pointers[0] !== last;
    for (let i = 1; i < pointers.length; i += 1) {
      const length = pointers[i] - pointers[i - 1];
      if (length < 0) disordered = true;
      if (length > longest) longest = length;
    }
    if (disordered || end > nValues) throw this.bad(`row pointers out of order between cells ${start} and ${stop}`);
    if (stop === this.shape[0] && end !== nValues) throw this.bad(`${nValues} values but pointers to ${end}`);
    if (longest > Math.max(this.shape[1], ENTRIES_AT_ONCE)) throw this.bad(`a cell with ${longest} values for ${this.shape[1]} genes`);
    return pointers;
  }

  private piece(pointers: Float64Array): Csr {
    const start = pointers[0], stop = pointers[pointers.length - 1];
    const columns = inRange(this.tree, this.indices, start, stop, this.shape[1], this);
    const values = numbers(this.tree, this.data, start, stop, this);
    const indptr = shifted(pointers, start);
    return canonical(new Csr(values, columns, indptr, this.shape[1]));
  }
}

// A matrix whose entries come in another order than by cell; sorted once, when first read.
export abstract class SpooledMatrix extends StoredMatrix {
  private spool: Spool | null = null;

  // Cells, genes and values in the order of the file; may be asked for more than once.
  abstract entries(): Generator<Entries>;

  *parts(_size: number): Generator<Csr> {
    if (this.spool === null) {
      const spool = new Spool(this.shape, () => this.entries());
      spool.check(this.file, this.label);
      this.spool = spool;
    }
    yield* this.spool.bands();
  }

  override close(): void {
    this.spool = null;
  }
}

// Compressed sparse columns: the entries of a gene lie together.
export class ByGene extends SpooledMatrix {
  private readonly data: StoredArray;
  private readonly indices: StoredArray;
  private readonly indptr: StoredArray;

  constructor(private readonly tree: Tree, arrays: Arrays, shape: readonly [number, number], where: [string, string]) {
    super(shape, where);
    [this.data, this.indices, this.indptr] = arrays;
    checkCompressed(arrays, shape, shape[1], where);
  }

  *entries(): Generator<Entries> {
    const nEntries = this.data.shape[0];
    const pointers = integers(this.tree, this.indptr, 0, this.indptr.shape[0], this);
    let fits = pointers[0] === 0 && pointers[pointers.length - 1] === nEntries;
    for (let i = 1; i < pointers.length; i += 1) if (pointers[i] < pointers[i - 1]) fits = false;
    if (!fits) throw this.bad(`column pointers that don't fit ${nEntries} values`);
    const step = Math.max(ENTRIES_AT_ONCE, this.data.chunks?.[0] ?? 1, this.indices.chunks?.[0] ?? 1);
    for (let start = 0, gene = 0; start < nEntries; start += step) {
      const stop = Math.min(start + step, nEntries);
      const row = inRange(this.tree, this.indices, start, stop, this.shape[0], this);
      const value = numbers(this.tree, this.data, start, stop, this);
      const column = new Int32Array(stop - start);
      for (let i = 0; i < column.length; i += 1) {
        while (pointers[gene + 1] <= start + i) gene += 1;
        column[i] = gene;
      }
      yield [row, column, value];
    }
  }
}

// Blocks of exactly size cells (the last may be shorter) from pieces of any height, the first at start.
export function* regroup(parts: Iterable<Csr>, size: number, start = 0): Generator<CellBlock> {
  let held: Csr[] = [], nHeld = 0;
  const block = () => ({ start, values: canonical(held.length === 1 ? held[0] : Csr.vstack(held)) });
  for (const part of parts) {
    const { height } = part;
    for (let top = 0; top < height;) {
      const taken = Math.min(size - nHeld, height - top);
      held.push(taken === height ? part : part.slice(top, top + taken));
      nHeld += taken;
      top += taken;
      if (nHeld < size) continue;
      yield block();
      [start, held, nHeld] = [start + size, [], 0];
    }
  }
  if (held.length) yield block();
}

// Ranges of size rows: of more where these have less than least entries, of fewer where more than most.
export function* cuts(pointers: Float64Array, size: number, least = 0, most = PIECE_ENTRIES): Generator<[number, number]> {
  const nRows = pointers.length - 1;
  // the last row whose entries all lie before so many more
  const upTo = (top: number, more: number) => searchsorted(pointers, pointers[top] + more, true) - 1;
  for (let top = 0; top < nRows;) {
    const bottom = Math.max(top + 1, upTo(top, Math.min(least, most)), Math.min(top + size, upTo(top, most)));
    yield [top, bottom];
    top = bottom;
  }
}

// Refuses a compressed matrix whose three arrays don't fit each other; looks only at their shapes.
export function checkCompressed(arrays: Arrays, shape: readonly [number, number], nLines: number, where: [string, string]): void {
  const [data, indices, indptr] = arrays, [file, label] = where;
  const refuse = (what: string) => new FileFormatError(`${file}: '${label}' has ${what}. The file is damaged: write it again.`);
  checkLists(arrays, where);
  if (indptr.shape[0] !== nLines + 1) throw refuse(`${indptr.shape[0]} pointers, ${nLines + 1} are needed for its shape`);
  if (data.shape[0] !== indices.shape[0]) throw refuse(`${data.shape[0]} values but ${indices.shape[0]} indices`);
  if (data.shape[0] > Math.max(shape[0] * shape[1], ENTRIES_AT_ONCE)) {
    throw refuse(`${comma(data.shape[0])} values for ${comma(shape[0])} cells and ${comma(shape[1])} genes`);
  }
}

// Refuses the arrays of a compressed matrix if they aren't lists.
export function checkLists(arrays: StoredArray[], where: [string, string]): void {
  if (arrays.every((array) => array.shape.length === 1)) return;
  throw new FileFormatError(`${where[0]}: 'data', 'indices' and 'indptr' of '${where[1]}' must be lists of numbers.`);
}

// Whole numbers of a list.
function wholes(tree: Tree, array: StoredArray, start: number, stop: number, { file, label, bad }: StoredMatrix): NumberArray {
  if (!"iu".includes(array.dtype.kind)) throw bad(`whole numbers expected, found ${array.dtype.name}`);
  return reading(file, `'${label}'`, () => tree.slice(array, start, stop));
}

// Whole numbers in double precision, which is exact up to 2**53.
export function integers(tree: Tree, array: StoredArray, start: number, stop: number, matrix: StoredMatrix): Float64Array {
  return new Float64Array(wholes(tree, array, start, stop, matrix));
}

// Indices, all from 0 up to limit.
export function inRange(tree: Tree, array: StoredArray, start: number, stop: number, limit: number, matrix: StoredMatrix): Int32Array {
  const values = wholes(tree, array, start, stop, matrix);
  let least = 0, most = 0;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i];
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  if (values.length && (least < 0 || most >= limit)) {
    throw matrix.bad(`index ${most >= limit ? most : least} where only 0 to ${limit - 1} exist`);
  }
  return values instanceof Int32Array ? values : new Int32Array(values);
}

// Numbers in single precision.
export function numbers(tree: Tree, array: StoredArray, start: number, stop: number, matrix: StoredMatrix): Float32Array {
  if (!isNumber(array.dtype)) throw matrix.bad(`${array.dtype.name} where numbers belong`);
  const values = reading(matrix.file, `'${matrix.label}'`, () => tree.slice(array, start, stop));
  return single(values);
}

export const single = (values: NumberArray): Float32Array => (values instanceof Float32Array ? values : new Float32Array(values));

function shifted(pointers: Float64Array, start: number): Int32Array {
  const indptr = new Int32Array(pointers.length);
  for (let i = 0; i < indptr.length; i += 1) indptr[i] = pointers[i] - start;
  return indptr;
}
