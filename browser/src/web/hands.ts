// Other workers that do a part of a run while this one goes on: they read some of the cells, and lay out the map.

import { packagedBytes, packagedNames } from "../base/packaged.ts";
import { Csr } from "../base/csr.ts";
import type { Matrix } from "../base/matrix.ts";
import type { Helpers, Looked } from "../annotation/first_blocks.ts";
import type { Findings } from "../io/findings.ts";
import { toPlain, type PlainFindings } from "../io/findings_plain.ts";
import { BLOCK, type CellSource } from "../io/source.ts";
import type { Bundle } from "../model/bundle.ts";
import { Prediction } from "../model/runtime.ts";

// Workers beside this one, at most.
const MOST = 3;
// A worker takes half a second to begin, in which this many cells are read.
export const WORTH = 3000;
// Stretches of cells that a worker is asked for before it has given the first.
const AHEAD = 2;
// Stretches that are read and not yet used, at most, as each takes some megabytes.
const STORED = 6;

// A block as it passes from one worker to another.
export interface Passed {
  start: number;
  counts: { data: Float32Array; indices: Int32Array; indptr: Int32Array; width: number };
  fingerprintNd: Matrix;
  probabilitiesNm: Matrix | null;
  weightNc: Matrix | null;
  familiarityN: Float32Array | null;
  nMeasured: number;
}

// What is asked of a hand.
export type Order =
  | { kind: "lend"; upload: unknown; findings: PlainFindings }
  | { kind: "look"; start: number; stop: number }
  | { kind: "project"; landmarks: Matrix };

export function passed({ start, countsNg, prediction }: Looked): Passed {
  const { data, indices, indptr, width } = countsNg, { fingerprintNd, weightNc, familiarityN, nMeasured } = prediction;
  const probabilitiesNm = weightNc === null ? prediction.probabilitiesNm : null;
  // a view of a larger buffer would take all of that along
  return { start, counts: { data: data.slice(), indices: indices.slice(), indptr: indptr.slice(), width }, fingerprintNd, probabilitiesNm, weightNc, familiarityN, nMeasured };
}

// What passes without a copy.
export function buffersOf(blocks: Passed[]): ArrayBuffer[] {
  const arrays = blocks.flatMap(({ counts, fingerprintNd, weightNc }) => [counts.data, counts.indices, counts.indptr, fingerprintNd.data, ...(weightNc === null ? [] : [weightNc.data])]);
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}

// A worker of the same script.
class Hand {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (done: unknown) => void; reject: (error: Error) => void }>();
  private number = 0;
  isBroken = false;

  constructor(version: string) {
    this.worker = new Worker(self.location.href, { type: "module", name: "spoticell hand" });
    this.worker.onmessage = ({ data }) => {
      // whoever gets its lock learns that the worker is gone
      if (data.held !== undefined) void navigator.locks.request(data.held, () => this.end());
      if (data.number === undefined) return;
      const { resolve, reject } = this.waiting.get(data.number)!;
      this.waiting.delete(data.number);
      if (data.failed === undefined) resolve(data.done);
      else reject(new Error(data.failed));
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.end();
    };
    this.worker.postMessage({ kind: "load", tables: packagedNames().map((name) => [name, packagedBytes(name)]), version });
  }

  call<T>(order: Order): Promise<T> {
    if (this.isBroken) return Promise.reject(new Error("ended"));
    const number = (this.number += 1);
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(number, { resolve: resolve as (done: unknown) => void, reject });
      this.worker.postMessage({ number, ...order });
    });
  }

  end(): void {
    this.isBroken = true;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error("ended"));
    this.waiting.clear();
  }
}

// Whatever goes wrong in a hand, this worker does its part itself: then it fails in its own words, or it doesn't.
export class Hands implements Helpers {
  private constructor(private readonly hands: Hand[], private readonly source: CellSource, private readonly bundle: Bundle) {}

  // As many as there are cores beside the one of this worker; null where there are none, or it isn't worth it.
  static begin(upload: unknown, source: CellSource, findings: Findings, bundle: Bundle, version: string, cores: number): Hands | null {
    const many = Math.min(MOST, cores - 1);
    if (many < 1 || source.nCells < WORTH) return null;
    const hands = Array.from({ length: many }, () => new Hand(version)), order: Order = { kind: "lend", upload, findings: toPlain(findings) };
    for (const hand of hands) hand.call(order).catch(() => hand.end());
    return new Hands(hands, source, bundle);
  }

  looked(findings: Findings, here: (start: number, stop: number) => Iterable<Looked>): AsyncIterable<Looked> | null {
    return this.source.readsAnywhere(findings.matrix) ? this.inOrder(here) : null;
  }

  // Lays out the landmarks of a map; null where no hand can.
  async project(landmarks: Matrix): Promise<Float64Array | null> {
    const hand = this.hands.find(({ isBroken }) => !isBroken);
    return hand === undefined ? null : hand.call<Float64Array>({ kind: "project", landmarks }).catch(() => null);
  }

  end(): void {
    for (const hand of this.hands) hand.end();
  }

  private async *inOrder(here: (start: number, stop: number) => Iterable<Looked>): AsyncGenerator<Looked> {
    const { nCells } = this.source, many = Math.ceil(nCells / BLOCK), coming = new Map<number, Promise<Looked[] | null>>(), there = new Map<number, Looked[]>();
    const within = (place: number): [number, number] => [place * BLOCK, Math.min((place + 1) * BLOCK, nCells)];
    let next = 0;
    const give = (hand: Hand): void => {
      if (hand.isBroken || next >= many || coming.size + there.size >= STORED) return;
      const place = next++, [start, stop] = within(place);
      const looked = hand.call<Passed[]>({ kind: "look", start, stop }).then((blocks) => blocks.map((block) => this.unpacked(block)), () => null);
      coming.set(place, looked.then((blocks) => {
        coming.delete(place);
        if (blocks !== null) there.set(place, blocks);
        give(hand);
        return blocks;
      }));
    };
    for (let place = 0; place < many; place += 1) {
      for (const hand of this.hands) for (let more = 0; more < AHEAD; more += 1) if (coming.size < AHEAD * this.hands.length) give(hand);
      // this worker takes the next stretch itself, or one after it while the next is on its way
      while (!there.has(place) && coming.has(place)) {
        if (next < many && there.size < STORED) {
          const own = next++;
          there.set(own, [...here(...within(own))]);
          await aTurn();
        } else await coming.get(place);
      }
      if (place >= next) next = place + 1;
      yield* there.get(place) ?? here(...within(place));
      there.delete(place);
      await aTurn();
    }
  }

  private unpacked({ start, counts, fingerprintNd, probabilitiesNm, weightNc, familiarityN, nMeasured }: Passed): Looked {
    const countsNg = new Csr(counts.data, counts.indices, counts.indptr, counts.width), { labelWeights } = this.bundle;
    return { start, countsNg, prediction: new Prediction(fingerprintNd, probabilitiesNm, familiarityN, nMeasured, weightNc, weightNc === null ? null : labelWeights) };
  }
}

// Hears what came meanwhile from other workers.
const aTurn = (): Promise<void> => new Promise((done) => { setTimeout(done); });
