// The one way from a source of cells to answers: aligned, through the network, decided, into every sink.
//
// Which matrix is read, and what its values are, was found by `findings`.

import { ConfigError } from "../base/errors.ts";
import { stretch, type Progress } from "../base/progress.ts";
import { comma } from "../base/words.ts";
import { inspect, type Findings } from "../io/findings.ts";
import type { CellSource } from "../io/source.ts";
import { Here, keeping, partsOf, readsTogether, type Helpers } from "./first_blocks.ts";
import { AUTO, readGroups, type Grouping } from "./groups.ts";
import { eachAlone, MOST, type Watcher } from "./looks.ts";
import { MixedTally } from "./mixed.ts";
import type { Options } from "./options.ts";
import { Annotation } from "./result.ts";
import { findSamples, type Samples } from "./samples.ts";
import { ResultSink, type Sink } from "./sinks.ts";

// Percent of the time after which counts are found.
export const LOOKING = 20;

// Finds out which matrix and genes of an open source would be used.
export function lookAt(source: CellSource, options: Options, onProgress: Progress | null = null): Findings {
  const { layer, geneColumn } = options;
  return inspect(source, options.bundle.vocabulary, { layer, geneColumn, onProgress });
}

export interface Asked {
  // From `lookAt` on the same source and options; looked for if not given.
  findings?: Findings | null;
  onProgress?: Progress | null;
  helpers?: Helpers | null;
}

// Names the type of each cell of an open source. What can't be is refused before any cell is read.
export async function annotateSource(
  source: CellSource, options: Options, sinks: Sink[] = [], { findings = null, onProgress = null, helpers = null }: Asked = {},
): Promise<Annotation> {
  const { allowed } = options;
  const samples = findSamples(source, options.by, options.condition);
  const grouping = toldGroups(source, options);
  const looked = findings === null ? LOOKING : 0;
  let found = findings ?? lookAt(source, options, stretch(onProgress, 0, looked));
  if (allowed !== null && allowed.notes.length) found = found.with({ warnings: [...found.warnings, ...allowed.notes] });
  return run(source, found, options, sinks, { samples, grouping, onProgress: stretch(onProgress, looked, 100), helpers });
}

export interface Told {
  // Samples and groups that columns of the source tell, where they are asked for.
  samples?: Samples | null;
  grouping?: Grouping | null;
  onProgress?: Progress | null;
  helpers?: Helpers | null;
}

// Answers every cell of a source, and hands each block of answers to every sink.
export async function run(
  source: CellSource, findings: Findings, options: Options, sinks: Sink[] = [], { samples = null, grouping = null, onProgress = null, helpers = null }: Told = {},
): Promise<Annotation> {
  const reader = new Here(source, findings, options);
  const result = new ResultSink(source, findings, options, { tissues: reader.tissues, samples, grouping });
  const mixed = new MixedTally(source.nCells), every = [result, ...sinks], watchers: Watcher[] = [...every, mixed];
  const begun: Sink[] = [];
  try {
    for (const sink of sinks) {
      sink.begin(source, findings, options.bundle);
      begun.push(sink);
    }
    const parts = partsOf(reader, findings, options, samples), looked = reader.blocks(keeping(reader, parts), helpers);
    const onGroups = options.groups === AUTO ? (found: Grouping) => result.groupBy(found) : null;
    const answered = parts === null ? eachAlone(looked, watchers, source.nCells, onProgress) : parts.answered(looked, watchers, onProgress, onGroups);
    for await (const block of answered) for (const one of every) one.add(block);
    const annotation = new Annotation({ ...result.finish(), mixed: mixed.finish() });
    for (const sink of sinks) await sink.finish(annotation);
    return annotation;
  } catch (error) {
    for (const sink of begun) sink.abandon();
    throw error;
  }
}

// The groups of a column; refuses to look for groups where that can't be.
function toldGroups(source: CellSource, options: Options): Grouping | null {
  checkGroups(options, source.nCells, source.name);
  return options.groups === null || options.groups === AUTO ? null : readGroups(source, options.groups);
}

// Refuses to look for groups where that can't be; `name` is how messages call the cells' source.
export function checkGroups(options: Options, nCells: number, name: string): void {
  if (options.groups !== AUTO) return;
  if (!readsTogether(options)) {
    throw new ConfigError("groups are found while cells are read together, and here each is named alone; give a column of groups.");
  }
  if (nCells > MOST) {
    throw new ConfigError(`${name} has ${comma(nCells)} cells, and groups are found among at most ${comma(MOST)}; give a column of groups.`);
  }
}
