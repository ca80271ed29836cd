// What the page shows of a run, gathered while the cells are named.
// Axes: n cells, d fingerprint, g the bundle's genes, s sampled cells.

import { relativesOf } from "../annotation/first_blocks.ts";
import type { AnnotatedBlock, Annotation, FirstBlock } from "../annotation/result.ts";
import type { Sink } from "../annotation/sinks.ts";
import { type Matrix, zeros } from "../base/matrix.ts";
import type { Findings } from "../io/findings.ts";
import type { CellSource } from "../io/source.ts";
import type { Bundle } from "../model/bundle.ts";
import { CountsWriter } from "./arrays.ts";
import { ColumnKeeper, MISSING } from "./columns.ts";
import { tablePlaces } from "./files.ts";
import { GroundsWriter } from "./grounds.ts";
import type { Hands } from "./hands.ts";
import { MapMaker } from "./map.ts";
import { type Left, Results } from "./results.ts";
import type { Spill } from "./spill.ts";
import { commonTypes, summarise } from "./summary.ts";
import { typeNumbers } from "./type_numbers.ts";
import { Rows } from "./weights.ts";

// Share of the work after which cells are answered.
export const ANSWERED = 0.6;

// Called with the stage and the share of the work that is done.
export type Tell = (stage: string, share: number) => void;

export interface PageSinkOptions {
  // What the visitor calls the file.
  name: string;
  tell: Tell;
  // Where counts go that memory shouldn't hold; null where there is no such place.
  spill: Spill | null;
  // Lays out the map's landmarks while this worker goes on; null where none can.
  hands: Hands | null;
}

export class PageSink implements Sink {
  // What the page asks, once the run is done.
  results: Results | null = null;
  private columns!: ColumnKeeper;
  private counts!: CountsWriter;
  private fingerprints!: Matrix;
  private map!: MapMaker;
  private weights!: Rows;
  private weightsAlone!: Rows;
  private probabilities!: Rows;
  private readonly grounds = new GroundsWriter();
  private readonly groundsAlone = new GroundsWriter();

  constructor(private readonly options: PageSinkOptions) {}

  begin(source: CellSource, _findings: Findings, bundle: Bundle): void {
    const { manifest, nodes } = bundle, n = source.nCells;
    this.columns = new ColumnKeeper(source, bundle.vocabulary.symbols);
    this.counts = new CountsWriter(manifest.nGenes, this.options.spill);
    this.fingerprints = zeros(n, manifest.fingerprintSize);
    this.map = new MapMaker(this.fingerprints, this.options.hands);
    this.weights = new Rows(manifest.labels.length, n);
    this.weightsAlone = new Rows(manifest.labels.length, n);
    this.probabilities = new Rows(nodes.length, n);
  }

  see(block: FirstBlock): void {
    this.fingerprints.data.set(block.alone.fingerprintNd.data, block.alone.start * this.fingerprints.width);
    if ((block.alone.start + block.alone.length) * this.fingerprints.width === this.fingerprints.data.length) this.map.begin();
    this.counts.append(block.countsNg);
    this.columns.see(block.countsNg);
    if (block.weightNc !== null) this.weightsAlone.append(block.weightNc);
    if (block.alone.grounds !== null) this.groundsAlone.append(block.alone.grounds);
  }

  add(block: AnnotatedBlock): void {
    if (block.weightNc !== null) this.weights.append(block.weightNc);
    // where labels have weights, probabilities follow from these
    if (!this.weightsAlone.height) this.probabilities.append(block.probabilitiesNm);
    if (block.singleN !== null && block.grounds !== null) this.grounds.append(block.grounds);
  }

  async finish(annotation: Annotation): Promise<void> {
    this.options.tell("drawing the map", ANSWERED);
    const { x, y } = await this.map.places(annotation.nCountsN), { groups } = annotation;
    const orNull = <T extends { length: number } | { height: number }>(kept: T): T | null => (("length" in kept ? kept.length : kept.height) ? kept : null);
    const left: Left = {
      name: this.options.name,
      bundle: annotation.bundle,
      options: annotation.options,
      findings: annotation.findings,
      names: annotation.cellNames,
      nCountsN: annotation.nCountsN,
      nGenesN: annotation.nGenesN,
      measuredG: Uint8Array.from(annotation.findings.match.measuredG),
      counts: this.counts.finish(),
      examples: annotation.examples.map(({ countsG }) => countsG),
      exampleTypes: annotation.examples.map(({ answer }) => answer),
      x,
      y,
      groupN: groups === null ? null : Uint16Array.from(groups.grouping.codeN, (code) => (code < 0 ? MISSING : code)),
      groupNames: groups === null ? [] : [...groups.grouping.names],
      tissues: annotation.tissues,
      fingerprints: this.fingerprints,
      weights: orNull(this.weights),
      weightsAlone: orNull(this.weightsAlone),
      probabilities: orNull(this.probabilities),
      samples: annotation.samples,
      mixed: annotation.mixed,
      programsNp: annotation.programsNp,
      commands: commands(this.options.name, annotation),
    };
    this.results = new Results(left, {
      typesN: typeNumbers(annotation),
      nodes: commonTypes(annotation),
      scoreN: annotation.scoreN,
      singleN: annotation.singleN,
      singleScoreN: annotation.singleScoreN,
      barredN: annotation.barredN,
      doubtedN: annotation.doubtedN,
      groupSums: groups === null ? null : groups.probabilityKm,
      grounds: orNull(this.grounds),
      groundsAlone: orNull(this.groundsAlone),
      relatives: relativesOf(annotation.options, annotation.tissues),
      columns: this.columns.finish(annotation),
      summary: summarise(annotation),
    });
  }

  abandon(): void {
    this.options.spill?.close();
  }
}

// What repeats a run on the visitor's own machine, as a command line and as Python.
function commands(name: string, annotation: Annotation): { shell: string; python: string } {
  const options = annotation.options.settled(), stem = name.split("/").pop()!.split(".")[0] || "cells";
  const places = [name, `${stem}.spoticell.h5ad`, `${stem}.spoticell.html`] as const;
  return { shell: options.command(...places, tablePlaces(annotation, `${stem}.spoticell`)), python: options.python(...places) };
}
