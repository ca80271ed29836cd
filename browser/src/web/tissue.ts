// The answers of a run that is done, shown for another tissue without a new run.
//
// What a run with that tissue would leave for the page takes the place of what was there; the files to keep stay.
// Axes: n cells, b cells of a block, c labels, m ontology nodes.

import { type Grounds, groundsOf } from "../annotation/decision.ts";
import { relativesOf, sampleTissues, STEP } from "../annotation/first_blocks.ts";
import { GroupTally } from "../annotation/groups.ts";
import { Options } from "../annotation/options.ts";
import type { SampleTissues } from "../annotation/sample_tissue.ts";
import { ConfigError } from "../base/errors.ts";
import type { Matrix } from "../base/matrix.ts";
import type { Relatives } from "../biology/relatives.ts";
import { alignedSample } from "../io/aligned.ts";
import { Runtime } from "../model/runtime.ts";
import { GroundsWriter } from "./grounds.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";
import type { Summary } from "./summary.ts";
import { groupingOf, showAt } from "./threshold.ts";
import { type Rows, tissueCanBeTold } from "./weights.ts";

const LISTED = "This run was told which types are allowed. Choose the tissue in “Run again”.";
const OLDER = "These results don’t hold what it takes to show them for another tissue. Run the job again.";

// Shows the answers for a tissue, by its name or "any", or for what the cells show themselves where it is null; gives
// their summary.
export function showFor(results: Results, tissue: string | null): Summary {
  const { left, shown } = results, options = asked(left.options, tissue), told = options.allowed === null ? null : options.allowed.tissue;
  if (!tissueCanBeTold(options)) throw new Refusal(409, LISTED);
  const tissues = told === null ? tissuesOf(results) : null, relatives = relativesOf(options, tissues);
  if (left.weightsAlone === null || shown.groundsAlone === null) throw new Refusal(409, OLDER);
  const isTogether = left.weights !== null && left.weights.height > 0 && shown.grounds !== null;
  const groundsAlone = new Answering(results, relatives, !isTogether).answer(left.weightsAlone, shown.groundsAlone);
  const grounds = isTogether ? new Answering(results, relatives, true).answer(left.weights!, shown.grounds!) : shown.grounds;
  Object.assign(shown, { groundsAlone, grounds, relatives });
  return showAt(results, shown.summary.threshold, {
    tissue: { ...shown.summary.tissue!, shown: told },
    allowed: options.allowed === null ? null : options.allowed.describe(),
    tissues: tissues === null ? null : tissues.describe(),
  });
}

function asked(options: Options, tissue: string | null): Options {
  const changed = options.replaced({ tissue });
  try {
    // what is no tissue is found when the types are looked for
    void changed.allowed;
  } catch (error) {
    if (error instanceof ConfigError) throw new Refusal(422, error.message);
    throw error;
  }
  return changed;
}

// The tissues that the cells show, also where the run was told another one.
function tissuesOf({ left }: Results): SampleTissues {
  left.tissues ??= sampleTissues(alignedSample(left.findings), left.findings, new Runtime(left.bundle));
  return left.tissues;
}

// Gives what answers follow from in another tissue; those that are shown are counted by group, and say which are barred.
class Answering {
  constructor(private readonly results: Results, private readonly relatives: Relatives | null, private readonly isShown: boolean) {}

  answer(weights: Rows, before: GroundsWriter): GroundsWriter {
    const { bundle, nCountsN, findings } = this.results.left, { familiarityN, countsN } = before.read(), writer = new GroundsWriter();
    const grouping = groupingOf(this.results), barredN = new Uint8Array(nCountsN.length);
    const tally = grouping === null ? null : new GroupTally(grouping, bundle, { emptyUpTo: findings.verdict.emptyUpTo });
    // the blocks of a run, so that sums are added up in the same order
    for (let start = 0; start < weights.height; start += STEP) {
      const stop = Math.min(start + STEP, weights.height), rows = Array.from({ length: stop - start }, (_, i) => start + i);
      const known = familiarityN === null ? null : familiarityN.slice(start, stop);
      const [probabilities, found] = this.grounds(weights.take(rows), Float32Array.from(rows, (n) => countsN[n]), known);
      writer.append(found);
      if (!this.isShown) continue;
      mark(probabilities, nCountsN, start, barredN);
      tally?.weigh(start, nCountsN.subarray(start, stop), probabilities);
    }
    if (this.isShown) Object.assign(this.results.shown, { barredN, groupSums: tally === null ? null : tally.probabilityKm });
    return writer;
  }

  private grounds(weights: Matrix, counts: Float32Array, known: Float32Array | null): [Matrix, Grounds] {
    return groundsOf(weights, counts, known, this.results.left.bundle, this.relatives);
  }
}

// Cells that have counts but next to no probability for any type.
function mark({ data, width }: Matrix, nCountsN: Float32Array, start: number, barredN: Uint8Array): void {
  for (let at = 0; at < data.length; at += width) {
    const n = start + at / width;
    if (nCountsN[n] > 0 && !data.subarray(at, at + width).some((chance) => chance !== 0)) barredN[n] = 1;
  }
}
