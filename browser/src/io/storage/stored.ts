// A source whose names are in memory and whose matrices lie in a file: 10x, loom, mtx, tables.

import { FileFormatError } from "../../base/errors.ts";
import { type Column, Frame } from "../../base/frame.ts";
import { BLOCK, type CellBlock, CellSource } from "../source.ts";
import type { StoredMatrix } from "./matrix.ts";
import { text } from "./tree.ts";

export interface StoredParts {
  // The kind of file, in plain words.
  format: string;
  // Matrices by name, likeliest counts first.
  matrices: Map<string, StoredMatrix>;
  // Names of the cells.
  cells: ArrayLike<string | null>;
  // Columns of gene names, with one called index.
  genes: Map<string, string[]>;
  // Columns about cells.
  obs?: Map<string, string[]>;
  // Sentences for the owner of the file.
  warnings?: string[];
  // Called when the source is closed.
  release?: () => void;
}

export class StoredSource extends CellSource {
  readonly format: string;
  readonly nCells: number;
  readonly cellNames: string[];
  readonly matrices: string[];

  constructor(readonly name: string, private readonly parts: StoredParts) {
    super();
    this.format = parts.format;
    this.warnings = parts.warnings ?? [];
    this.cellNames = text(parts.cells);
    this.nCells = this.cellNames.length;
    this.matrices = [...parts.matrices.keys()];
    this.check();
  }

  geneColumns(matrix: string): Map<string, string[]> {
    this.stored(matrix);
    return this.parts.genes;
  }

  blocks(matrix: string, size = BLOCK): Generator<CellBlock> {
    return this.stored(matrix).blocks(size);
  }

  override readsAnywhere(matrix: string): boolean {
    return this.stored(matrix).byCell;
  }

  override between(matrix: string, start: number, stop: number, size = BLOCK): Generator<CellBlock> {
    return this.stored(matrix).between(start, stop, size);
  }

  obs(): Frame {
    const columns = new Map<string, Column>();
    for (const [name, values] of this.parts.obs ?? []) columns.set(name, { kind: "text", values });
    return new Frame(this.cellNames, columns);
  }

  override close(): void {
    for (const stored of this.parts.matrices.values()) stored.close();
    this.parts.release?.();
  }

  private stored(matrix: string): StoredMatrix {
    const stored = this.parts.matrices.get(matrix);
    if (stored === undefined) throw new Error(`there is no matrix ${matrix}`);
    return stored;
  }

  private check(): void {
    const nGenes = this.parts.genes.get("index")!.length;
    if (nGenes === 0) throw new FileFormatError(`${this.name} has no genes.`);
    for (const [label, { shape }] of this.parts.matrices) {
      if (shape[0] === this.nCells && shape[1] === nGenes) continue;
      throw new FileFormatError(
        `${this.name}: '${label}' is ${shape[0]} cells x ${shape[1]} genes, but ${this.nCells} ` +
        `cells and ${nGenes} genes are named. Get a fresh copy or write the file again.`,
      );
    }
  }
}
