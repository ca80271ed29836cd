// What every reader gives: cells in blocks, with the names of genes and cells. The counterpart of spoticell/io/source.py.

import type { Csr } from "../base/csr.ts";
import type { Frame } from "../base/frame.ts";

// Cells in a block, unless told otherwise.
export const BLOCK = 2048;

export interface CellBlock {
  // Position of the block's first cell in the file.
  start: number;
  // As stored: sorted, no repeats, no explicit zeros; NaN and negatives are passed on.
  values: Csr;
}

export abstract class CellSource {
  // How messages call it: the file's name.
  abstract readonly name: string;
  // Plain words: "h5ad", "10x h5", "10x folder", "csv"...
  abstract readonly format: string;
  abstract readonly nCells: number;
  abstract readonly cellNames: string[];
  // Names of the matrices, likeliest counts first.
  abstract readonly matrices: string[];
  // Matrices that are read only if a user names them.
  readonly others: string[] = [];
  // Sentences about the file that its owner should read.
  warnings: string[] = [];

  // Every column that could name the genes of a matrix: its index as "index", then columns of words.
  abstract geneColumns(matrix: string): Map<string, string[]>;

  // From first cell to last; can be called again.
  abstract blocks(matrix: string, size?: number): Generator<CellBlock>;

  // Whether cells can be read without those before them.
  readsAnywhere(_matrix: string): boolean {
    return false;
  }

  // Those blocks that begin from start on and before stop.
  *between(matrix: string, start: number, stop: number, size = BLOCK): Generator<CellBlock> {
    for (const block of this.blocks(matrix, size)) {
      if (block.start >= start) yield block;
      if (block.start + block.values.height >= stop) return;
    }
  }

  // How many numbers are stored of a matrix; null where reading it is the only way to know.
  nStored(_matrix: string): number | null {
    return null;
  }

  abstract obs(): Frame;

  notes(_matrix: string): string[] {
    return this.warnings;
  }

  close(): void {}
}
