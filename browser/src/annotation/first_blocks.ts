// The first look: the cells of a source through the network, block by block, and what a sample shows before it.
// Axes: n cells, s cells of the sample, g the model's genes, m ontology nodes, d fingerprint.

import type { Csr } from "../base/csr.ts";
import { rowSums } from "../base/row_sums.ts";
import { loadOntology } from "../biology/ontology.ts";
import { Relatives } from "../biology/relatives.ts";
import { cellKeys } from "../biology/sample.ts";
import { Sketch } from "../biology/sketch.ts";
import { alignedSample, taken } from "../io/aligned.ts";
import type { Findings } from "../io/findings.ts";
import { BLOCK, type CellSource } from "../io/source.ts";
import type { Bundle } from "../model/bundle.ts";
import { Runtime, type Prediction } from "../model/runtime.ts";
import { canReadTogether, decide } from "./decision.ts";
import { Parts } from "./looks.ts";
import { MixedFinder } from "./mixed.ts";
import type { Options } from "./options.ts";
import { AnnotatedBlock, type FirstBlock } from "./result.ts";
import { FEW, showTissues, type SampleTissues } from "./sample_tissue.ts";
import type { Samples } from "./samples.ts";
import type { Kept } from "./seen.ts";

// Cells in a block, and between two steps of the progress.
export const STEP = BLOCK / 4;

// Reads the cells of a source.
export class Here {
  readonly sketch: Sketch | null;
  readonly tissues: SampleTissues | null;
  readonly mixed: MixedFinder | null;
  private readonly runtime: Runtime;

  constructor(private readonly source: CellSource, private readonly findings: Findings, private readonly options: Options, loaded: Runtime | null = null) {
    const sampleSg = alignedSample(findings);
    this.runtime = loaded ?? new Runtime(options.bundle);
    this.sketch = readsTogether(options) ? new Sketch(sampleSg) : null;
    const looks = options.bundle.isOfThisOntology && !options.tellsTissue;
    this.tissues = looks ? sampleTissues(sampleSg, findings, this.runtime) : null;
    this.mixed = null;
    if (this.sketch !== null) {
      const sample = namedSample(sampleSg, findings, options, this.runtime, this.tissues);
      this.mixed = new MixedFinder(sample, this.sketch, this.runtime, findings.match.measuredG);
    }
  }

  // All blocks; `keep` gives what a second look needs of one. With `helpers` others read cells too.
  blocks(keep: ((block: FirstBlock) => Kept) | null, helpers: Helpers | null = null): AsyncGenerator<FirstBlock> {
    const { source, findings, runtime } = this;
    const looked = (start: number, stop: number) => lookedAt(source, findings, runtime, start, stop);
    return firstBlocks(helpers?.looked(findings, looked) ?? looked(0, source.nCells), findings, this.options, this.tissues, keep);
  }
}

// The parts in which cells are read together; null where each is named alone.
export function partsOf(shown: Here, findings: Findings, options: Options, samples: Samples | null = null): Parts | null {
  const sketch = readsTogether(options) ? shown.sketch : null;
  if (sketch === null) return null;
  return new Parts(sketch, findings, options, relativesOf(options, shown.tissues), samples === null ? null : samples.sampleN);
}

// What keeps of a block what the second look needs; null where there is none.
export function keeping(shown: Here, parts: Parts | null): ((block: FirstBlock) => Kept) | null {
  if (parts === null) return null;
  const keep = (block: FirstBlock) => parts.kept(block);
  return shown.mixed === null ? keep : shown.mixed.keeping(keep);
}

// Whether each cell is read with its neighbours.
export function readsTogether(options: Options): boolean {
  return !options.eachCellAlone && canReadTogether(options.bundle);
}

// Some cells of the sample, named alone before all are read.
export function namedSample(sampleSg: Csr, findings: Findings, options: Options, runtime: Runtime, tissues: SampleTissues | null): FirstBlock {
  const said = runtime.predict(sampleSg, findings.match.measuredG);
  const relatives = relativesOf(options, tissues), { emptyUpTo } = findings.verdict;
  return firstBlock(0, sampleSg, said, options, { relatives, emptyUpTo, secondBest: false });
}

// The tissues that cells are from, by some of them.
export function sampleTissues(sampleSg: Csr, findings: Findings, runtime: Runtime): SampleTissues {
  return tissuesSaid(someSaid(sampleSg, findings, runtime)[1], runtime.bundle);
}

// The few of some cells by which the tissues of all are found, and what the network says of them.
export function someSaid(sampleSg: Csr, findings: Findings, runtime: Runtime): [Csr, Prediction] {
  const few = sampleSg.rows(cellKeys(sampleSg).argsort().slice(0, FEW).sort()), total = rowSums(few), full: number[] = [];
  for (let i = 0; i < total.length; i += 1) if (total[i] > findings.verdict.emptyUpTo) full.push(i);
  const countsNg = few.rows(full);
  return [countsNg, runtime.predict(countsNg, findings.match.measuredG)];
}

// The tissues that cells are from by what the network says of some.
export function tissuesSaid(said: Prediction, bundle: Bundle): SampleTissues {
  const weights = bundle.labelWeights;
  return showTissues(said.weightNc ?? weights.of(said.probabilitiesNm), weights.labelC, bundle.nodes, loadOntology());
}

// What gives the weight of types that can't be to others: of tissues that the sample doesn't show, or told.
export function relativesOf(options: Options, tissues: SampleTissues | null): Relatives | null {
  if (tissues === null) return options.allowed === null ? null : options.allowed.relatives;
  return new Relatives(options.bundle.labelWeights, options.bundle.nodes, loadOntology(), tissues.possibleM);
}

// Some consecutive cells as counts of the bundle's genes, and what the network says of them.
export interface Looked {
  start: number;
  countsNg: Csr;
  prediction: Prediction;
}

// Who does a part of the first look while this worker goes on.
export interface Helpers {
  // All cells in blocks, from first to last; `here` looks at some of them in this worker. Null where others can't help.
  looked(findings: Findings, here: (start: number, stop: number) => Iterable<Looked>): AsyncIterable<Looked> | null;
}

// Streams cells of a source through the network, from one to another.
export function* lookedAt(source: CellSource, findings: Findings, runtime: Runtime, start: number, stop: number): Generator<Looked> {
  for (const cells of source.between(findings.matrix, start, stop, STEP)) {
    const countsNg = taken(cells.values, findings);
    yield { start: cells.start, countsNg, prediction: runtime.predict(countsNg, findings.match.measuredG) };
  }
}

// Answers each cell alone, in blocks from first cell to last. A cell without counts in known genes is unknown, and its
// fingerprint and probabilities are zero. `tissues` are those that the sample shows; null where they are told, or don't
// matter. `keep` gives what a second look needs of a block; null where nothing is.
export async function* firstBlocks(
  looked: Iterable<Looked> | AsyncIterable<Looked>, findings: Findings, options: Options, tissues: SampleTissues | null, keep: ((block: FirstBlock) => Kept) | null = null,
): AsyncGenerator<FirstBlock> {
  const relatives = relativesOf(options, tissues), { emptyUpTo } = findings.verdict;
  for await (const { start, countsNg, prediction } of looked) {
    const block = firstBlock(start, countsNg, prediction, options, { relatives, emptyUpTo, secondBest: keep === null });
    yield keep === null ? block : { ...block, kept: keep(block) };
  }
}

// Answers some consecutive cells alone: `start` is the position of the first in the source, droplets with `emptyUpTo`
// counts have no cell, and what each cell would be if it weren't its answer is found only for `secondBest`.
export function firstBlock(
  start: number,
  countsNg: Csr,
  prediction: Prediction,
  options: Options,
  { relatives, emptyUpTo = 0, secondBest = true }: { relatives: Relatives | null; emptyUpTo?: number; secondBest?: boolean },
): FirstBlock {
  const nCountsN = Float32Array.from(rowSums(countsNg));
  // empty droplets have counts, but no cell to name
  const toldN = nCountsN.map((counts) => (counts > emptyUpTo ? counts : 0));
  const { lowest: threshold, allowed, bundle } = options;
  const decision = decide(prediction, toldN, bundle, { threshold, allowed, relatives, secondBest });
  const alone = new AnnotatedBlock({
    start,
    answerN: decision.answerN,
    scoreN: decision.scoreN,
    doubtedN: decision.doubtedN,
    secondN: decision.secondN,
    secondProbabilityN: decision.secondProbabilityN,
    fingerprintNd: prediction.fingerprintNd,
    probabilitiesNm: decision.probabilityNm,
    nCountsN,
    nGenesN: countsNg.sizes(),
    singleN: null,
    singleScoreN: null,
    marginN: decision.marginN,
    grounds: decision.grounds,
    weightNc: null,
  });
  return { alone, countsNg, toldN, weightNc: decision.weightNc, familiarityN: prediction.familiarityN, kept: null };
}
