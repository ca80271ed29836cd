// The sampled cells of a matrix with one scale undone, and whether they sum to the same. The counterpart of
// spoticell/biology/fit.py.

import { round } from "../base/rounding.ts";
import { COMMON_TARGETS, CONSTANT_WITHIN, type Kind, type Moments, SCALES, type Sparse } from "./scales.ts";

// The sampled cells with one scale undone.
export class Fit {
  constructor(
    readonly position: number,
    // Whether no value stands for an absurd number of counts.
    readonly possible: boolean,
    readonly undoneNv: Sparse & { readonly data: Float64Array },
    readonly sums: Moments,
  ) {}

  // Kind of a matrix on this scale.
  get kind(): Kind {
    return SCALES[this.position].kind;
  }

  // What all cells sum to; null where they differ or cancel out; of one or two only a customary number counts.
  get target(): number | null {
    if (this.sums.n >= 3) return this.sums.spread <= CONSTANT_WITHIN && this.sums.mean > 0 ? this.sums.mean : null;
    return isCustomary(this.sums.mean, 1e-3) ? this.sums.mean : null;
  }

  // How much the sums differ, for comparing scales: without the digits that chance and the machine decide.
  get spread(): number {
    return round(this.sums.spread, 5);
  }
}

export const isCustomary = (sum: number, within: number): boolean => COMMON_TARGETS.some((target) => Math.abs(sum / target - 1) < within);
