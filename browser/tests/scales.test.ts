import assert from "node:assert/strict";
import { test } from "node:test";
import { Csr } from "../src/base/csr.ts";
import { rint, round } from "../src/base/rounding.ts";
import { pairwise, pairwiseSingle, reduced } from "../src/base/sums.ts";
import { comma, commaFixed, commaGeneral, fixed, float, general, percent } from "../src/base/words.ts";
import { CountsProbe, type CountsVerdict, recover } from "../src/biology/counts.ts";
import { doubt, doubtOfGenes, doubtOfLevels, geneSpread } from "../src/biology/plausible.ts";
import { commonDivisor, exactUnit, floors, nearUnit, readCells } from "../src/biology/reading.ts";
import { depthOf } from "../src/biology/recovery.ts";
import { CellSample, cellKeys, countsKeys } from "../src/biology/sample.ts";
import { undone } from "../src/biology/scales.ts";
import { findSummaries, notesOnNames, plainlySummary } from "../src/biology/summaries.ts";
import { parted, singular, spellingOf, wordsOf } from "../src/biology/wording.ts";
import { cellsLikeRealOnes, chance, poisson } from "./made_cells.ts";

const COUNTS = cellsLikeRealOnes({ n: 120, v: 1500, depth: 1500 });

function judge(valuesNv: Csr, block = 2048): CountsVerdict {
  const probe = new CountsProbe();
  for (let start = 0; start < valuesNv.height; start += block) probe.update(valuesNv.slice(start, Math.min(start + block, valuesNv.height)));
  return probe.verdict();
}

// Other values in the places of counts, each made of the count and its cell's sum.
function stored(countsNv: Csr, make: (count: number, total: number, gene: number) => number): Csr {
  const data = countsNv.data.slice(), total = countsNv.sums();
  for (let cell = 0; cell < countsNv.height; cell += 1) {
    for (let e = countsNv.indptr[cell]; e < countsNv.indptr[cell + 1]; e += 1) data[e] = make(data[e], total[cell], countsNv.indices[e]);
  }
  return new Csr(data, countsNv.indices, countsNv.indptr, countsNv.width);
}

const STORED: [string, (count: number, total: number) => number, number | null][] = [
  ["counts", (x) => x, null],
  ["normalised, not logged", (x, sum) => (1e6 * x) / sum, 1e6],
  ["natural log of 1 + normalised", (x, sum) => Math.log1p((1e4 * x) / sum), 1e4],
  ["natural log of 1 + normalised", (x, sum) => Number(Math.log1p((1e4 * x) / sum).toFixed(4)), 1e4],
  ["natural log of 1 + normalised", (x) => Math.log1p(x), null],
  ["log2 of 1 + normalised", (x, sum) => Math.log2(1 + (1e6 * x) / sum), 1e6],
  ["log10 of 1 + normalised", (x, sum) => Math.log10(1 + (1e4 * x) / sum), 1e4],
  ["square root of counts", (x) => Math.sqrt(x), null],
  ["log1p taken twice", (x, sum) => Math.log1p(Math.log1p((1e4 * x) / sum)), 1e4],
  ["inverse hyperbolic sine of normalised", (x, sum) => Math.asinh((1e4 * x) / sum), 1e4],
  ["Freeman-Tukey square roots of counts", (x) => Math.sqrt(x) + Math.sqrt(x + 1) - 1, null],
];

test("counts come back from every scale", () => {
  for (const [kind, make, target] of STORED) {
    const valuesNv = stored(COUNTS, make), verdict = judge(valuesNv, 50);
    assert.equal(verdict.kind, kind, verdict.evidence);
    assert.equal(verdict.recovers, "counts");
    if (target === null) assert.equal(verdict.targetSum, null);
    else assert.ok(Math.abs(verdict.targetSum! / target - 1) < 1e-3);
    assert.deepEqual(recover(valuesNv, verdict).data, COUNTS.data, kind);
  }
});

test("cells on another scale than most are named and read on their own", () => {
  const logged = stored(COUNTS, (x, sum) => Math.log1p((1e4 * x) / sum));
  const valuesNv = Csr.vstack([COUNTS.slice(0, 100), logged.slice(100, 120)]), verdict = judge(valuesNv);
  assert.equal(verdict.kind, "counts");
  assert.match(verdict.remarks[0], /^20 of 120 cells \(the first is cell 100, counting from 0\) are on another scale than the rest \(natural log/);
  assert.deepEqual(recover(valuesNv, verdict).data, COUNTS.data);
});

test("a value that most genes share stands for none", () => {
  const dense = COUNTS.slice(0, 60).toDense().map((count) => Math.log2(count + 1) + 0.25), rows: Float32Array[] = [];
  for (let cell = 0; cell < 60; cell += 1) rows.push(dense.subarray(1500 * cell, 1500 * (cell + 1)));
  const valuesNv = Csr.dense(rows, 1500), verdict = judge(valuesNv);
  assert.match(verdict.remarks[0], /most genes of a cell share was taken for zero/);
  assert.deepEqual(recover(valuesNv, verdict).toDense().map(Math.sign), COUNTS.slice(0, 60).toDense().map(Math.sign));
});

test("counts times a number are divided by it", () => {
  const valuesNv = stored(COUNTS, (x) => 0.25 * x), verdict = judge(valuesNv);
  assert.deepEqual([verdict.kind, verdict.unit, verdict.remarks[0]], ["counts", 0.25, "the values are multiples of 0.25: they were divided by it to have counts."]);
  assert.deepEqual(recover(valuesNv, verdict).data, COUNTS.data);
});

test("numbers that only look like counts are called what they are", () => {
  const random = chance(1), noise = Csr.dense(Array.from({ length: 60 }, () => Array.from({ length: 500 }, () => poisson(random, 1))), 500);
  const cases: [Csr, string][] = [
    [stored(COUNTS, () => 1), "seen or not seen"],
    [stored(COUNTS, (x) => Math.min(x, 8)), "cut off or quantile-normalised"],
    [stored(COUNTS, (x, sum) => Math.round(Math.log1p((1e4 * x) / sum))), "rounded logarithms"],
    [noise, "noise"],
  ];
  for (const [valuesNv, kind] of cases) {
    const verdict = judge(valuesNv);
    assert.equal(verdict.kind, kind, verdict.evidence);
    assert.throws(() => recover(valuesNv, verdict), { name: "CountsError", message: verdict.evidence });
  }
});

test("what is divided by gene length gives proportions with counts by genes", () => {
  const verdict = judge(stored(COUNTS, (x, sum, gene) => (1e6 * x) / sum / (0.3 + ((gene * 7919) % 1000) / 130)));
  assert.deepEqual([verdict.usable, verdict.recovers, verdict.byGenes], [true, "proportions", true], verdict.evidence);
});

test("values that are no numbers or negative are refused with their place", () => {
  for (const [bad, said] of [[NaN, /: 1 of the values read so far are NaN or infinite \(the first at cell 3, gene/], [-1, /: 1 of the values read so far are negative \(the first at cell 3, gene .*looks scaled.*layers\['counts'\]/]] as const) {
    const valuesNv = stored(COUNTS, (x) => x);
    valuesNv.data[valuesNv.indptr[3]] = bad;
    assert.throws(() => judge(valuesNv, 2), said);
  }
});

test("cells whose values cancel are no square roots", () => {
  const rows = Array.from({ length: 20 }, (_, n) => Array.from({ length: 400 }, (_, v) => (v < 150 + (n % 2) ? 0.5 : -0.5)));
  const verdict = judge(Csr.dense(rows, 400));
  assert.equal(verdict.kind, "normalised, not logged", verdict.evidence);
});

test("nothing but zeros is refused, few counts are not, and huge ones keep their digits", () => {
  assert.deepEqual([judge(new Csr(new Float32Array(0), new Int32Array(0), new Int32Array(5), 5))].map((one) => [one.kind, one.usable, one.nEmpty]), [["nothing", false, 4]]);
  const few = judge(Csr.dense([[1, 0, 4], [0, 0, 0]], 3));
  assert.deepEqual([few.kind, few.usable, few.nCells, few.nEmpty], ["counts", true, 2, 1]);
  const hugeNv = Csr.dense(Array.from({ length: 80 }, (_, n) => (n % 2 ? [1e7, 3e6, 2] : [16_777_216, 1, 0])), 3);
  assert.deepEqual(recover(hugeNv, judge(hugeNv)).data, hugeNv.data);
});

test("unsorted, repeated and stored zero entries change nothing", () => {
  const messyNv = new Csr(Float32Array.of(1, 2, 3, 0), Int32Array.of(2, 0, 2, 1), Int32Array.of(0, 4), 3);
  assert.deepEqual(Array.from(recover(messyNv, judge(messyNv)).toDense()), [2, 0, 4]);
  assert.deepEqual(Array.from(messyNv.data), [1, 2, 3, 0]);
});

test("a cell is read for what one count of it is", () => {
  const reading = readCells(Csr.vstack([COUNTS.slice(0, 1), stored(COUNTS.slice(1, 2), (x) => 0.25 * x)]), new Float64Array(2));
  assert.deepEqual([reading.fit(0, 0), reading.unit(0, 0), reading.fit(1, 0), reading.unit(1, 0)], [2, 1, 2, 0.25]);
  assert.equal(exactUnit(Float64Array.of(0.5, 1, 2.5, 1.5, 2, 1, 1.5, 1, 1), 0.5).unit, 0.5);
  assert.deepEqual([20, 25, 21].map((last) => commonDivisor(Float64Array.from({ length: 15 }, (_, i) => [10, 30, last][i % 3]))), [10, 5, NaN]);
  assert.equal(nearUnit(Float64Array.of(4, 4, 9, 13, 4, 4, 4, 8, 9, 4, 4, 4, 13, 17), 4).toFixed(1), "4.2");
  assert.deepEqual(Array.from(floors(Csr.dense([[...Array(150).fill(1.5), ...Array(50).fill(2.5)], [...Array(150).fill(0), ...Array(50).fill(2.5)]], 200))), [1.5, 0]);
  assert.deepEqual([1, 3].map((value) => Number(undone(2, value).toFixed(6))), [1, 7]);
  assert.deepEqual(Array.from(depthOf(Csr.dense([Array(500).fill(1)], 500))), [1000]);
});

test("doubts say what numbers are", () => {
  assert.equal(doubt(COUNTS), null);
  const ranksNv = Csr.dense(Array.from({ length: 3 }, () => [1.5, 1.5, 3, 4, ...Array.from({ length: 85 }, (_, i) => i + 5)]), 89);
  assert.equal(doubtOfLevels(ranksNv, new Float64Array(3))?.kind, "ranks");
  assert.equal(doubtOfGenes(stored(COUNTS, (x, _, gene) => x / (0.3 + ((gene * 7919) % 1000) / 130)))?.kind, "RPKM, FPKM or TPM");
  assert.ok(geneSpread(COUNTS).between < 0.4);
});

test("keys depend on values alone, as in Python", () => {
  const valuesNv = Csr.dense([[1, 0, 2], [0, 3, 0]], 3), keyN = cellKeys(valuesNv), turnedN = cellKeys(valuesNv.rows([1, 0]));
  const hex = (keys: typeof keyN, at: number) => keys.high[at].toString(16).padStart(8, "0") + keys.low[at].toString(16).padStart(8, "0");
  assert.deepEqual([hex(keyN, 0), hex(keyN, 1)], [hex(turnedN, 1), hex(turnedN, 0)]);
  assert.deepEqual([hex(keyN, 0), hex(keyN, 1)], ["c26d3093cf066c26", "dd8f6d064bea90f4"]);
  const one = countsKeys(new Csr(Float32Array.of(1, 2), Int32Array.of(64, 3), Int32Array.of(0, 2), 90));
  const other = countsKeys(new Csr(Float32Array.of(2, 1), Int32Array.of(3, 64), Int32Array.of(0, 2), 90));
  assert.deepEqual([hex(one, 0), hex(other, 0)], ["7f6a882f2634c5b9", "7f6a882f2634c5b9"]);
});

test("the same cells are kept in whatever order and blocks they come", () => {
  const kept = (valuesNv: Csr, sizes: number[], most: number) => {
    const sample = new CellSample(most);
    let start = 0;
    for (const size of sizes) sample.add(valuesNv.slice(start, (start += size)), new Float64Array(size));
    return sample.cells();
  };
  const order = Array.from({ length: 120 }, (_, i) => (i * 77) % 120);
  for (const most of [1, 7, 60, 200]) {
    const [, , placeN] = kept(COUNTS, [120], most), [valuesNv, , turnedN] = kept(COUNTS.rows(order), [7, 100, 1, 12], most);
    assert.deepEqual(Array.from(turnedN, (place) => order[place]).sort((a, b) => a - b), Array.from(placeN));
    assert.equal(valuesNv.height, Math.min(most, 120));
  }
});

test("sums and means among cells are found by plain names, or by values that agree", () => {
  const few = COUNTS.slice(0, 20), sums = new Array<number>(1500).fill(0);
  few.indices.forEach((gene, e) => { sums[gene] += few.data[e]; });
  const valuesNv = Csr.vstack([few, Csr.dense([sums, sums.map((sum) => sum / 20)], 1500)]);
  const names = [...Array.from({ length: 20 }, (_, n) => `cell ${n}`), "bulk", "cell avg"];
  assert.deepEqual(Array.from(findSummaries(names, () => [valuesNv])).flatMap((one, n) => (one ? [n] : [])), [20, 21]);
  assert.deepEqual(["Row sums", "total_1", "n_cells_by_counts"].map(plainlySummary), [true, false, true]);
  assert.deepEqual(notesOnNames(["AAAC-1", "Total"]), ["'Total' looks like a sum or mean of cells, but is taken for a cell. Take such rows out of the file."]);
  assert.deepEqual(notesOnNames(["mean_1", "mean_2", "mean_3"]), []);
});

test("names of the same type are alike", () => {
  assert.deepEqual(["CD8+ memory T-cells", "γδ T", "CD14dim Monocytes", "T/NK"].map(wordsOf), [["cd8", "memory", "t"], ["delta", "gamma", "t"], ["cd14low", "monocyte"], ["and", "killer", "natural", "t"]]);
  assert.equal(spellingOf("CD14-positive_Monocytes"), "cd14 positive monocyte");
  assert.deepEqual(["NaiveBCell", "CD8T", "pDC"].map(parted), ["Naive B Cell", "CD8 T", "p DC"]);
  assert.deepEqual(["monocytes", "biopsies", "plus"].map(singular), ["monocyte", "biopsy", "plus"]);
});

test("numbers are rounded and written as Python does", () => {
  assert.deepEqual([0.5, 1.5, 2.5, -1.5, 2 ** 52 + 1].map(rint), [0, 2, 2, -2, 2 ** 52 + 1]);
  assert.equal(round(2.00005, 4), 2);
  assert.deepEqual([fixed(2.5, 0), fixed(1.145, 2), fixed(0.125, 2), fixed(-0, 1), percent(0.125), percent(0.00125, 1)], ["2", "1.15", "0.12", "-0.0", "12%", "0.1%"]);
  assert.deepEqual([general(1234.5, 4), general(1235.5, 4), general(2.5, 1), general(1e-5), commaGeneral(123456, 4), commaGeneral(1234.5)], ["1234", "1236", "2", "1e-05", "1.235e+05", "1,234.5"]);
  assert.deepEqual([comma(1234567), commaFixed(999999.5, 0), commaFixed(1234.25, 1), float(-0), float(1e16)], ["1,234,567", "1,000,000", "1,234.2", "-0.0", "1e+16"]);
});

test("sums are those of NumPy to the last digit", () => {
  const values = Float32Array.from({ length: 1000 }, (_, i) => 1 / (i + 3));
  assert.deepEqual([pairwise(values, 0, 1000), reduced(values, 0, 1000), pairwiseSingle(values, 0, 1000)], [5.987467928789556, 5.987467928789556, 5.987468242645264]);
});
