// Padding: genes that a matrix names but that were never measured, as where a panel was spread over all genes.
// Of genes that are measured but rare some are seen in a single cell, more of them the more are not seen at all.  Where most
// genes are in no cell and hardly any is in one or two only, the others aren't rare: nobody looked for them.
// Axes: n cells, v genes of the data set.

import type { Csr } from "../base/csr.ts";
import { comma } from "../base/words.ts";
import type { GeneMatch } from "./genes.ts";

// Of fewer cells it can't be said which genes are rare.
const FEWEST_CELLS = 20;
// Share of the unseen genes that may be rare ones by the estimate of Chao (1984), at most.
const EXPECTED = 0.03;
// How many genes must be unseen for one that is seen.
const MOST = 2;

// In how many cells each gene has a value.
export class Seen {
  nCells = 0;
  readonly timesV: Int32Array;

  constructor(nGenes: number) {
    this.timesV = new Int32Array(nGenes);
  }

  // Take in the next cells.
  update(valuesNv: Csr): void {
    this.nCells += valuesNv.height;
    const { timesV } = this, { indices } = valuesNv;
    for (let e = 0; e < indices.length; e += 1) timesV[indices[e]] += 1;
  }
}

// Take genes for not measured that only fill a list up: the match without them, and a note if there are any.
export function withoutPadding(match: GeneMatch, seen: Seen): [GeneMatch, string[]] {
  let [nUnseen, nSeen, once, twice] = [0, 0, 0, 0];
  const unseenV = new Uint8Array(seen.timesV.length);
  seen.timesV.forEach((times, v) => {
    if (match.targetV[v] < 0) return;
    unseenV[v] = Number(times === 0);
    nUnseen += unseenV[v];
    nSeen += Number(times > 0);
    once += Number(times === 1);
    twice += Number(times === 2);
  });
  const rare = (once * (once - 1)) / (2 * (twice + 1));
  if (seen.nCells < FEWEST_CELLS || nUnseen <= MOST * nSeen || rare > EXPECTED * nUnseen) return [match, []];
  const note = `${comma(nUnseen)} of ${comma(nUnseen + nSeen)} known genes are in no cell, too many to be rare ones `
    + `(${comma(once)} are in a single cell): they are taken for not measured.`;
  return [match.without(unseenV), [note]];
}
