// What is kept of the cells' counts: what a second look needs, and what a result shows of them.
// Axes: n cells, g the model's genes, k numbers of a sketch.

import type { U64Array } from "../base/bits.ts";
import type { Csr } from "../base/csr.ts";
import type { Matrix } from "../base/matrix.ts";
import type { Marks } from "./mixed.ts";
import type { FirstBlock } from "./result.ts";

// Surest cells of each type whose counts are kept, before it is known what the second look says of them.
export const KEPT = 3;

// What a second look needs of some consecutive cells, besides their answers.
export interface Kept {
  // The likeliest labels of each cell, see `likeliest`.
  voices: Csr;
  sketchNk: Matrix;
  keyN: U64Array;
  mixed: Marks | null;
}

// A cell that is surely of a type.
export interface Sure {
  // In the source.
  position: number;
  answer: number;
  score: number;
  // Its counts, one row.
  countsG: Csr;
}

// The surest cells of each type among all that went by, first to last; of equally sure ones the first.
export class Surest {
  private readonly of = new Map<number, Sure[]>();

  // Takes in the next cells.
  see(block: FirstBlock): void {
    const { alone } = block;
    for (let row = 0; row < alone.length; row += 1) {
      const answer = alone.answerN[row], score = alone.scoreN[row];
      if (answer < 0 || !this.isSurer(answer, score)) continue;
      this.keep({ position: alone.start + row, answer, score, countsG: block.countsNg.rows([row]) });
    }
  }

  all(): Sure[] {
    return [...this.of.values()].flat();
  }

  private isSurer(answer: number, score: number): boolean {
    const kept = this.of.get(answer) ?? [];
    return kept.length < KEPT || score > kept[kept.length - 1].score;
  }

  private keep(sure: Sure): void {
    const kept = this.of.get(sure.answer) ?? [];
    this.of.set(sure.answer, kept);
    kept.push(sure);
    kept.sort((one, other) => other.score - one.score || one.position - other.position);
    kept.splice(KEPT);
  }
}
