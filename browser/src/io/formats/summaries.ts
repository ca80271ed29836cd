// Tables without the sums and means that people put among cells.

import type { Csr } from "../../base/csr.ts";
import { comma } from "../../base/words.ts";
import { findSummaries } from "../../biology/summaries.ts";
import { BLOCK } from "../source.ts";
import { StoredMatrix } from "../storage/matrix.ts";

// A matrix without the cells that are left out.
class SomeCells extends StoredMatrix {
  constructor(private readonly whole: StoredMatrix, private readonly keepN: Uint8Array) {
    super([keepN.reduce((sum, keep) => sum + keep, 0), whole.shape[1]], [whole.file, whole.label]);
  }

  *parts(size: number): Generator<Csr> {
    let start = 0;
    for (const part of this.whole.parts(size)) {
      const kept: number[] = [];
      for (let row = 0; row < part.height; row += 1) if (this.keepN[start + row]) kept.push(row);
      yield part.rows(kept);
      start += part.height;
    }
  }

  override close(): void {
    this.whole.close();
  }
}

// Leaves sums and means of cells out of a matrix, which is read through twice. Gives the matrix of the cells, which of
// the names are theirs (1), and sentences for the owner of the file.
export function withoutSummaries(matrix: StoredMatrix, names: string[]): [StoredMatrix, Uint8Array, string[]] {
  let summaryN: ArrayLike<number | boolean>;
  try {
    summaryN = findSummaries(names, () => matrix.parts(BLOCK));
  } catch (error) {
    matrix.close();
    throw error;
  }
  const keepN = Uint8Array.from({ length: names.length }, (_, cell) => Number(!summaryN[cell]));
  const found = names.filter((_, cell) => summaryN[cell]);
  if (!found.length) return [matrix, keepN, []];
  const what = found.length === 1 ? "1 is no cell but a sum or mean of cells and was" : `${comma(found.length)} are no cells but sums or means of cells and were`;
  const listed = found.slice(0, 4).map((name) => [...name].slice(0, 30).join("")).join(", ") + (found.length > 4 ? ", ..." : "");
  const said = `${matrix.file}: of the ${comma(names.length)} cells that it names, ${what} left out (${listed}).`;
  return [new SomeCells(matrix, keepN), keepN, [said]];
}
