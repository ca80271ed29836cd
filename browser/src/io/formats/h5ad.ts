// AnnData files: .h5ad.
// Read are X, layers, raw/X, the tables obs, var and raw/var, and nothing else: uns, obsm and whatever links they hold
// are never touched.

import { FileFormatError } from "../../base/errors.ts";
import type { Frame } from "../../base/frame.ts";
import { BLOCK, type CellBlock, CellSource } from "../source.ts";
import { dense } from "../storage/dense.ts";
import { type Arrays, ByCell, ByGene, checkLists, type StoredMatrix } from "../storage/matrix.ts";
import { checkCells, checkMatrices } from "../storage/room.ts";
import { type Attribute, damaged, MOST_CELLS, MOST_GENES, nBytesOf, type StoredArray, type Tree, wordOf } from "../storage/tree.ts";
import { isNumber } from "../storage/values.ts";
import { type Chosen, chooseFeatures, keptOf, someGenes } from "./features.ts";
import { StoredFrame } from "./frames.ts";

// Names that layers of counts go by, likeliest first; compared in lower case.
export const COUNT_LAYERS = ["counts", "raw_counts", "count", "umi", "umis", "umi_counts", "rawcounts", "raw.counts", "raw"];

const LAST_LAYERS = ["spliced"];
const NEVER = ["unspliced", "ambiguous"];
const OLD_RAW: Record<string, string> = { "raw/X": "raw.X", "raw/var": "raw.var" };

type Shape = [nCells: number, nGenes: number];
type Where = [file: string, label: string];

// Cells of an AnnData file; it is closed with the source.
export class AnnDataSource extends CellSource {
  readonly name: string;
  readonly nCells: number;
  readonly matrices: string[];
  override readonly others: string[];
  private readonly table: StoredFrame;
  private readonly stored = new Map<string, StoredMatrix>();
  private readonly frames = new Map<string, StoredFrame>();
  private readonly columns = new Map<string, Map<string, string[]>>();
  private readonly features = new Map<string, Chosen>();
  private names: string[] | null = null;

  constructor(readonly tree: Tree, readonly format: string) {
    super();
    this.name = tree.name;
    this.table = new StoredFrame(tree, "obs", MOST_CELLS);
    this.nCells = this.table.length;
    checkCells(this.name, this.nCells, tree.room);
    const present = this.present();
    checkMatrices(this.name, present.reduce((sum, name) => sum + this.nBytes(name), 0), tree.room);
    this.matrices = orderMatrices(present);
    this.others = present.filter((name) => !this.matrices.includes(name));
    if (!this.matrices.length) throw new FileFormatError(`${this.name} holds no matrix: 'X', 'layers' and 'raw/X' are empty.`);
    if (this.matrices.every((matrix) => this.variables(matrix).length === 0)) {
      throw new FileFormatError(`${this.name} has no genes: its table 'var' is empty.`);
    }
  }

  // Read when first asked for.
  get cellNames(): string[] {
    return this.names ??= this.table.index();
  }

  // Columns of text of var, or of raw/var for raw/X; only genes are kept.
  geneColumns(matrix: string): Map<string, string[]> {
    const { keepV } = this.chosen(matrix);
    return new Map([...this.words(this.variables(matrix))].map(([name, values]) => [name, keptOf(values, keepV)]));
  }

  override notes(matrix: string): string[] {
    return [...this.warnings, ...this.chosen(matrix).warnings];
  }

  blocks(matrix: string, size = BLOCK): Generator<CellBlock> {
    return this.matrix(matrix).blocks(size);
  }

  override readsAnywhere(matrix: string): boolean {
    return this.matrix(matrix).byCell;
  }

  override between(matrix: string, start: number, stop: number, size = BLOCK): Generator<CellBlock> {
    return this.matrix(matrix).between(start, stop, size);
  }

  override nStored(matrix: string): number | null {
    const place = this.place(matrix);
    return this.tree.node(place)?.group ? this.tree.array(`${place}/data`)?.shape[0] ?? null : null;
  }

  // The table about cells, without columns of kinds that aren't known.
  obs(): Frame {
    return this.table.table();
  }

  override close(): void {
    for (const stored of this.stored.values()) stored.close();
    this.tree.close();
  }

  private present(): string[] {
    return ["X", "raw/X", ...this.tree.names("layers").map((name) => `layers/${name}`)].filter((name) => this.isMatrix(name));
  }

  private isMatrix(name: string): boolean {
    const node = this.tree.node(this.place(name));
    if (node === null) return false;
    if (!node.group) return node.shape.length === 2 && !this.tree.isUnwritten(node);
    const names = this.tree.names(this.place(name));
    return ["data", "indices", "indptr"].every((part) => names.includes(part));
  }

  // Bytes to which a matrix declares to unpack.
  private nBytes(name: string): number {
    const path = this.place(name);
    const arrays = [path, `${path}/data`, `${path}/indices`].map((place) => this.tree.array(place));
    return arrays.reduce((sum, array) => sum + (array === null ? 0 : nBytesOf(array)), 0);
  }

  // Path of a matrix or table, where files older than AnnData 0.7 keep it if need be.
  private place(name: string): string {
    const old = OLD_RAW[name];
    return old !== undefined && this.tree.node(name) === null && this.tree.node(old) !== null ? old : name;
  }

  private variables(matrix: string): StoredFrame {
    const path = matrix === "raw/X" ? this.place("raw/var") : "var";
    let frame = this.frames.get(path);
    if (frame === undefined) this.frames.set(path, frame = new StoredFrame(this.tree, path, MOST_GENES));
    return frame;
  }

  private words(frame: StoredFrame): Map<string, string[]> {
    let columns = this.columns.get(frame.path);
    if (columns !== undefined) return columns;
    columns = new Map([["index", frame.index()]]);
    for (const name of frame.columns) {
      const values = frame.strings(name);
      if (values !== null && !columns.has(name)) columns.set(name, values);
    }
    this.columns.set(frame.path, columns);
    return columns;
  }

  private chosen(matrix: string): Chosen {
    const frame = this.variables(matrix);
    let chosen = this.features.get(frame.path);
    if (chosen === undefined) this.features.set(frame.path, chosen = chooseFeatures(this.words(frame), this.name));
    return chosen;
  }

  private matrix(name: string): StoredMatrix {
    if (!this.matrices.includes(name) && !this.others.includes(name)) throw new Error(`there is no matrix ${name}`);
    let stored = this.stored.get(name);
    if (stored === undefined) this.stored.set(name, stored = someGenes(this.store(name), this.chosen(name).keepV));
    return stored;
  }

  private store(name: string): StoredMatrix {
    const path = this.place(name), frame = this.variables(name);
    if (frame.length === 0) throw new FileFormatError(`${this.name}: '${name}' has no genes.`);
    const shape: Shape = [this.nCells, frame.length], where: Where = [this.name, name], node = this.tree.node(path)!;
    if (node.group) return this.sparse(path, shape, where);
    const matrix = dense(this.tree, node, where);
    this.checkShape(matrix.shape, shape, name);
    return matrix;
  }

  private sparse(path: string, shape: Shape, where: Where): StoredMatrix {
    const [data, indices, indptr] = ["data", "indices", "indptr"].map((part) => this.tree.array(`${path}/${part}`));
    if (data === null || indices === null || indptr === null) {
      throw new FileFormatError(`${this.name}: '${where[1]}' lacks one of 'data', 'indices' and 'indptr'.`);
    }
    const arrays: Arrays = [data, indices, indptr];
    checkLists(arrays, where);
    const stated = this.stated(path, "shape", "h5sparse_shape");
    if (stated !== null) this.checkShape(sides(stated, where), shape, where[1]);
    const byCell = isByCell(wordOf(this.stated(path, "encoding-type", "h5sparse_format")), indptr.shape[0], shape);
    if (byCell === null) throw new FileFormatError(`${this.name}: '${where[1]}' doesn't say whether it is stored by cell or by gene.`);
    this.checkChunks(data, indices, where);
    return new (byCell ? ByCell : ByGene)(this.tree, arrays, shape, where);
  }

  // The first of some attributes that is there.
  private stated(path: string, ...names: string[]): Attribute | null {
    for (const name of names) {
      const found = this.tree.attribute(path, name);
      if (found !== null) return found;
    }
    return null;
  }

  private checkShape(found: readonly number[], needed: Shape, name: string): void {
    if (found.length === 2 && found[0] === needed[0] && found[1] === needed[1]) return;
    throw new FileFormatError(
      `${this.name}: '${name}' is ${found.join(" x ")}, but the tables name ${needed[0]} cells and ` +
      `${needed[1]} genes. The file is damaged: write it again.`,
    );
  }

  // A list of column numbers may be all zeros and then not be stored; only one entry a cell can do that.
  private checkChunks(data: StoredArray, indices: StoredArray, where: Where): void {
    if (!this.tree.nMissingChunks(data) && !(data.shape[0] > this.nCells && this.tree.nMissingChunks(indices))) return;
    throw new FileFormatError(`${where[0]}: a part of '${where[1]}' is missing. Copy or write the store again.`);
  }
}

// Matrices with the likeliest counts first.
export function orderMatrices(names: string[]): string[] {
  const order = (one: string, other: string) => {
    const [a, b] = [rank(one), rank(other)];
    return a[0] - b[0] || a[1] - b[1] || (one < other ? -1 : one > other ? 1 : 0);
  };
  return names.filter((name) => !NEVER.includes(layer(name))).sort(order);
}

const layer = (name: string): string => (name.startsWith("layers/") ? name.slice("layers/".length).toLowerCase() : "");

function rank(name: string): [number, number] {
  const word = layer(name);
  if (COUNT_LAYERS.includes(word)) return [0, COUNT_LAYERS.indexOf(word)];
  if (!word) return [1, name === "raw/X" ? 0 : 1];
  return [LAST_LAYERS.includes(word) ? 3 : 2, 0];
}

// Sides of a matrix as its file states them; some programs write them as fractions.
function sides(stated: Attribute, where: Where): number[] {
  const values = Array.from(stated.values as ArrayLike<number>);
  if (stated.shape?.length !== 1 || !isNumber(stated.dtype) || !values.every(Number.isInteger)) {
    throw damaged(where[0], `'${where[1]}'`, "its shape is no list of whole numbers");
  }
  return values;
}

function isByCell(stated: string | null, nPointers: number, shape: Shape): boolean | null {
  if (stated !== null && /^cs[rc]/.test(stated)) return stated.startsWith("csr");
  if (shape[0] === shape[1]) return null;
  return nPointers === shape[0] + 1 ? true : nPointers === shape[1] + 1 ? false : null;
}
