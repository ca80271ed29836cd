// A sample of the cells that go by, the same in whatever order they come. The counterpart of spoticell/biology/sample.py.
//
// Axes: n cells, v genes of the data set, e values that a key is made of.

import * as bits from "../base/bits.ts";
import { U64Array } from "../base/bits.ts";
import { Csr } from "../base/csr.ts";
import { cached } from "../base/packaged.ts";
import { reducedSingle } from "../base/sums.ts";

const MOST_CELLS = 512, MOST_VALUES = 2_000_000;
// How many times the most may be held for a while.
const SPARE = 1.5;
// Values from each end of a cell that its key is made of.
const KEYED = 16;
// Of so many genes one is looked at for a key, but all are in cells that have few.
const ONE_IN = 16;
const FEW_GENES = 512;
const ODD_1_HIGH = 0xbf58476d, ODD_1_LOW = 0x1ce4e5b9, ODD_2_HIGH = 0x94d049bb, ODD_2_LOW = 0x133111eb;

interface Held {
  keyN: U64Array;
  placeN: Int32Array;
  valuesNv: Csr;
  floorN: Float64Array;
}

// Some cells of a stream of unknown length, those with the smallest keys; memory is bounded.
export class CellSample {
  private nSeen = 0;
  private boundHigh = 0xffffffff;
  private boundLow = 0xffffffff;
  private nHeld = 0;
  private nHeldValues = 0;
  private parts: Held[] = [];

  // The most that is kept.
  constructor(private readonly mostCells = MOST_CELLS, private readonly mostValues = MOST_VALUES) {}

  // Takes in the next cells and what zero is in each of them; cells without values are passed over.
  add(valuesNv: Csr, floorN: Float64Array): void {
    const keyN = cellKeys(valuesNv), within: number[] = [];
    for (let cell = 0; cell < valuesNv.height; cell += 1) {
      if (valuesNv.indptr[cell + 1] > valuesNv.indptr[cell] && this.isWithin(keyN, cell)) within.push(cell);
    }
    const sizeN = valuesNv.sizes();
    const fitting = this.fitting(keyN.take(within), Int32Array.from(within, (cell) => sizeN[cell]));
    if (fitting.length > 0) {
      const chosen = Int32Array.from(fitting, (place) => within[place]);
      const placeN = chosen.map((cell) => this.nSeen + cell);
      this.hold({ keyN: keyN.take(chosen), placeN, valuesNv: valuesNv.rows(chosen), floorN: Float64Array.from(chosen, (cell) => floorN[cell]) });
    }
    this.nSeen += valuesNv.height;
  }

  private isWithin(keyN: U64Array, cell: number): boolean {
    return keyN.high[cell] < this.boundHigh || (keyN.high[cell] === this.boundHigh && keyN.low[cell] <= this.boundLow);
  }

  private hold(part: Held): void {
    this.parts.push(part);
    this.nHeld += part.keyN.length;
    this.nHeldValues += part.valuesNv.nnz;
    // now and then, as every time copies all that is held
    if (this.nHeld > SPARE * this.mostCells || this.nHeldValues > SPARE * this.mostValues) this.thin();
  }

  // The places of the cells with the smallest keys, as many as may be kept, in their order.
  private fitting(keyN: U64Array, sizeN: Int32Array): Int32Array {
    const order = keyN.argsort().subarray(0, this.mostCells);
    let few = 0;
    for (let size = 0; few < order.length && size + sizeN[order[few]] <= this.mostValues; few += 1) size += sizeN[order[few]];
    return order.slice(0, Math.max(1, few)).sort();
  }

  private thin(): void {
    const keyN = U64Array.concat(this.parts.map((part) => part.keyN));
    const sizeN = Int32Array.from(this.parts.flatMap((part) => Array.from(part.valuesNv.sizes())));
    const stay = this.fitting(keyN, sizeN);
    if (stay.length === keyN.length) return;
    const last = keyN.take(stay).argsort()[stay.length - 1];
    this.boundHigh = keyN.high[stay[last]];
    this.boundLow = keyN.low[stay[last]];
    let start = 0, at = 0;
    const parts: Held[] = [];
    for (const part of this.parts) {
      const places: number[] = [], stop = start + part.keyN.length;
      for (; at < stay.length && stay[at] < stop; at += 1) places.push(stay[at] - start);
      if (places.length > 0) parts.push(some(part, places));
      start = stop;
    }
    this.parts = parts;
    this.nHeld = parts.reduce((sum, part) => sum + part.keyN.length, 0);
    this.nHeldValues = parts.reduce((sum, part) => sum + part.valuesNv.nnz, 0);
  }

  // The cells that were kept, in the order in which they came: values, what zero is in each, and places.
  cells(): [Csr, Float64Array, Int32Array] {
    this.thin();
    const floorN = Float64Array.from(this.parts.flatMap((part) => Array.from(part.floorN)));
    const placeN = Int32Array.from(this.parts.flatMap((part) => Array.from(part.placeN)));
    return [Csr.vstack(this.parts.map((part) => part.valuesNv)), floorN, placeN];
  }
}

function some(part: Held, places: number[]): Held {
  return {
    keyN: part.keyN.take(places),
    placeN: Int32Array.from(places, (place) => part.placeN[place]),
    valuesNv: part.valuesNv.rows(places),
    floorN: Float64Array.from(places, (place) => part.floorN[place]),
  };
}

// A number for each cell, at random, that depends on its values alone.
//
// Cells are chosen by it rather than by their place, so that another order of the cells changes nothing.
export function cellKeys(valuesNv: Csr): U64Array {
  const keyN = new U64Array(valuesNv.height), { indptr } = valuesNv;
  for (let cell = 0; cell < keyN.length; cell += 1) {
    const from = indptr[cell], to = indptr[cell + 1];
    let high = 0, low = 0;
    for (let step = 0; step < 2 * KEYED; step += 1) {
      const place = step < KEYED ? from + step : to - 1 - (step - KEYED);
      if (place < from || place >= to) continue;
      mixValue(valuesNv.data[place], valuesNv.indices[place]);
      bits.add(high, low, bits.high, bits.low);
      high = bits.high;
      low = bits.low;
    }
    bits.add(high, low, 0, to - from);
    mix(bits.high, bits.low);
    keyN.high[cell] = bits.high;
    keyN.low[cell] = bits.low;
  }
  return keyN;
}

// The same as cellKeys for counts of known genes, whatever the order in which a cell's genes come.
export function countsKeys(countsNg: Csr): U64Array {
  const keyN = new U64Array(countsNg.height), { data, indices, indptr } = countsNg;
  const keyedG = keyed(countsNg.width);
  for (let cell = 0; cell < keyN.length; cell += 1) {
    const from = indptr[cell], to = indptr[cell + 1], all = to - from <= FEW_GENES;
    let high = 0, low = 0;
    for (let e = from; e < to; e += 1) {
      if (!all && !keyedG[indices[e]]) continue;
      mixValue(data[e], indices[e]);
      bits.add(high, low, bits.high, bits.low);
      high = bits.high;
      low = bits.low;
    }
    bits.multiply(0, to - from, ODD_2_HIGH, ODD_2_LOW);
    bits.add(high, low, bits.high, bits.low);
    high = bits.high;
    low = bits.low;
    bits.bitsOf(reducedSingle(data, from, to));
    bits.add(high, low, bits.high, bits.low);
    mix(bits.high, bits.low);
    keyN.high[cell] = bits.high;
    keyN.low[cell] = bits.low;
  }
  return keyN;
}

// One in ONE_IN genes, at random.
const keyed = (nGenes: number): Uint8Array =>
  cached(`genes keyed of ${nGenes}`, () =>
    Uint8Array.from({ length: nGenes }, (_, gene) => {
      mix(0, gene);
      return Number(bits.low % ONE_IN === 0);
    }),
  );

// Mixes the bits of a value with its gene.
function mixValue(value: number, gene: number): void {
  bits.multiply(0, gene, ODD_1_HIGH, ODD_1_LOW);
  const high = bits.high, low = bits.low;
  bits.bitsOf(value);
  mix((bits.high ^ high) >>> 0, (bits.low ^ low) >>> 0);
}

// Spreads bits over all places (the finaliser of SplitMix64, Steele et al. 2014, https://doi.org/10.1145/2714064.2660195).
function mix(high: number, low: number): void {
  bits.multiply((high ^ (high >>> 30)) >>> 0, (low ^ ((low >>> 30) | (high << 2))) >>> 0, ODD_1_HIGH, ODD_1_LOW);
  high = bits.high;
  low = bits.low;
  bits.multiply((high ^ (high >>> 27)) >>> 0, (low ^ ((low >>> 27) | (high << 5))) >>> 0, ODD_2_HIGH, ODD_2_LOW);
  high = bits.high;
  low = bits.low;
  bits.add((high ^ (high >>> 31)) >>> 0, (low ^ ((low >>> 31) | (high << 1))) >>> 0, 0, 0);
}
