// Doubts about numbers that could be counts: whether genes and cells vary as counted molecules do. The counterpart of
// spoticell/biology/plausible.py.
//
// Whole numbers may be ranks, masks, noise or sums over neighbouring cells. Each test looks at some hundred cells and
// says what speaks against counts, or nothing.
//
// Axes: n cells of a sample, v genes of the data set, j genes that are looked at, a anchors.

import { argmax, argsort, bincount, median, sum } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import { rint, round } from "../base/rounding.ts";
import { pairwise, pairwiseSingle, reduced, reducedSingle } from "../base/sums.ts";
import { comma, commaFixed, fixed, general, percent } from "../base/words.ts";
import type { Kind, Sparse } from "./scales.ts";

// Genes that a cell needs for its values to say something.
const DEEP = 50;
// Cells that are compared with all of the sample, the genes that are compared, and the cells that are needed.
const ANCHORS = 40, TWIN_GENES = 1000, FEWEST_CELLS = 20;
// In 45 sets of real cells the nearest of 200 cells is .31 to .81 of the usual distance away, in sums over ten
// neighbours mostly .01 to .13 where molecules have no barcodes.
const TOO_NEAR = 0.2;
// Genes from which on that holds: through 61 markers the nearest of real cells is .09 away, as many hold the same.
const NEAR_GENES = 200;
// The largest number of eight bits; a cell's largest count that is small enough to be the same in many by chance.
const BYTE = 255, FEW_COUNTS = 5;
// Standard errors by which two cells differ less than two counts of one cell would: a tenth of the cells of 40 real sets
// reach 0 to 1.4, of raw matrices up to 2.7, of sums over three or ten neighbours 3.5 to 18.
const TOO_ALIKE = 4;
// Rarely seen genes that are needed to compare genes.
const FEWEST_RARE = 50;

// What numbers are rather than counts, and what shows it.
export interface Doubt {
  kind: Kind;
  evidence: string;
}

// How the values of rarely seen genes compare, one count taken as 1; logs throughout.
export interface GeneSpread {
  nGenes: number;
  // Median over genes of a gene's mean value: near 0 for counts, a rare gene being seen once a cell.
  middle: number;
  // Standard deviation of that over genes, chance taken off: large where each gene has been divided by a number.
  between: number;
  // Standard deviation inside a gene: above 1 for reads without molecular barcodes.
  within: number;
}

// What speaks against numbers being counts; null if nothing does. countsNv: what one takes for counts, canonical.
export function doubt(countsNv: Sparse): Doubt | null {
  return masked(countsNv) ?? ranked(countsNv) ?? even(countsNv) ?? alike(countsNv);
}

const heightOf = (valuesNv: Sparse): number => valuesNv.indptr.length - 1;

// The sum of each gene's values, in their own precision.
function geneSums(valuesNv: Sparse): Float32Array | Float64Array {
  const { data, indices, width } = valuesNv;
  const totalV = data instanceof Float32Array ? new Float32Array(width) : new Float64Array(width);
  for (let e = 0; e < data.length; e += 1) totalV[indices[e]] += data[e];
  return totalV;
}

// The sum of each cell's values, in their own precision.
function cellSums(valuesNv: Sparse): Float64Array {
  const { data, indptr } = valuesNv, add = data instanceof Float32Array ? reducedSingle : reduced;
  return Float64Array.from({ length: heightOf(valuesNv) }, (_, cell) => add(data, indptr[cell], indptr[cell + 1]));
}

const meanOf = (values: Float64Array): number => pairwise(values, 0, values.length) / values.length;

function varianceOf(values: Float64Array): number {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) * (value - mean)));
}

function nAbove(values: Float32Array | Float64Array, bound: number): number {
  let n = 0;
  for (let e = 0; e < values.length; e += 1) if (values[e] > bound) n += 1;
  return n;
}

// Finds values that are all 1 though genes are seen so often that some must be more.
function masked(countsNv: Sparse): Doubt | null {
  const { data } = countsNv, n = heightOf(countsNv);
  const nMore = nAbove(data, 1.5);
  if (data.length < 200 || nMore / data.length > 1e-3) return null;
  const moreV = Float64Array.from(nCells(countsNv), (seen) => {
    const rate = -Math.log1p(-Math.min(seen / n, 0.99));
    return 1 - Math.exp(-rate) * (1 + rate);
  });
  const more = n * pairwise(moreV, 0, moreV.length);
  if (more < 20 || nMore > 0.1 * more) return null;
  return {
    kind: "seen or not seen",
    evidence:
      `${percent((data.length - nMore) / data.length, 1)} of ${comma(data.length)} values are the same, though in counts about ` +
      `${commaFixed(more, 0)} would be larger: they say only which genes were seen, not how often`,
  };
}

// Finds cells whose values only order their genes.
function ranked(countsNv: Sparse): Doubt | null {
  const { data, indptr } = countsNv;
  let distinct = 0, gapless = 0, bare = 0, deep = 0, tall = 0;
  for (let cell = 0; cell < heightOf(countsNv); cell += 1) {
    const values = data.subarray(indptr[cell], indptr[cell + 1]);
    if (values.length < DEEP) continue;
    const { levels } = levelsOf(values), last = levels[levels.length - 1];
    deep += 1;
    if (levels.length >= 0.9 * values.length) distinct += 1;
    if (last > 10 && !levels.some((level) => level > 1.5 && level < 3.5)) bare += 1;
    if (last < 15) continue;
    tall += 1;
    if (levels.length === Math.floor(last)) gapless += 1;
  }
  const tests: [number, number, string][] = [
    [distinct, deep, "hardly any value occurs twice"],
    [bare, deep, "none is 2 or 3"],
    [gapless, tall, "every number up to the largest occurs"],
  ];
  for (const [count, of, how] of tests) {
    if (of >= 3 && count >= 0.8 * of) return { kind: "ranks", evidence: `in ${count} of ${of} cells ${how}, as in ranks and never in counts` };
  }
  return null;
}

// The different values, rising, and how often each occurs.
function levelsOf(values: Float32Array | Float64Array): { levels: number[]; times: number[] } {
  const sorted = values.slice().sort(), levels: number[] = [], times: number[] = [];
  for (let i = 0; i < sorted.length; i += 1) {
    if (i > 0 && sorted[i] === sorted[i - 1]) {
      times[times.length - 1] += 1;
    } else {
      levels.push(sorted[i]);
      times.push(1);
    }
  }
  return { levels, times };
}

// Finds numbers in which every gene is as frequent as every other.
function even(countsNv: Sparse): Doubt | null {
  const totalV = new Float64Array(geneSums(countsNv)), mean = meanOf(totalV);
  if (totalV.length < DEEP || mean < 10) return null;
  const variance = varianceOf(totalV);
  if ((variance - mean) / mean ** 2 > 0.05) return null;
  return {
    kind: "noise",
    evidence:
      `all ${comma(totalV.length)} genes are equally frequent (their totals vary by ${percent(Math.sqrt(variance) / mean)}), ` +
      "as in random numbers and never in cells",
  };
}

// Finds cells that are more alike than two counts of one and the same cell could be. countsNv: counts, or values divided
// by what one count may be.
export function alike(countsNv: Sparse): Doubt | null {
  const n = heightOf(countsNv), v = countsNv.width;
  if (n < FEWEST_CELLS || v < DEEP) return null;
  const countsNj = ofCommonest(countsNv), depthN = cellSums(countsNv), nAnchors = Math.min(ANCHORS, n);
  const anchors = Array.from({ length: nAnchors }, (_, a) => (a === nAnchors - 1 ? n - 1 : Math.floor(a * ((n - 1) / (nAnchors - 1)))));
  const nAlike = anchors.filter((anchor) => mostAlike(countsNj, depthN, anchor) > TOO_ALIKE).length;
  // counts are noisier than chance alone where molecules have no barcodes, and only distances tell
  const tooNear = v >= NEAR_GENES && nearest(countsNj, depthN, anchors) <= TOO_NEAR;
  if (nAlike < Math.max(3, 0.1 * anchors.length) && !tooNear) return null;
  return {
    kind: "smoothed over cells",
    evidence:
      nAlike > 0
        ? `${nAlike} of ${anchors.length} cells looked at have another one that is more like them than chance allows`
        : "most cells have another one that is far nearer to them than cells ever are",
  };
}

// The values of the commonest genes, with all zeros, cell after cell.
function ofCommonest(countsNv: Sparse): Float32Array {
  const { data, indices, indptr, width } = countsNv, n = heightOf(countsNv);
  const topJ = argsort(geneSums(countsNv).map((total) => -total)).subarray(0, TWIN_GENES), j = topJ.length;
  const columnV = new Int32Array(width).fill(-1), countsNj = new Float32Array(n * j);
  topJ.forEach((gene, column) => { columnV[gene] = column; });
  for (let cell = 0; cell < n; cell += 1) {
    for (let e = indptr[cell]; e < indptr[cell + 1]; e += 1) {
      const column = columnV[indices[e]];
      if (column >= 0) countsNj[cell * j + column] = data[e];
    }
  }
  return countsNj;
}

// How far the nearest other cell is, as a share of the distance of a usual one; copies don't count.
function nearest(countsNj: Float32Array, depthN: Float64Array, anchors: number[]): number {
  const n = depthN.length, j = countsNj.length / n, logNj = new Float32Array(countsNj.length), squareN = new Float32Array(n);
  const squareJ = new Float32Array(j);
  for (let cell = 0; cell < n; cell += 1) {
    const factor = Math.fround(1e4 / Math.max(depthN[cell], 1e-12));
    for (let c = 0; c < j; c += 1) {
      logNj[cell * j + c] = Math.log1p(Math.fround(countsNj[cell * j + c] * factor));
      squareJ[c] = logNj[cell * j + c] * logNj[cell * j + c];
    }
    squareN[cell] = pairwiseSingle(squareJ, 0, j);
  }
  const distanceAn = new Float32Array(anchors.length * n);
  anchors.forEach((anchor, a) => {
    for (let cell = 0; cell < n; cell += 1) {
      let product = 0;
      for (let c = 0; c < j; c += 1) product += logNj[anchor * j + c] * logNj[cell * j + c];
      distanceAn[a * n + cell] = Math.fround(squareN[anchor] + squareN[cell]) - 2 * Math.fround(product);
    }
  });
  const usual = median(distanceAn);
  if (!(usual > 0)) return 1;
  const nearA = anchors.map((_, a) => {
    const distanceN = distanceAn.subarray(a * n, (a + 1) * n).map((distance) => (distance < 1e-4 * usual ? Infinity : distance));
    const near = distanceN.reduce((least, distance) => Math.min(least, distance), Infinity) / median(distanceN);
    return Number.isNaN(near) ? 1 : near;
  });
  return median(nearA);
}

// How much likelier than by chance the cell most like one is, in standard errors; copies don't count.
function mostAlike(countsNj: Float32Array, depthN: Float64Array, anchor: number): number {
  const n = depthN.length, j = countsNj.length / n, single = Math.fround, own = anchor * j;
  let most = 0;
  for (let cell = 0; cell < n; cell += 1) {
    const shareN = depthN[anchor] / Math.max(depthN[anchor] + depthN[cell], 1e-12);
    const spread = single(shareN * (1 - shareN)), share = single(shareN), start = cell * j;
    let total = 0, below = 0, apart = 0;
    for (let c = 0; c < j; c += 1) {
      const one = countsNj[own + c], other = countsNj[start + c], both = single(one + other);
      const off = one > other ? one - other : other - one;
      if (off > apart) apart = off;
      if (!(both >= 2)) continue;
      // given what two cells have together, chance alone splits it with this variance
      const variance = Math.max(single(both * spread), single(1e-9)), miss = single(one - single(both * share));
      // squares of small numbers spread more widely, so they weigh less
      const weight = single(1 / single(2 + single(1 / variance)));
      total += weight;
      below += single(weight * single(1 - single(single(miss * miss) / variance)));
    }
    if (total >= 5 && single(apart) > 1e-6) most = Math.max(most, below / Math.sqrt(total));
  }
  return most;
}

// Compares the values of rarely seen genes. unitsNv: values divided by what one count may be in each cell.
export function geneSpread(unitsNv: Sparse): GeneSpread {
  const { data, indices, width } = unitsNv, countsV = nCells(unitsNv), most = 0.3 * heightOf(unitsNv);
  const firstV = new Float64Array(width), secondV = new Float64Array(width);
  for (let e = 0; e < data.length; e += 1) {
    const log = Math.log(data[e]);
    firstV[indices[e]] += log;
    secondV[indices[e]] += log * log;
  }
  const rareJ: number[] = [];
  for (let v = 0; v < width; v += 1) if (countsV[v] >= 4 && countsV[v] <= most) rareJ.push(v);
  if (rareJ.length === 0) return { nGenes: 0, middle: NaN, between: NaN, within: NaN };
  const meanJ = Float64Array.from(rareJ, (v) => firstV[v] / countsV[v]);
  const varianceJ = Float64Array.from(rareJ, (v, j) => Math.max(secondV[v] / countsV[v] - meanJ[j] * meanJ[j], 0));
  const chance = meanOf(varianceJ.map((variance, j) => variance / (countsV[rareJ[j]] - 1)));
  return {
    nGenes: meanJ.length,
    middle: median(meanJ),
    between: Math.sqrt(Math.max(varianceOf(meanJ) - chance, 0)),
    within: Math.sqrt(meanOf(varianceJ)),
  };
}

// In how many cells each gene is seen.
const nCells = (valuesNv: Sparse): Int32Array => bincount(valuesNv.indices, valuesNv.width);

// What speaks against stored values being counts on any scale: ranks with ties, values that were cut off.
//
// keptNv: values above their floor, as stored, no cell empty; floorN: what zero is in each cell.
export function doubtOfLevels(keptNv: Csr, floorN: Float64Array): Doubt | null {
  const v = keptNv.width, genesN = keptNv.sizes();
  const deep = Array.from(genesN.keys()).filter((cell) => genesN[cell] >= DEEP);
  if (deep.length < 3) return null;
  const nRanked = deep.filter((cell) => {
    const total = reduced(keptNv.data, keptNv.indptr[cell], keptNv.indptr[cell + 1]) + floorN[cell] * (v - genesN[cell]);
    return [genesN[cell], v].some((ranked) => Math.abs(total / ((ranked * (ranked + 1)) / 2) - 1) < 1e-6);
  }).length;
  if (nRanked >= 0.8 * deep.length) {
    return { kind: "ranks", evidence: `${nRanked} of ${deep.length} cells sum to what the ranks of their genes would` };
  }
  return cutOff(keptNv, firstOfTheirKind(keptNv, deep));
}

// Finds values with a limit. deep: cells that have genes enough.
function cutOff(keptNv: Csr, deep: number[]): Doubt | null {
  const nDeep = deep.length, { data, indptr } = keptNv;
  const largestN = Float64Array.from(deep, (cell) => data.subarray(indptr[cell], indptr[cell + 1]).reduce((most, value) => Math.max(most, value), -Infinity));
  const { levels, times } = levelsOf(largestN.map((largest) => round(largest, 4)));
  const count = Math.max(...times), common = levels[argmax(times)], whole = data.every((value) => rint(value) === value);
  if (nDeep >= 10 && whole && levels[levels.length - 1] === BYTE && nAbove(largestN, 0.9 * BYTE) >= 0.8 * nDeep) {
    return { kind: "cut off or quantile-normalised", evidence: `no value is above ${BYTE}, all that a byte holds, and most cells come near it` };
  }
  // few counts have the same largest one in many cells
  if (nDeep < 10 || count < 0.5 * nDeep || (whole && common < FEW_COUNTS)) return null;
  const upper = levelsOf(new Float64Array(data.filter((value) => value > 0.5 * common)).map((value) => round(value, 4)));
  const atTop = sum(upper.times.filter((_, i) => upper.levels[i] === common));
  const below = upper.times.filter((_, i) => upper.levels[i] < common).at(-1) ?? 0;
  // in counts the largest value is rarer than the one below it; a pile at the top is a limit
  const piled = atTop > 2 * below;
  const sameThroughout = count >= 0.9 * nDeep && Math.abs(atTop - below) <= 0.1 * nDeep;
  if (!piled && (whole || !sameThroughout)) return null;
  return {
    kind: "cut off or quantile-normalised",
    evidence:
      `in ${count} of ${nDeep} cells the largest value is the same (${general(common)}): values were cut off ` +
      "there, or cells were quantile-normalised",
  };
}

// Those of some cells than which no earlier one is the same.
function firstOfTheirKind(valuesNv: Csr, chosen: number[]): number[] {
  const { data, indices, indptr } = valuesNv, byLength = new Map<number, number[]>();
  return chosen.filter((cell) => {
    const from = indptr[cell], length = indptr[cell + 1] - from, earlier = byLength.get(length) ?? [];
    const seen = earlier.some((other) => {
      const start = indptr[other];
      for (let i = 0; i < length; i += 1) if (indices[start + i] !== indices[from + i] || data[start + i] !== data[from + i]) return false;
      return true;
    });
    if (!seen) byLength.set(length, [...earlier, cell]);
    return !seen;
  });
}

// What speaks against values in units of one count being counts, by the genes.
//
// Rare genes must look as counted, and cells no more alike than chance allows. unitsNv: values divided by what one count
// seems to be in each cell.
export function doubtOfGenes(unitsNv: Sparse): Doubt | null {
  const n = heightOf(unitsNv), v = unitsNv.width;
  if (n < 20 || v < 2 * FEWEST_RARE) return null;
  const filled = unitsNv.data.length / (n * v), spread = geneSpread(unitsNv);
  if (spread.nGenes < FEWEST_RARE) {
    return filled > 0.5 ? { kind: "smoothed over cells", evidence: `${percent(filled)} of all values are above zero: zeros were filled in` } : null;
  }
  const reads = spread.within > 1;
  if (spread.between > (reads ? 0.8 : 0.2)) {
    return {
      kind: "RPKM, FPKM or TPM",
      evidence:
        `values of rarely seen genes differ ${fixed(Math.exp(spread.between), 1)}-fold from gene to gene, as where ` +
        "each gene was divided by its length, mean or largest value",
    };
  }
  if (spread.middle > 0.5 && !reads) {
    return { kind: "unknown", evidence: "rarely seen genes have the larger values, as where genes were weighted" };
  }
  return reads ? null : alike(unitsNv);
}
