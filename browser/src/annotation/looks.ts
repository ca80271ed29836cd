// The second look: each cell read together with its neighbours in the sample.
//
// A first look names each cell alone, and keeps of it what this one needs: some hundred bytes, not its counts. Then the
// sample's own structure is found, by fingerprints and by a sketch of its own expression, and the weights of each cell's
// labels are read together with those of its neighbours.
// Axes: n cells, g the model's genes, c labels, d numbers that say where a cell is, k neighbours.

import { unique } from "../base/arrays.ts";
import { U64Array } from "../base/bits.ts";
import { Csr } from "../base/csr.ts";
import { joined } from "../base/joined.ts";
import { takeRows, type Matrix } from "../base/matrix.ts";
import { part, stretch, type Progress } from "../base/progress.ts";
import { findNeighbours, Neighbours } from "../biology/neighbours.ts";
import type { Relatives } from "../biology/relatives.ts";
import { countsKeys } from "../biology/sample.ts";
import type { Sketch } from "../biology/sketch.ts";
import { likeliest, readTogether } from "../biology/together.ts";
import type { Findings } from "../io/findings.ts";
import { autoGroups } from "./auto_groups.ts";
import { decideTogether, type Said } from "./decision.ts";
import type { Grouping } from "./groups.ts";
import type { Options } from "./options.ts";
import type { AnnotatedBlock, FirstBlock } from "./result.ts";
import type { Kept } from "./seen.ts";

// Cells that are read together; a longer source is taken in parts of like size, one after another.
export const MOST = 1_000_000;
// Percent of the time after which all cells are named alone.
export const FIRST = 85;
// How much the sketch counts beside the fingerprint in how far two cells are apart.
export const SKETCH = 1.4;

// Who sees the cells as they are read.
export interface Watcher {
  see(block: FirstBlock): void;
}

// Answers the cells as they were named, each alone; `watchers` see them too.
export async function* eachAlone(looked: AsyncIterable<FirstBlock>, watchers: Watcher[], nCells: number, onProgress: Progress | null): AsyncGenerator<AnnotatedBlock> {
  for await (const block of looked) {
    for (const watcher of watchers) watcher.see(block);
    yield block.alone;
    onProgress?.(block.alone.start + block.alone.length, nCells);
  }
}

// The parts in which the cells of a source are read together.
export class Parts {
  private readonly nCells: number;
  private readonly nMeasured: number;

  constructor(
    // Of the cells' own expression.
    readonly sketch: Sketch,
    findings: Findings,
    private readonly options: Options,
    // What gives the weight of types that the sample can't hold to others.
    private readonly relatives: Relatives | null,
    // From which sample each cell is, where that is told: cells of different ones aren't read together.
    private readonly sampleN: Int32Array | null = null,
  ) {
    this.nCells = findings.nCells;
    this.nMeasured = findings.match.nFound;
  }

  // What is needed of a block in the second look.
  kept(block: FirstBlock): Kept {
    return keptOf(block, this.sketch);
  }

  // Answers the cells. `onGroups` is called with the groups that the cells form, before these are answered; none are
  // looked for if it isn't given.
  async *answered(
    looked: AsyncIterable<FirstBlock>, watchers: Watcher[], onProgress: Progress | null, onGroups: ((grouping: Grouping) => void) | null = null,
  ): AsyncGenerator<AnnotatedBlock> {
    const nParts = Math.max(1, Math.ceil(this.nCells / MOST));
    const ends = Array.from({ length: nParts }, (_, number) => Math.floor((this.nCells * (number + 1)) / nParts));
    let first = new FirstLook(this.nMeasured), number = 0;
    for await (const block of looked) {
      for (const watcher of watchers) watcher.see(block);
      first.add(block.kept !== null ? block : { ...block, kept: this.kept(block) });
      const seen = block.alone.start + block.alone.length, ofPart = part(onProgress, number, nParts);
      stretch(ofPart, 0, FIRST)(first.length, Math.max(ends[number] - block.alone.start + first.length, 1));
      if (seen < ends[number]) continue;
      const neighbours = first.neighbours(this.sampleN === null ? null : this.sampleN.subarray(seen - first.length, seen));
      onGroups?.(first.groups(neighbours));
      yield* first.answered(neighbours, this.options, this.relatives, stretch(ofPart, FIRST, 100));
      first = new FirstLook(this.nMeasured);
      number = Math.min(number + 1, nParts - 1);
    }
  }
}

// What is needed of a block in the second look, with a sketch of the cells' own expression.
export function keptOf(block: FirstBlock, sketch: Sketch): Kept {
  if (block.weightNc === null) throw new Error("these cells can't be read together: their labels have no weights");
  const { data, width } = block.weightNc, told = data.slice();
  for (let i = 0; i < block.toldN.length; i += 1) if (!(block.toldN[i] > 0)) told.fill(0, i * width, (i + 1) * width);
  const voices = likeliest({ data: told, width });
  return { voices, sketchNk: sketch.apply(block.countsNg), keyN: countsKeys(block.countsNg), mixed: null };
}

// What is kept of some cells between the looks.
export class FirstLook {
  private readonly blocks: AnnotatedBlock[] = [];
  private readonly told: Float32Array[] = [];
  private voices: Csr[] = [];
  private sketches: Matrix[] = [];
  private readonly keys: U64Array[] = [];
  private readonly familiarities: Float32Array[] = [];
  private nCells = 0;

  // `nMeasured` known genes are measured.
  constructor(readonly nMeasured: number) {}

  get length(): number {
    return this.nCells;
  }

  // Takes in the next cells.
  add(block: FirstBlock): void {
    if (block.kept === null) throw new Error("these cells can't be read together: nothing of them was kept");
    // what the second look says anew isn't kept: probabilities take a hundred times the rest
    this.blocks.push(block.alone.withoutProbabilities());
    this.told.push(block.toldN);
    this.nCells += block.alone.length;
    this.voices.push(block.kept.voices);
    this.sketches.push(block.kept.sketchNk);
    this.keys.push(block.kept.keyN);
    if (block.familiarityN !== null) this.familiarities.push(block.familiarityN);
  }

  // The neighbours of each cell that has counts; among those of its own sample, where these are told.
  neighbours(sampleN: Int32Array | null = null): Neighbours {
    const placeNd = this.places(), keyN = U64Array.concat(this.keys), toldN = joined(Float32Array, this.told);
    const samples = sampleN === null ? [null] : unique(sampleN);
    const parts: [Int32Array, Neighbours][] = [];
    for (const sample of samples) {
      const own: number[] = [];
      // empty droplets are many, and would be the only landmarks
      for (let i = 0; i < toldN.length; i += 1) if (toldN[i] > 0 && (sample === null || sampleN![i] === sample)) own.push(i);
      if (!own.length) continue;
      const cells = Int32Array.from(own), all = cells.length === toldN.length;
      parts.push([cells, findNeighbours(all ? placeNd : takeRows(placeNd, cells), all ? keyN : keyN.take(cells))]);
    }
    return Neighbours.join(keyN.length, parts);
  }

  // The groups of cells that are close to each other.
  groups(neighbours: Neighbours): Grouping {
    return autoGroups(neighbours, U64Array.concat(this.keys));
  }

  private places(): Matrix {
    const prints = this.blocks[0].fingerprintNd.width, width = prints + this.sketches[0].width;
    const data = new Float32Array(this.length * width), mean = new Float64Array(prints);
    let cell = 0, seen = 0;
    this.blocks.forEach((block, number) => {
      const sketch = this.sketches[number], print = block.fingerprintNd;
      for (let i = 0; i < block.length; i += 1, cell += 1) {
        const from = cell * width;
        let any = 0;
        for (let d = 0; d < prints; d += 1) {
          const value = (data[from + d] = print.data[i * prints + d]);
          mean[d] += value;
          if (value !== 0) any = 1;
        }
        seen += any;
        for (let k = 0; k < sketch.width; k += 1) data[from + prints + k] = sketch.data[i * sketch.width + k] * Math.fround(SKETCH);
      }
    });
    this.sketches = [];
    if (seen) spreadOut(data, width, mean.map((sum) => sum / seen));
    return { data, width };
  }

  // Answers the cells, read together with their neighbours.
  *answered(neighbours: Neighbours, options: Options, relatives: Relatives | null, onProgress: Progress): Generator<AnnotatedBlock> {
    const reader = new Reader(Csr.vstack(this.voices), this.familiarities.length ? joined(Float32Array, this.familiarities) : null, this.nMeasured);
    this.voices = [];
    let start = 0;
    for (let place = 0; place < this.blocks.length; place += 1) {
      const alone = this.blocks[place], said = reader.said(neighbours, start, start + alone.length);
      yield alone.answered(decideTogether(said, this.told[place], options.bundle, { threshold: options.lowest, relatives }));
      start += alone.length;
      onProgress(start, this.length);
    }
  }
}

// Reads cells together with their neighbours.
class Reader {
  // Which labels some cell has a weight for: no denied one.
  private readonly spokenC: Uint8Array;

  constructor(private readonly voiceNc: Csr, private readonly familiarityN: Float32Array | null, private readonly nMeasured: number) {
    this.spokenC = new Uint8Array(voiceNc.width);
    for (const label of voiceNc.indices) this.spokenC[label] = 1;
  }

  said(neighbours: Neighbours, start: number, stop: number): Said {
    const cells = Int32Array.from({ length: stop - start }, (_, i) => start + i), k = neighbours.width;
    const [indexBk, closenessBk] = neighbours.of(start, stop);
    const [weightNc, voiceBk] = readTogether(this.voiceNc, this.spokenC, cells, indexBk, closenessBk);
    const heardN = new Float32Array(cells.length), known = this.familiarityN;
    const familiarityN = known === null ? null : new Float32Array(cells.length);
    for (let b = 0; b < cells.length; b += 1) {
      let loud = 0, heard = 0;
      for (let j = b * k; j < (b + 1) * k; j += 1) {
        loud += voiceBk[j];
        if (known !== null) heard += voiceBk[j] * known[indexBk[j]];
      }
      heardN[b] = loud / (1 + loud);
      if (familiarityN !== null) familiarityN[b] = (known![cells[b]] + heard) / (1 + loud);
    }
    return { weightNc, heardN, familiarityN, nMeasured: this.nMeasured };
  }
}

// Fingerprints about their middle, with a mean squared length of one; the middle is that of cells that have one.
function spreadOut(data: Float32Array, width: number, mean: Float64Array): void {
  const prints = mean.length, n = data.length / width;
  let squares = 0, seen = 0;
  for (let i = 0; i < n; i += 1) {
    let any = false, square = 0;
    for (let d = i * width, j = 0; j < prints; d += 1, j += 1) {
      if (data[d] !== 0) any = true;
      data[d] -= mean[j];
      square += data[d] * data[d];
    }
    if (any) { squares += square; seen += 1; }
  }
  const spread = Math.sqrt(squares / seen) || 1;
  for (let i = 0; i < n; i += 1) for (let d = i * width; d < i * width + prints; d += 1) data[d] /= spread;
}
