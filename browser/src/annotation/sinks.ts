// Where annotated blocks go: an `Annotation`, the text of a csv file.
// Axes: n cells, g the model's genes, m ontology nodes, d fingerprint, s sampled cells.

import { argsort, bincount, searchsorted } from "../base/arrays.ts";
import { zeros, type Matrix } from "../base/matrix.ts";
import { Generator as Chance } from "../base/random.ts";
import { groupGenes, telling } from "../biology/group_genes.ts";
import { PROGRAMS, programsShown } from "../biology/programs.ts";
import { alignedSample } from "../io/aligned.ts";
import type { Findings } from "../io/findings.ts";
import type { CellSource } from "../io/source.ts";
import type { Bundle } from "../model/bundle.ts";
import { GroupTally, type Grouping, type Groups } from "./groups.ts";
import type { Options } from "./options.ts";
import { csvText } from "./outputs.ts";
import { EXAMPLES, type AnnotatedBlock, type Annotation, type AnnotationFields, type Example, type FirstBlock } from "./result.ts";
import type { SampleTissues } from "./sample_tissue.ts";
import type { Samples } from "./samples.ts";
import { Surest } from "./seen.ts";

// Most cells whose fingerprints are kept for a picture of them.
export const SAMPLE = 20_000;

// Takes the cells as they are read, and their answers, each first to last.
//
// Where cells are read together all of them, or a million, are read before the first has its answer. All sinks of a run
// are begun before the first block. If anything fails, all that were begun are abandoned.
export interface Sink {
  // Makes ready.
  begin(source: CellSource, findings: Findings, bundle: Bundle): void;
  // Takes in the next cells as they are read, each named alone.
  see(block: FirstBlock): void;
  // Takes in the answers for the next cells.
  add(block: AnnotatedBlock): void;
  // Completes the result.
  finish(annotation: Annotation): void | Promise<void>;
  // Leaves nothing behind.
  abandon(): void;
}

export interface Gathering {
  // Those that the sample shows.
  tissues?: SampleTissues | null;
  // Those that the cells are from.
  samples?: Samples | null;
  // The groups to name, if they are told.
  grouping?: Grouping | null;
  // Most cells whose fingerprints to hold.
  sample?: number;
}

// Gathers blocks into an `Annotation`, holding a bounded part of what is large. It is what the others get to finish with.
export class ResultSink {
  private readonly answerN: Int32Array;
  private readonly scoreN: Float32Array;
  private readonly barredN: Uint8Array;
  private readonly doubtedN: Uint8Array;
  private readonly secondN: Int32Array;
  private readonly secondProbabilityN: Float32Array;
  private readonly nCountsN: Float32Array;
  private readonly nGenesN: Int32Array;
  private readonly programsNp: Uint8Array;
  private readonly sampleS: Int32Array;
  private readonly fingerprintSd: Matrix;
  private readonly tissues: SampleTissues | null;
  private readonly samples: Samples | null;
  private readonly surest = new Surest();
  private tally: GroupTally | null = null;
  private singleN: Int32Array | null = null;
  private singleScoreN: Float32Array | null = null;

  constructor(
    private readonly source: CellSource, private readonly findings: Findings, private readonly options: Options,
    { tissues = null, samples = null, grouping = null, sample = SAMPLE }: Gathering = {},
  ) {
    const n = source.nCells;
    this.answerN = new Int32Array(n).fill(-1);
    this.scoreN = new Float32Array(n);
    this.barredN = new Uint8Array(n);
    this.doubtedN = new Uint8Array(n);
    this.secondN = new Int32Array(n).fill(-1);
    this.secondProbabilityN = new Float32Array(n);
    this.nCountsN = new Float32Array(n);
    this.nGenesN = new Int32Array(n);
    this.programsNp = new Uint8Array(n * PROGRAMS.length);
    this.sampleS = spreadSample(n, sample);
    this.fingerprintSd = zeros(this.sampleS.length, options.bundle.manifest.fingerprintSize);
    this.tissues = tissues;
    this.samples = samples;
    if (grouping !== null) this.groupBy(grouping);
  }

  // Settles the groups to name, before any cell is answered.
  groupBy(grouping: Grouping): void {
    this.tally = new GroupTally(grouping, this.options.bundle, { emptyUpTo: this.findings.verdict.emptyUpTo });
  }

  // Keeps which programmes the cells show, and the counts of the surest cells of each type.
  see(block: FirstBlock): void {
    const { alone } = block, { measuredG } = this.findings.match;
    const shown = programsShown(block.countsNg, this.options.bundle.vocabulary, measuredG, alone.nCountsN);
    this.programsNp.set(shown, alone.start * PROGRAMS.length);
    this.surest.see(block);
  }

  // Takes in a block.
  add(block: AnnotatedBlock): void {
    const { start, fingerprintNd } = block, n = this.answerN.length;
    this.answerN.set(block.answerN, start);
    this.scoreN.set(block.scoreN, start);
    this.barredN.set(block.barredN, start);
    this.doubtedN.set(block.doubtedN, start);
    this.secondN.set(block.secondN, start);
    this.secondProbabilityN.set(block.secondProbabilityN, start);
    this.nCountsN.set(block.nCountsN, start);
    this.nGenesN.set(block.nGenesN, start);
    const last = searchsorted(this.sampleS, start + block.length), { width } = fingerprintNd;
    for (let s = searchsorted(this.sampleS, start); s < last; s += 1) {
      const row = this.sampleS[s] - start;
      this.fingerprintSd.data.set(fingerprintNd.data.subarray(row * width, (row + 1) * width), s * width);
    }
    if (block.singleN !== null && block.singleScoreN !== null) {
      this.singleN ??= new Int32Array(n).fill(-1);
      this.singleScoreN ??= new Float32Array(n);
      this.singleN.set(block.singleN, start);
      this.singleScoreN.set(block.singleScoreN, start);
    }
    this.tally?.add(block);
  }

  // All that was taken in.
  finish(): AnnotationFields {
    return {
      findings: this.findings,
      bundle: this.options.bundle,
      threshold: this.options.lowest,
      answerN: this.answerN,
      scoreN: this.scoreN,
      barredN: this.barredN,
      doubtedN: this.doubtedN,
      secondN: this.secondN,
      secondProbabilityN: this.secondProbabilityN,
      nCountsN: this.nCountsN,
      nGenesN: this.nGenesN,
      sampleS: this.sampleS,
      fingerprintSd: this.fingerprintSd,
      examples: this.examples(),
      cellNames: this.source.cellNames,
      options: this.options,
      allowed: this.options.allowed,
      singleN: this.singleN,
      singleScoreN: this.singleScoreN,
      tissues: this.tissues,
      samples: this.samples,
      groups: this.tally === null ? null : this.nameGroups(this.tally),
      programsNp: this.programsNp,
      mixed: null,
    };
  }

  private nameGroups(tally: GroupTally): Groups {
    const { grouping } = tally, { sampleAtS } = this.findings;
    const codeS = Int32Array.from(sampleAtS, (cell) => grouping.codeN[cell]);
    const amongG = telling(this.options.bundle.vocabulary);
    return tally.finish(groupGenes(alignedSample(this.findings), codeS, grouping.names.length, amongG));
  }

  // The surest cell of each of the commonest types, among those whose counts were kept.
  private examples(): Example[] {
    const cellsM = bincount(this.answerN.filter((answer) => answer >= 0), this.options.bundle.nodes.length);
    const kept = this.surest.all(), examples: Example[] = [];
    for (const answer of argsort(cellsM.map((cells) => -cells)).slice(0, EXAMPLES)) {
      const ofType = cellsM[answer] ? kept.filter((sure) => this.answerN[sure.position] === answer) : [];
      if (!ofType.length) continue;
      const surest = ofType.reduce((best, sure) => {
        const more = this.scoreN[sure.position] - this.scoreN[best.position] || best.position - sure.position;
        return more > 0 ? sure : best;
      });
      const { position } = surest, name = this.source.cellNames[position];
      examples.push({ position, name, answer, score: this.scoreN[position], countsG: surest.countsG.toDense() });
    }
    return examples;
  }
}

// Keeps the answers alone as the text of a csv file, a row for each cell.
export class CsvSink implements Sink {
  text: string[] = [];

  begin(): void {}

  see(): void {}

  add(): void {}

  finish(annotation: Annotation): void {
    this.text = [...csvText(annotation)];
  }

  abandon(): void {}
}

// Up to `size` positions among n, rising and evenly spread: one at random from each equal stretch.
export function spreadSample(n: number, size: number): Int32Array {
  const many = Math.min(n, size), chance = new Chance(0);
  const edge = (place: number) => Math.floor((place * n) / Math.max(many, 1));
  return Int32Array.from({ length: many }, (_, place) => edge(place) + chance.upTo(edge(place + 1) - edge(place) - 1));
}
