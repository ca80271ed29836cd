// The answers for a source of cells, and for a block of them.
//
// What grows with the matrix isn't kept: of fingerprints an even sample, of counts a few example cells.
// The blocks come from `pipeline`; the columns that are written are in `outputs`.
// Axes: n cells, g the bundle's genes, m ontology nodes, d fingerprint, s sampled cells.

import type { Csr } from "../base/csr.ts";
import type { Frame } from "../base/frame.ts";
import { median } from "../base/arrays.ts";
import type { Matrix } from "../base/matrix.ts";
import { loadOntology } from "../biology/ontology.ts";
import { shortName } from "../biology/short_names.ts";
import type { Findings } from "../io/findings.ts";
import { UNKNOWN } from "../keys.ts";
import type { Bundle } from "../model/bundle.ts";
import type { Allowed } from "./allowed.ts";
import { cautions, type Caution } from "./cautions.ts";
import { chooseColors, type TypeColors } from "./colors.ts";
import { countTypes, type Composition, type CompositionRow } from "./composition.ts";
import type { Decision, Grounds } from "./decision.ts";
import { differences, type Differences } from "./differences.ts";
import type { Groups } from "./groups.ts";
import type { Marks } from "./mixed.ts";
import type { Options } from "./options.ts";
import { obsColumns } from "./outputs.ts";
import { OF_UNKNOWN, reasons } from "./reasons.ts";
import type { SampleTissues } from "./sample_tissue.ts";
import { oneSample, type Samples } from "./samples.ts";
import type { Kept } from "./seen.ts";

export interface BlockFields {
  // Position of the block's first cell in the source.
  start: number;
  // Position in the bundle's nodes; -1 is unknown.
  answerN: Int32Array;
  // Probability that the answer is right; 0 for unknown.
  scoreN: Float32Array;
  // Which cells are unknown because their answer would have been too doubtful.
  doubtedN: Uint8Array;
  // Position of the type that each cell would be if it weren't its answer; -1 where there is none.
  secondN: Int32Array;
  // Probability of that type; 0 where there is none.
  secondProbabilityN: Float32Array;
  fingerprintNd: Matrix;
  // Calibrated probability of each node.
  probabilitiesNm: Matrix;
  // Counts of the cell in the bundle's genes.
  nCountsN: Float32Array;
  // The bundle's genes that have a count in the cell.
  nGenesN: Int32Array;
  // The answer to each cell alone, where the cells were read together; null where these are those.
  singleN: Int32Array | null;
  // Score of that answer.
  singleScoreN: Float32Array | null;
  // How far the familiarity of each cell is above the least of known cells; null where the model can't tell.
  marginN: Float32Array | null;
  // What the answers follow from at any threshold; null where they aren't kept.
  grounds: Grounds | null;
  // Calibrated weight of each label, of all tissues, where cells were read together; null where they weren't.
  weightNc: Matrix | null;
}

export interface AnnotatedBlock extends BlockFields {}

// Answers for some consecutive cells, with what they came from.
export class AnnotatedBlock {
  constructor(fields: BlockFields) {
    Object.assign(this, fields);
  }

  get length(): number {
    return this.answerN.length;
  }

  // Which cells have counts but next to no probability for any type that an answer may be.
  get barredN(): Uint8Array {
    const barredN = new Uint8Array(this.length), { data, width } = this.probabilitiesNm;
    for (let i = 0; i < barredN.length; i += 1) {
      if (this.nCountsN[i] > 0) barredN[i] = data.subarray(i * width, (i + 1) * width).some((value) => value !== 0) ? 0 : 1;
    }
    return barredN;
  }

  // The same without what takes most of the memory.
  withoutProbabilities(): AnnotatedBlock {
    return new AnnotatedBlock({ ...this, probabilitiesNm: { data: new Float32Array(0), width: 0 }, grounds: null });
  }

  // The same cells with answers of a second look, these ones kept as those to each cell alone.
  answered(decision: Decision): AnnotatedBlock {
    return new AnnotatedBlock({
      ...this,
      answerN: decision.answerN,
      scoreN: decision.scoreN,
      doubtedN: decision.doubtedN,
      secondN: decision.secondN,
      secondProbabilityN: decision.secondProbabilityN,
      probabilitiesNm: decision.probabilityNm,
      marginN: decision.marginN,
      grounds: decision.grounds,
      weightNc: decision.weightNc,
      singleN: this.answerN,
      singleScoreN: this.scoreN,
    });
  }
}

// Some consecutive cells as they are read: each named alone, and what it was named by.
export interface FirstBlock {
  alone: AnnotatedBlock;
  // Counts of the bundle's genes, those of a cell in any order.
  countsNg: Csr;
  // Counts of each cell in these genes; 0 where there is no cell to name.
  toldN: Float32Array;
  // Calibrated weight of each label; null where single nodes are calibrated.
  weightNc: Matrix | null;
  // How like the training cells each cell is; null where the bundle doesn't say.
  familiarityN: Float32Array | null;
  // What a second look needs; null where there is none.
  kept: Kept | null;
}

// Cells that are kept with their counts, for pictures on the gene grid.
export const EXAMPLES = 40;

// The surest cell of one type, with its counts.
export interface Example {
  // In the source.
  position: number;
  name: string;
  // Position in the bundle's nodes.
  answer: number;
  score: number;
  countsG: Float32Array;
}

export interface AnnotationFields {
  findings: Findings;
  bundle: Bundle;
  threshold: number;
  // Position in `nodes`; -1 is unknown.
  answerN: Int32Array;
  // Calibrated probability that the answer is right, in [0, 1]; 0 for unknown.
  scoreN: Float32Array;
  // Which cells are unknown because the types that an answer may be are too unlikely for them.
  barredN: Uint8Array;
  // Which cells are unknown because their answer would have been too doubtful.
  doubtedN: Uint8Array;
  // Position in `nodes` of the type that each cell would be if it weren't its answer; -1 where there is none.
  secondN: Int32Array;
  // Probability of that type; 0 where there is none.
  secondProbabilityN: Float32Array;
  nCountsN: Float32Array;
  nGenesN: Int32Array;
  // Positions of the cells whose fingerprints are held, rising: all cells, or so many of them evenly spread.
  sampleS: Int32Array;
  fingerprintSd: Matrix;
  // The surest cell of each of the commonest types.
  examples: Example[];
  cellNames: string[];
  // What was asked for.
  options: Options;
  // The types that an answer may be; null where that is any of the bundle's.
  allowed: Allowed | null;
  // Position in `nodes` of the answer to each cell alone; null where the cells weren't read together.
  singleN: Int32Array | null;
  // Score of that answer.
  singleScoreN: Float32Array | null;
  // The tissues that the cells show, whose types alone were possible; null where that was told.
  tissues: SampleTissues | null;
  // From which sample each cell is; null where no column was named that says it.
  samples: Samples | null;
  // The groups of cells with their names; null where none were asked for.
  groups: Groups | null;
  // Which cells show which of PROGRAMS strongly, row by row.
  programsNp: Uint8Array;
  // Which cells look like two of different types; null where each was named alone.
  mixed: Marks | null;
}

export interface SummaryRow {
  cell_type: string;
  term: string;
  cells: number;
  share: number;
  median_score: number;
}

export interface Annotation extends AnnotationFields {}

// The answers for a source of cells.
export class Annotation {
  private made = new Map<string, unknown>();

  constructor(fields: AnnotationFields) {
    Object.assign(this, fields);
  }

  private once<T>(name: string, make: () => T): T {
    if (!this.made.has(name)) this.made.set(name, make());
    return this.made.get(name) as T;
  }

  // Score that the answer of a cell with enough counts has at least.
  get leastScore(): number {
    const { trust } = this.bundle.manifest;
    return trust === null ? this.threshold : Math.min(trust.doubt, this.threshold);
  }

  // Ontology terms that `answerN` points into.
  get nodes(): readonly string[] {
    return this.bundle.nodes;
  }

  // Names of `nodes`.
  get names(): readonly string[] {
    return this.bundle.nodeNames;
  }

  // Short names of `nodes`.
  get shortNames(): string[] {
    return this.once("shortNames", () => this.nodes.map((node) => shortName(node)));
  }

  // What to know before the answers are trusted; nothing for a plain sample.
  get cautions(): Caution[] {
    return this.once("cautions", () => cautions(this));
  }

  // The colours of the types.
  get colors(): TypeColors {
    return this.once("colors", () => chooseColors(this));
  }

  // Each node's answer rolled up to a broad type, or "unknown"; itself if it is broader than these.
  get broadNames(): string[] {
    return this.once("broadNames", () => {
      const ontology = loadOntology();
      return this.nodes.map((node) => {
        const broad = ontology.broadLevel(node);
        return ontology.has(broad) ? ontology.name(broad) : UNKNOWN;
      });
    });
  }

  // Why each cell's answer isn't sure: its place among REASONS, -1 where that isn't said.
  get reasonN(): Int8Array {
    return this.once("reasonN", () =>
      reasons({
        ...this,
        nMeasured: this.findings.match.nFound,
        mixedN: this.mixed === null ? null : Uint8Array.from(this.mixed.pairN, (pair) => (pair >= 0 ? 1 : 0)),
      }),
    );
  }

  // Cells that the second look named otherwise than the first.
  get changed(): number {
    let changed = 0;
    if (this.singleN !== null) for (let i = 0; i < this.answerN.length; i += 1) if (this.singleN[i] !== this.answerN[i]) changed += 1;
    return changed;
  }

  // The columns about cells, as they are written, under the names of the cells.
  get obs(): Frame {
    return obsColumns(this);
  }

  // The composition, commonest first; "unknown" comes last, and its score is 0.
  summary(): SummaryRow[] {
    const placesM = new Map<number, number[]>();
    for (let i = 0; i < this.answerN.length; i += 1) {
      const own = placesM.get(this.answerN[i]);
      if (own) own.push(this.scoreN[i]);
      else placesM.set(this.answerN[i], [this.scoreN[i]]);
    }
    const rows = [...placesM].map(([m, scores]) => ({
      cell_type: m < 0 ? UNKNOWN : this.names[m],
      term: m < 0 ? UNKNOWN : this.nodes[m],
      cells: scores.length,
      share: scores.length / Math.max(this.answerN.length, 1),
      median_score: Math.fround(median(scores)),
    }));
    const last = (row: SummaryRow) => Number(row.term === UNKNOWN);
    return rows.sort((a, b) => last(a) - last(b) || b.cells - a.cells || (a.cell_type < b.cell_type ? -1 : Number(a.cell_type > b.cell_type)));
  }

  // The cells of each type by sample; all are one if no column of samples was named.
  composition(): CompositionRow[] {
    return this.bySample.table();
  }

  // The cells of each type in each sample.
  get bySample(): Composition {
    return this.once("bySample", () => {
      const samples = this.samples ?? oneSample(this.findings.source, this.answerN.length);
      return countTypes(samples, this.answerN, this.nodes, this.names);
    });
  }

  // How the types differ between two conditions; null where no column was named that says them.
  get differences(): Differences | null {
    return this.once("differences", () => (this.samples !== null && this.samples.condition !== null ? differences(this.bySample) : null));
  }

  // The cells without an answer by reason; only reasons that occur.
  whyUnknown(): Map<string, number> {
    const cells = new Int32Array(OF_UNKNOWN.length);
    for (const code of this.reasonN) if (code >= 0 && code < cells.length) cells[code] += 1;
    return new Map(OF_UNKNOWN.flatMap((reason, place) => (cells[place] ? [[reason, cells[place]] as [string, number]] : [])));
  }
}
