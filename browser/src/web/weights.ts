// The weights of the labels of all cells, so that probabilities and the answers for another tissue follow from them.
//
// Of many cells only the weights are held that are worth it: of some hundred labels a few have nearly all of a cell's
// weight. The memory of a tab then holds the weights of hundreds of thousands of cells.
// Axes: n cells, c labels.

import type { Matrix } from "../base/matrix.ts";
import { zeros } from "../base/matrix.ts";
import { Growing } from "../base/growing.ts";
import { canReadTogether } from "../annotation/decision.ts";
import type { Options } from "../annotation/options.ts";

// Up to so many cells weights are held as they were, so that answers are those of a run to the last digit.
const EXACT = 50_000;
// Of more cells weights below are left out, and the others have their part, so that probabilities move by two in a hundred
// at most; of a great many those below more.
const MANY = 200_000, LEAST = 1e-4, LEAST_OF_MANY = 1e-3;

// Rows of which most values are next to nothing.
export class Rows {
  private readonly values = new Growing(new Float32Array(0));
  private readonly places = new Growing(new Uint16Array(0));
  private readonly ends = new Growing(new Float64Array(0));
  private readonly least: number;

  constructor(readonly width: number, nCells: number) {
    this.least = nCells <= EXACT ? 0 : nCells <= MANY ? LEAST : LEAST_OF_MANY;
  }

  get height(): number {
    return this.ends.length;
  }

  append(rows: Matrix): void {
    const { data, width } = rows;
    for (let start = 0; start < data.length; start += width) this.appendRow(data, start);
  }

  private appendRow(data: Float32Array, start: number): void {
    const { width, values, places, ends, least } = this, stop = start + width;
    let total = 0, held = 0;
    for (let at = start; at < stop; at += 1) {
      total += data[at];
      if (data[at] >= least) held += data[at];
    }
    const part = least && held ? total / held : 1;
    for (let at = start; at < stop; at += 1) {
      if (data[at] === 0 || data[at] < least) continue;
      values.push(data[at] * part);
      places.push(at - start);
    }
    ends.push(values.length);
  }

  // Some rows in full.
  take(chosen: ArrayLike<number>): Matrix {
    const full = zeros(chosen.length, this.width), values = this.values.values, places = this.places.values, ends = this.ends.values;
    for (let i = 0; i < chosen.length; i += 1) {
      const n = chosen[i], at = i * this.width;
      for (let e = n ? ends[n - 1] : 0; e < ends[n]; e += 1) full.data[at + places[e]] = values[e];
    }
    return full;
  }
}

// Whether the answers of a run for another tissue follow from its weights. They don't where types are allowed, as these
// are then kept apart by tissue before anything else.
export const tissueCanBeTold = (options: Options): boolean => canReadTogether(options.bundle) && !options.allow.length;
