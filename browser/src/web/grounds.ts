// What the answers of a run follow from, so that they can be given at another threshold.
//
// Of each cell a handful of nodes with their probabilities as they were, not rounded: answers must be those of a run.
// Axes: n cells, e nodes that can become answers.

import type { Grounds } from "../annotation/decision.ts";
import { Standing } from "../biology/answer_rule.ts";
import { Growing } from "../base/growing.ts";

// Takes grounds block by block.
export class GroundsWriter {
  private readonly nodes = new Growing(new Int16Array(0));
  private readonly chances = new Growing(new Float32Array(0));
  private readonly numbers = new Growing(new Uint8Array(0));
  private readonly countsN = new Growing(new Float32Array(0));
  private readonly familiarity = new Growing(new Float32Array(0));

  append(grounds: Grounds): void {
    const standing = grounds.standing;
    this.nodes.append(standing.nodeE);
    this.chances.append(standing.chanceE);
    this.numbers.append(standing.countN);
    this.countsN.append(grounds.countsN);
    if (grounds.familiarityN !== null) this.familiarity.append(grounds.familiarityN);
  }

  get length(): number {
    return this.countsN.length;
  }

  // Counts of each cell in the bundle's genes; 0 where there is no cell to name.
  get counts(): Float32Array {
    return this.countsN.values;
  }

  // What was taken in. Where no cell has a familiarity, the model didn't say it.
  read(): Grounds {
    const familiarityN = this.familiarity.length || !this.length ? this.familiarity.values : null;
    const standing = new Standing(Int32Array.from(this.nodes.values), this.chances.values, Int32Array.from(this.numbers.values));
    return { standing, countsN: this.counts, familiarityN };
  }
}
