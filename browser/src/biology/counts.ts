// Counts: what a matrix holds, judged from all of its cells, and how to get counts back from it. The counterpart of
// spoticell/biology/counts.py.
//
// Networks and scores start from counts, but people have logarithms, normalised values and worse. CountsProbe watches
// every cell go by and keeps tallies and a small sample; judging.ts weighs them, and recover does what the verdict says.
//
// Axes: n cells, v genes of the data set.

import { searchsorted, argmax } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import { Judge } from "./judging.ts";
import { readCells } from "./reading.ts";
import { type CountsVerdict, aboveFloor, canonical, recover } from "./recovery.ts";
import { CellSample } from "./sample.ts";
import type { Kind } from "./scales.ts";
import { Tallies } from "./tallies.ts";

export { type CountsVerdict, type Kind, recover };

// Values that are looked at together: those of many cells would be written to memory and read again at each step.
const PART_VALUES = 1 << 19;
// Cells after which the scale that most of them are on is tried first.
const LEARNT_AFTER = 1000;

// Watches all cells of a matrix and says what it holds; its memory doesn't grow.
export class CountsProbe {
  private readonly tallies = new Tallies();
  private readonly sample = new CellSample();
  private first: number | null = null;

  // Takes in the next cells, values as stored. A CountsError if a value is NaN or infinite, or a cell has negative
  // values and none that stands for zero; the matrix can't hold counts then.
  update(valuesNv: Csr): void {
    for (const partNv of parts(canonical(valuesNv))) this.add(partNv);
  }

  private add(valuesNv: Csr): void {
    const [keptNv, floorN] = aboveFloor(valuesNv, this.tallies.nCells);
    this.tallies.add(keptNv, floorN, readCells(keptNv, floorN, this.first));
    this.sample.add(keptNv, floorN);
    if (this.first === null && this.tallies.nTested >= LEARNT_AFTER) this.first = argmax(this.tallies.nFittingS);
  }

  // Says what the cells seen so far hold.
  verdict(): CountsVerdict {
    return new Judge(this.tallies, this.sample).verdict();
  }
}

// The cells of a matrix in parts, without a copy of their values.
function* parts(valuesNv: Csr): Generator<Csr> {
  const { indptr } = valuesNv;
  for (let top = 0; top < valuesNv.height; ) {
    const bottom = Math.max(top + 1, searchsorted(indptr, indptr[top] + PART_VALUES, true) - 1);
    yield valuesNv.slice(top, bottom);
    top = bottom;
  }
}
