// What a network's probabilities are worth on cells of other laboratories: calibrated probabilities, and scores.
//
// A network is too sure of cells that it has never seen the like of, the more so the fewer counts a cell has. The weights
// of its labels are therefore softened as held-out data sets ask for, and summed up the ontology after that: temperature
// scaling (Guo et al. 2017, arXiv:1706.04599) with a temperature that depends on the depth of the cell. So weights that
// exclude each other still add up to at most one, and a parent stays at least as probable as its child.
//
// A network always finds some type likelier than the rest, also for a cell of a type that it has never seen. What tells
// such a cell is its familiarity: the log-sum-exp of the network's logits, before they become probabilities (the negative
// energy score of Liu et al. 2020, arXiv:2010.03759). It has a part in the score of an answer.
// Axes: n cells, c labels, m ontology nodes. Where NumPy works in single precision, so do we.

import { heightOf, zeros } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";

// Largest number in a map: more makes every answer sure, whatever the network says.
export const MOST = 1000;
// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
export const CERTAIN = 1e-6;
// Log10 of counts per thousand between which the depth of a cell counts; beyond, nothing was held out to learn from.
export const SHALLOWEST = -1.5, DEEPEST = 0.5;

const { fround } = Math;
const LEAST_SURE = fround(CERTAIN), SUREST = fround(1 - CERTAIN);

export const expit = (x: number): number => 1 / (1 + Math.exp(-x));
export const logit = (p: number): number => Math.log(p / (1 - p));

// Log-odds of a probability in single precision, kept from being endless.
function odds(probability: number): number {
  const kept = Math.min(Math.max(probability, LEAST_SURE), SUREST);
  return fround(Math.log(kept / fround(1 - kept)));
}

// Log10 of counts per thousand; a cell without counts has that of one count.
export const logDepth = (counts: number): number => Math.log10(Math.max(counts, 1)) - 3;

// The same between depths that were held out to learn from.
export const boundedDepth = (counts: number): number => Math.min(Math.max(logDepth(counts), SHALLOWEST), DEEPEST);

// The map of bundles up to format 1.2, node by node.
//
// Log-odds of being right = slope x log-odds + depth x log10(counts / 1000) + intercept.
export class Calibration {
  readonly slope: number;
  readonly depth: number;
  readonly intercept: number;

  constructor({ slope, depth, intercept }: { slope: number; depth: number; intercept: number }) {
    [this.slope, this.depth, this.intercept] = [slope, depth, intercept];
  }

  // The calibrated probability that each node is right; 0 stays 0.
  apply(probabilitiesNm: Matrix, countsN: ArrayLike<number>): Matrix {
    const { data, width } = probabilitiesNm, made = zeros(heightOf(probabilitiesNm), width);
    for (let i = 0, e = 0; i < countsN.length; i += 1) {
      const shift = this.intercept + this.depth * logDepth(countsN[i]);
      for (const stop = e + width; e < stop; e += 1) {
        if (data[e] > 0) made.data[e] = expit(fround(fround(this.slope) * odds(data[e])) + shift);
      }
    }
    return made;
  }
}

// The map: each label's weight to the power of 10**(power + depth x log10(counts / 1000)), made one again.
export class Softening {
  readonly power: number;
  readonly depth: number;

  constructor({ power, depth }: { power: number; depth: number }) {
    [this.power, this.depth] = [power, depth];
  }

  // The softened weight of each label, of one in each row; 0 stays 0, and a cell without weights stays without.
  apply(weightNc: Matrix, countsN: ArrayLike<number>): Matrix {
    return toThePower(weightNc, Float32Array.from(countsN, (counts) => 10 ** (this.power + this.depth * boundedDepth(counts))));
  }
}

// Weights to a power of each cell's own, made one again.
function toThePower(weightNc: Matrix, powerN: Float32Array): Matrix {
  const { data, width } = weightNc, powered = zeros(powerN.length, width);
  for (let i = 0; i < powerN.length; i += 1) {
    const from = i * width, stop = from + width, power = powerN[i];
    let total = 0;
    for (let e = from; e < stop; e += 1) {
      // most labels have none, and powers take time
      if (data[e] > LEAST_SURE) total += powered.data[e] = fround(data[e] ** power);
    }
    const whole = total > 0 ? fround(total) : 1;
    for (let e = from; e < stop; e += 1) powered.data[e] /= whole;
  }
  return powered;
}

// When a cell is too strange to be named, whatever speaks for its answer.
//
// Shallow cells and cells seen through few genes look less familiar. A cell is strange if its familiarity is below
// intercept + counts x log10(counts / 1000) + genes x log10(measured genes / 1000): below all but a few of the cells of
// known types that were held out, seen in the same way.
export class Stranger {
  readonly counts: number;
  readonly genes: number;
  readonly intercept: number;

  constructor({ counts, genes, intercept }: { counts: number; genes: number; intercept: number }) {
    [this.counts, this.genes, this.intercept] = [counts, genes, intercept];
  }

  // Which cells are too strange.
  isStrange(familiarityN: Float32Array, countsN: ArrayLike<number>, nMeasured: number): Uint8Array {
    return Uint8Array.from(this.margin(familiarityN, countsN, nMeasured), (margin) => (margin < 0 ? 1 : 0));
  }

  // How far each cell's familiarity is above the bound; it is strange below zero.
  margin(familiarityN: Float32Array, countsN: ArrayLike<number>, nMeasured: number): Float32Array {
    const genes = this.genes * Math.log10(Math.max(nMeasured, 1) / 1000);
    return familiarityN.map((known, i) => fround(known - fround(this.intercept)) - (this.counts * boundedDepth(countsN[i]) + genes));
  }
}

// The map to the score of an answer.
//
// Log-odds of being right = chance x log-odds of the answer's probability + depth x log10(counts / 1000) +
// familiarity x familiarity + intercept.
export class Trust {
  readonly chance: number;
  readonly depth: number;
  readonly familiarity: number;
  readonly intercept: number;
  // An answer with a smaller score isn't given.
  readonly doubt: number;
  // Counts from which a cell's answers are doubted: with fewer nothing looks familiar, however right it is.
  readonly enough: number;
  // Which cells are too strange to be named; null where nothing but the score says it.
  readonly stranger: Stranger | null;

  constructor(of: { chance: number; depth: number; familiarity: number; intercept: number; doubt?: number; enough?: number; stranger?: Stranger | null }) {
    [this.chance, this.depth, this.familiarity, this.intercept] = [of.chance, of.depth, of.familiarity, of.intercept];
    [this.doubt, this.enough, this.stranger] = [of.doubt ?? 0, of.enough ?? 0, of.stranger ?? null];
  }

  // How often answers are right whose terms have such calibrated probabilities, in cells of such familiarity and counts.
  scores(probabilityN: Float32Array, familiarityN: Float32Array, countsN: ArrayLike<number>): Float32Array {
    const chance = fround(this.chance);
    return probabilityN.map((probability, i) => expit(fround(chance * odds(probability)) + this.known(familiarityN[i], countsN[i]) + this.intercept));
  }

  // The probability that an answer needs so that its score isn't too low to be given: 0 where any answer may be given,
  // more than 1 where none may. Who asks for less sure answers, by a lower threshold, gets more doubtful ones too.
  least(familiarityN: Float32Array, countsN: ArrayLike<number>, threshold: number): Float64Array {
    const bound = Math.min(this.doubt, threshold);
    return Float64Array.from(familiarityN, (familiarity, i) => {
      if (!(countsN[i] >= this.enough)) return 0;
      const lacking = bound === 0 ? -Infinity : logit(bound) - (this.known(familiarity, countsN[i]) + this.intercept);
      // a chance that hardly counts can't make up for anything
      const needed = expit(lacking / Math.max(this.chance, CERTAIN));
      return needed > 1 - CERTAIN ? 2 : needed;
    });
  }

  private known(familiarity: number, counts: number): number {
    return fround(fround(this.familiarity) * familiarity) + this.depth * logDepth(counts);
  }
}

// The map for cells that are read together with their neighbours.
//
// Their weights are means, which are less sure than they may be: each is taken to the power of 10**(power x heard), where
// `heard` is the neighbours' part in the mean.
export class Together {
  readonly power: number;
  // As in the manifest, for a cell's familiarity read together with that of its neighbours.
  readonly trust: Trust | null;

  constructor({ power, trust = null }: { power: number; trust?: Trust | null }) {
    [this.power, this.trust] = [power, trust];
  }

  // The calibrated weight of each label, from weights that were read together and the neighbours' part in them, in [0, 1).
  apply(weightNc: Matrix, heardN: ArrayLike<number>): Matrix {
    return toThePower(weightNc, Float32Array.from(heardN, (heard) => 10 ** (this.power * heard)));
  }
}
