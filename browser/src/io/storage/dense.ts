// Dense matrices: every number is stored, in chunks or in one run.

import { Csr } from "../../base/csr.ts";
import { FileFormatError } from "../../base/errors.ts";
import { canonical } from "./canonical.ts";
import { type Entries, single, SpooledMatrix, StoredMatrix } from "./matrix.ts";
import { reading, type StoredArray, type Tree } from "./tree.ts";
import { isNumber } from "./values.ts";

// Numbers unpacked at once.
const VALUES_AT_ONCE = 1 << 22;
// Chunks with more cells than this are unpacked once, through a spool.
const TALL_CHUNK = 8192;

type Where = [file: string, label: string];
type Range = [start: number, stop: number];

// A dense array seen as cells x genes, read in rectangles; byGene where genes are its rows.
export class Tiles {
  readonly shape: [number, number];
  // Cells and genes that are packed together.
  readonly chunk: [number, number];

  constructor(private readonly tree: Tree, private readonly array: StoredArray, private readonly where: Where, private readonly byGene: boolean) {
    if (array.shape.length !== 2) throw new FileFormatError(`${where[0]}: '${where[1]}' has ${array.shape.length} axes, a matrix needs two.`);
    this.shape = this.turned(array.shape);
    this.chunk = this.turned(array.chunks ?? [1, 1]);
  }

  // Numbers cell by cell.
  read(cells: Range, genes: Range, matrix: StoredMatrix): Float32Array {
    if (!isNumber(this.array.dtype)) throw matrix.bad(`${this.array.dtype.name} where numbers belong`);
    const [rows, columns] = this.byGene ? [genes, cells] : [cells, genes];
    const values = reading(this.where[0], `'${this.where[1]}'`, () => this.tree.rectangle(this.array, rows, columns));
    if (!this.byGene) return single(values);
    const nCells = cells[1] - cells[0], nGenes = genes[1] - genes[0], turned = new Float32Array(values.length);
    for (let gene = 0; gene < nGenes; gene += 1) {
      for (let cell = 0; cell < nCells; cell += 1) turned[cell * nGenes + gene] = values[gene * nCells + cell];
    }
    return turned;
  }

  // Ranges of genes, whole chunks wide, for rectangles of so many cells that fit in memory.
  *across(height: number): Generator<Range> {
    const wide = this.chunk[1], nGenes = this.shape[1];
    const step = Math.max(wide, Math.floor(Math.floor(VALUES_AT_ONCE / Math.max(1, height)) / wide) * wide);
    for (let left = 0; left < nGenes; left += step) yield [left, Math.min(left + step, nGenes)];
  }

  private turned([first, second]: readonly number[]): [number, number] {
    return this.byGene ? [second, first] : [first, second];
  }
}

// A dense matrix read as many cells at a time as a block has.
class Dense extends StoredMatrix {
  override byCell = true;

  constructor(private readonly tiles: Tiles, where: Where) {
    super(tiles.shape, where);
  }

  parts(size: number): Generator<Csr> {
    return this.rows(0, this.shape[0], size);
  }

  override *rows(start: number, stop: number, size: number): Generator<Csr> {
    for (let first = start; first < stop; first += size) {
      const cells: Range = [first, Math.min(first + size, stop)];
      const strips: [number, Csr][] = [];
      for (const genes of this.tiles.across(cells[1] - start)) {
        strips.push([genes[0], sparse(this.tiles.read(cells, genes, this), cells[1] - first, genes[1] - genes[0])]);
      }
      yield canonical(strips.length === 1 ? strips[0][1] : beside(strips, cells[1] - first, this.shape[1]));
    }
  }
}

// A dense matrix in chunks of so many cells that each must be unpacked only once.
class TallDense extends SpooledMatrix {
  constructor(private readonly tiles: Tiles, where: Where) {
    super(tiles.shape, where);
  }

  *entries(): Generator<Entries> {
    const tall = this.tiles.chunk[0];
    for (let start = 0; start < this.shape[0]; start += tall) {
      const cells: Range = [start, Math.min(start + tall, this.shape[0])];
      for (const genes of this.tiles.across(tall)) {
        const width = genes[1] - genes[0], { data, indices, indptr } = sparse(this.tiles.read(cells, genes, this), cells[1] - start, width);
        const row = new Int32Array(data.length);
        for (let cell = 0; cell + 1 < indptr.length; cell += 1) row.fill(start + cell, indptr[cell], indptr[cell + 1]);
        for (let e = 0; e < indices.length; e += 1) indices[e] += genes[0];
        yield [row, indices, data];
      }
    }
  }
}

// Reader of a dense array; byGene where genes are the rows of the file.
export function dense(tree: Tree, array: StoredArray, where: Where, byGene = false): StoredMatrix {
  const tiles = new Tiles(tree, array, where, byGene);
  return tiles.chunk[0] > TALL_CHUNK ? new TallDense(tiles, where) : new Dense(tiles, where);
}

function sparse(values: Float32Array, height: number, width: number): Csr {
  let n = 0;
  for (let i = 0; i < values.length; i += 1) if (values[i] !== 0) n += 1;
  const data = new Float32Array(n), indices = new Int32Array(n), indptr = new Int32Array(height + 1);
  for (let row = 0, at = 0, i = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, i += 1) {
      if (values[i] === 0) continue;
      data[at] = values[i];
      indices[at] = column;
      at += 1;
    }
    indptr[row + 1] = at;
  }
  return new Csr(data, indices, indptr, width);
}

// Strips of the same rows side by side, each with its first column.
function beside(strips: [number, Csr][], height: number, width: number): Csr {
  const size = strips.reduce((sum, [, strip]) => sum + strip.nnz, 0);
  const data = new Float32Array(size), indices = new Int32Array(size), indptr = new Int32Array(height + 1);
  for (let row = 0, at = 0; row < height; row += 1) {
    for (const [left, strip] of strips) {
      for (let e = strip.indptr[row]; e < strip.indptr[row + 1]; e += 1, at += 1) {
        data[at] = strip.data[e];
        indices[at] = strip.indices[e] + left;
      }
    }
    indptr[row + 1] = at;
  }
  return new Csr(data, indices, indptr, width);
}
