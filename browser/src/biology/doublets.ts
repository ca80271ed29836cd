// Doublets made of cells of two types, and whether a cell's counts are more like two types than one.
//
// Two cells in one droplet are read as one. Made ones show where such droplets lie, as in Scrublet (Wolock et al. 2019,
// https://doi.org/10.1016/j.cels.2018.11.005) and scDblFinder (Germain et al. 2021,
// https://doi.org/10.12688/f1000research.73600.2).
// Axes: n cells, g genes, v genes that are looked at, t types, p made doublets, k mixtures.

import { argsort, cumsum, searchsorted, sum } from "../base/arrays.ts";
import { binomial } from "../base/binomial.ts";
import { Csr } from "../base/csr.ts";
import { COLUMNS, Kernels } from "../base/kernels.ts";
import type { Generator } from "../base/random.ts";
import { rint } from "../base/rounding.ts";

// Of the counts of two cells at least so many are caught in one droplet.
export const CAUGHT = 0.5;
// Cells in which a gene is seen, at least, so that it says something.
export const SEEN = 5;
// Shares of the mean cell that one cell may be, as droplets hold what floats about: a soup is no second cell.
export const SOUP = [0.0, 0.1, 0.25];
// Shares of the first of two types.
export const PARTS = [0.3, 0.5, 0.7];
// Transformed counts of the mean cell that each type's profile begins with.
export const PRIOR = 20.0;

// Doublets that were made of cells of two types.
export interface MadeDoublets {
  countsPg: Csr;
  // Place of each one's types among the pairs.
  pairP: Int32Array;
  // Two types each, the commoner one first.
  pairs: [number, number][];
}

// Makes doublets of cells of two types: half of the pairs of types are drawn as two cells meet, half more evenly, so that
// rare types are among them. Cells of type -1 aren't used; `apartTt` says, row by row, which types exclude each other.
export function makeDoublets(countsNg: Csr, typeN: Int32Array, apartTt: Uint8Array, number: number, rng: Generator): MadeDoublets {
  const types = Math.sqrt(apartTt.length), ofType: number[][] = Array.from({ length: types }, () => []);
  typeN.forEach((type, cell) => { if (type >= 0) ofType[type].push(cell); });
  const order = argsort(ofType.map((cells) => -cells.length)), pairs: [number, number][] = [];
  order.forEach((one, place) => order.subarray(place + 1).forEach((other) => { if (apartTt[one * types + other]) pairs.push([one, other]); }));
  const pairP = drawn(pairs.map(([one, other]) => ofType[one].length * ofType[other].length), number, rng);
  const chosen = Array.from(pairP, (pair) => pairs[pair].map((type) => ofType[type][rng.upTo(ofType[type].length - 1)]));
  const made = added(countsNg, chosen), caught = chosen.map(() => CAUGHT + (1 - CAUGHT) * rng.random());
  const random = () => rng.random(), kept: number[] = [], genes: number[] = [], indptr = new Int32Array(number + 1);
  for (let p = 0; p < number; p += 1) {
    for (let e = made.indptr[p]; e < made.indptr[p + 1]; e += 1) {
      // larger ones, of damaged files, are no whole numbers that can be counted
      const found = binomial(random, Math.min(rint(made.data[e]), 2 ** 53), caught[p]);
      if (found) { kept.push(found); genes.push(made.indices[e]); }
    }
    indptr[p + 1] = kept.length;
  }
  return { countsPg: new Csr(Float32Array.from(kept), Int32Array.from(genes), indptr, countsNg.width), pairP, pairs };
}

// Places among pairs, by how often these meet.
function drawn(met: number[], number: number, rng: Generator): Int32Array {
  const all = sum(met), roots = met.map(Math.sqrt), rooted = sum(roots);
  const ends = cumsum(met.map((one, pair) => (one / all + roots[pair] / rooted) / 2)), last = ends[ends.length - 1];
  for (let pair = 0; pair < ends.length; pair += 1) ends[pair] /= last;
  return Int32Array.from({ length: number }, () => searchsorted(ends, rng.random(), true));
}

// Sums of two cells each, genes rising.
function added({ data, indices, indptr, width }: Csr, pairs: number[][]): Csr {
  const values: number[] = [], genes: number[] = [], ends = new Int32Array(pairs.length + 1);
  pairs.forEach(([one, other], p) => {
    let a = indptr[one], b = indptr[other];
    while (a < indptr[one + 1] || b < indptr[other + 1]) {
      const left = a < indptr[one + 1] ? indices[a] : Infinity, right = b < indptr[other + 1] ? indices[b] : Infinity;
      let value = 0;
      if (left <= right) value += data[a++];
      if (right <= left) value += data[b++];
      values.push(value);
      genes.push(Math.min(left, right));
    }
    ends[p + 1] = values.length;
  });
  return new Csr(Float32Array.from(values), Int32Array.from(genes), ends, width);
}

// How much better two types explain a cell's counts than one does.
export class Blends {
  // Place of each gene among those that are looked at; -1 for others.
  private readonly placeG: Int32Array;
  private readonly width: number;
  // Logarithms of the mixtures: of 32 of them those of all genes, then of the next 32.
  private readonly kernels: Kernels;
  private readonly mixtures: number;
  private readonly nOnes: number;

  // Cells whose types are known, the type of each, and which types exclude each other, row by row: others are no mixture.
  constructor(countsNg: Csr, typeN: Int32Array, apartTt: Uint8Array) {
    const types = Math.sqrt(apartTt.length), seenG = new Int32Array(countsNg.width);
    for (let e = 0; e < countsNg.nnz; e += 1) if (countsNg.data[e] > 0) seenG[countsNg.indices[e]] += 1;
    let width = 0;
    this.placeG = seenG.map((seen) => (seen >= SEEN ? width++ : -1));
    const profiles = profilesOf(countsNg, typeN, types, this.placeG, width), mean = new Float64Array(width);
    for (const profile of profiles) for (let v = 0; v < width; v += 1) mean[v] += profile[v];
    const all = sum(mean);
    for (let v = 0; v < width; v += 1) mean[v] += 1e-7 * all;
    const whole = sum(mean);
    for (let v = 0; v < width; v += 1) mean[v] /= whole;
    for (const profile of profiles) {
      const total = sum(profile) + PRIOR;
      for (let v = 0; v < width; v += 1) profile[v] = (profile[v] + PRIOR * mean[v]) / total;
    }
    const mixtures: [Float64Array, Float64Array, number][] = profiles.flatMap((profile) => SOUP.map((soup): [Float64Array, Float64Array, number] => [profile, mean, 1 - soup]));
    this.nOnes = mixtures.length;
    for (let one = 0; one < types; one += 1) {
      for (let other = 0; other < one; other += 1) if (apartTt[one * types + other]) for (const part of PARTS) mixtures.push([profiles[one], profiles[other], part]);
    }
    this.mixtures = mixtures.length;
    this.width = width;
    this.kernels = new Kernels((Math.ceil(this.mixtures / COLUMNS) * COLUMNS + 2) * width + COLUMNS);
    mixtures.forEach(([one, other, part], k) => {
      const from = Math.floor(k / COLUMNS) * COLUMNS * width + (k % COLUMNS);
      for (let v = 0; v < width; v += 1) this.kernels.numbers[from + v * COLUMNS] = Math.log(part * one[v] + (1 - part) * other[v]);
    });
  }

  // For each cell the logarithm of the likelihoods' ratio, over the root of its transformed counts.
  apply(countsNg: Csr): Float32Array {
    const { mixtures, nOnes, width } = this, n = countsNg.height;
    // no two types exclude each other
    if (nOnes === 0 || nOnes === mixtures) return new Float32Array(n);
    const { ends, values, places } = this.looked(countsNg), one = new Float32Array(n).fill(-Infinity), two = one.slice();
    const tables = Math.ceil(mixtures / COLUMNS), valuesAt = tables * COLUMNS * width, placesAt = valuesAt + width, made = placesAt + width;
    const { numbers } = this.kernels, begin = new Int32Array(width);
    // a table of 32 mixtures at a time: it stays in the processor's cache
    for (let table = 0; table < tables; table += 1) {
      const first = table * COLUMNS;
      for (let i = 0; i < n; i += 1) {
        const count = ends[i + 1] - ends[i];
        for (let e = 0; e < count; e += 1) begin[e] = places[ends[i] + e] * COLUMNS;
        this.kernels.setPlaces(placesAt, begin, count);
        numbers.set(values.subarray(ends[i], ends[i + 1]), valuesAt);
        this.kernels.sums(first * width, placesAt, valuesAt, count, made);
        for (let k = 0; k < COLUMNS && first + k < mixtures; k += 1) {
          const log = numbers[made + k];
          if (first + k < nOnes) one[i] = Math.max(one[i], log);
          else two[i] = Math.max(two[i], log);
        }
      }
    }
    return two.map((log, i) => (log - one[i]) / Math.sqrt(Math.max(sum(values.subarray(ends[i], ends[i + 1])), 1)));
  }

  // The transformed counts of the genes that are looked at.
  private looked({ data, indices, indptr }: Csr): { ends: Int32Array; values: Float32Array; places: Int32Array } {
    const ends = new Int32Array(indptr.length), values = new Float32Array(data.length), places = new Int32Array(data.length);
    let at = 0;
    for (let i = 0; i + 1 < indptr.length; i += 1) {
      for (let e = indptr[i]; e < indptr[i + 1]; e += 1) {
        const place = this.placeG[indices[e]];
        if (place < 0) continue;
        values[at] = damped(data[e]);
        places[at] = place;
        at += 1;
      }
      ends[i + 1] = at;
    }
    return { ends, values, places };
  }
}

// The logarithm of a count: a gene that one cell has much of is no second cell.
const damped = (count: number): number => Math.fround(Math.log2(Math.fround(1 + count)));

function profilesOf({ data, indices, indptr }: Csr, typeN: Int32Array, types: number, placeG: Int32Array, width: number): Float64Array[] {
  const profiles = Array.from({ length: types }, () => new Float64Array(width));
  for (let i = 0; i < typeN.length; i += 1) {
    for (let e = indptr[i]; e < indptr[i + 1]; e += 1) if (placeG[indices[e]] >= 0) profiles[typeN[i]][placeG[indices[e]]] += damped(data[e]);
  }
  return profiles;
}
