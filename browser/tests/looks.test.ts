// Cells read together, grouped, and written: what the doctests of the Python package say, told again.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { autoGroups } from "../src/annotation/auto_groups.ts";
import { listed } from "../src/annotation/cautions.ts";
import { countTypes, Composition, interval } from "../src/annotation/composition.ts";
import { differences } from "../src/annotation/differences.ts";
import { byNature, readGroups } from "../src/annotation/groups.ts";
import { apart, Marks } from "../src/annotation/mixed.ts";
import { REASONS, reasons } from "../src/annotation/reasons.ts";
import { samplesOf } from "../src/annotation/samples.ts";
import { spreadSample } from "../src/annotation/sinks.ts";
import { binomial } from "../src/base/binomial.ts";
import { U64Array } from "../src/base/bits.ts";
import { Csr } from "../src/base/csr.ts";
import { Frame, type Column } from "../src/base/frame.ts";
import { COLUMNS, Kernels } from "../src/base/kernels.ts";
import { largestDirections } from "../src/base/lanczos.ts";
import { Points } from "../src/base/nearest.ts";
import { Generator } from "../src/base/random.ts";
import { falseDiscovery, normalTail, studentBound, studentTails } from "../src/base/stats.ts";
import { Blends, makeDoublets } from "../src/biology/doublets.ts";
import { groupGenes, logNormalised, telling } from "../src/biology/group_genes.ts";
import { findNeighbours, Neighbours } from "../src/biology/neighbours.ts";
import { GENES as PLATELET_GENES, withPlatelets } from "../src/biology/platelets.ts";
import { PROGRAMS, programsShown } from "../src/biology/programs.ts";
import { Sketch } from "../src/biology/sketch.ts";
import { likeliest, readTogether } from "../src/biology/together.ts";
import { Vocabulary } from "../src/biology/vocabulary.ts";
import { guard } from "../src/io/formula.ts";
import { csvParts } from "../src/io/write.ts";
import type { CellSource } from "../src/io/source.ts";
import { VERSION } from "../src/version.ts";
import { loadTables } from "./support.ts";

loadTables();

const near = (found: number, meant: number, share = 1e-9) => assert.ok(Math.abs(found - meant) <= share * Math.max(1e-12, Math.abs(meant)), `${found} is not ${meant}`);

function keysOf(n: number): U64Array {
  const keys = new U64Array(n);
  for (let i = 0; i < n; i += 1) keys.low[i] = i;
  return keys;
}

function places(n: number, width: number, spread = 1): { data: Float32Array; width: number } {
  const chance = new Generator(1);
  return { data: Float32Array.from({ length: n * width }, () => spread * (chance.random() - 0.5)), width };
}

test("the version is that of the Python package", () => {
  const told = readFileSync(new URL("../../../src/spoticell/version.py", import.meta.url), "utf8");
  assert.match(told, new RegExp(`__version__ = "${VERSION.replaceAll(".", "\\.")}"`));
});

test("a cell is read together with its neighbours", () => {
  const voices = likeliest({ data: Float32Array.from([0.5, 0.5, 0, 0.9, 0.1, 0, 0, 0, 1]), width: 3 });
  assert.equal(voices.nnz, 5);
  const [weights, loud] = readTogether(voices, Uint8Array.of(1, 1, 1), Int32Array.of(0), Int32Array.of(1, 2), Float32Array.of(1, 1));
  assert.ok(weights.data[0] > 0.8);
  assert.deepEqual(Array.from(loud, Math.round), [7, 0]);
});

test("of many labels the likeliest are kept, and equal ones with them", () => {
  const weights = Float32Array.from({ length: 60 }, (_, c) => (c < 50 ? 0.02 : 0.001));
  assert.equal(likeliest({ data: weights, width: 60 }).nnz, 50);
});

test("neighbours are those of a plain search", () => {
  const found = findNeighbours({ data: Float32Array.of(0, 1, 2, 50, 51, 52), width: 1 }, keysOf(6));
  assert.deepEqual(Array.from(found.indexNk.subarray(0, 2)).sort(), [1, 2]);
  const all = places(700, 9), chosen = Int32Array.from({ length: 700 }, (_, i) => i), { place } = new Points(all, chosen).nearest(all, chosen, 6);
  for (let i = 0; i < 700; i += 37) {
    const far = Array.from(chosen, (j) => Math.hypot(...Array.from({ length: 9 }, (_, d) => all.data[i * 9 + d] - all.data[j * 9 + d])));
    assert.deepEqual(Array.from(place.subarray(i * 6, i * 6 + 6)), Array.from(chosen).sort((a, b) => far[a] - far[b]).slice(0, 6));
  }
});

test("parts of cells that have no neighbours in each other are put together", () => {
  const place = places(8, 2), half = (from: number) => ({ data: place.data.slice(from * 2, (from + 4) * 2), width: 2 });
  const parts: [Int32Array, Neighbours][] = [[Int32Array.of(0, 2, 4, 6), findNeighbours(half(0), keysOf(4))], [Int32Array.of(1, 3, 5), findNeighbours({ data: half(4).data.slice(0, 6), width: 2 }, keysOf(3))]];
  const joined = Neighbours.join(8, parts);
  assert.deepEqual(Array.from(joined.landmarkL), [0, 1, 2, 3, 4, 5, 6]);
  assert.ok(Array.from(joined.indexNk.subarray(3, 6)).filter((l) => l >= 0).every((l) => joined.landmarkL[l] % 2 === 1));
  assert.deepEqual(Array.from(joined.indexNk.subarray(21)), [-1, -1, -1]);
});

test("kernels do what plain loops do", () => {
  const kernels = new Kernels(4000), { numbers } = kernels, chance = new Generator(3);
  for (let i = 0; i < 1500; i += 1) numbers[i] = chance.random();
  kernels.products(0, 100, 2, 5, 2000, 2200);
  for (const [group, row, point] of [[0, 0, 0], [1, 3, 7], [1, 2, 4]]) {
    let sum = 0;
    for (let d = 0; d < 5; d += 1) sum += numbers[row * 5 + d] * numbers[100 + (group * 5 + d) * 8 + point];
    near(numbers[2000 + (group * 4 + row) * 8 + point], sum, 1e-6);
  }
  assert.equal(numbers[2200 + 7], Math.max(...numbers.subarray(2000 + 7 * 8, 2000 + 8 * 8)));
  kernels.setPlaces(2300, [0, COLUMNS], 2);
  for (const table of [0, 64]) {
    kernels.sums(table, 2300, 1000, 2, 2400);
    near(numbers[2400 + 5], numbers[1000] * numbers[table + 5] + numbers[1001] * numbers[table + COLUMNS + 5], 1e-6);
  }
  kernels.sums(0, 2300, 1000, 0, 2400);
  assert.equal(numbers[2405], 0);
});

test("the largest directions of a matrix are found, equal ones too", () => {
  const values = [5, 3, 3, 1, 0, 0];
  const found = largestDirections((given, made) => given.forEach((value, i) => { made[i] = value * values[i]; }), 6, { numbers: 5, most: 6, start: Float64Array.from(values) });
  const lengths = found.map((direction) => Math.sqrt(direction.reduce((sum, value, i) => sum + values[i] * value * value, 0)) ** 2);
  [5, 3, 3, 1, 0].forEach((value, k) => near(lengths[k] + 1, value + 1));
});

test("a sketch tells two kinds of cells apart", () => {
  const chance = new Generator(0), rows = Array.from({ length: 100 }, (_, i) => Array.from({ length: 40 }, (_, g) => Math.floor((Number(i >= 50) === g % 2 ? 10 : 3) * chance.random())));
  const counts = Csr.dense(rows, 40), { data, width } = new Sketch(counts).apply(counts), first = Array.from({ length: 100 }, (_, i) => data[i * width]);
  assert.notEqual(Math.max(...first.slice(0, 50)) < 0, Math.max(...first.slice(50)) < 0);
  near(data.reduce((sum, value) => sum + value * value, 0) / 100, 1, 1e-5);
});

const vocabulary = (genes: readonly string[], more: number): Vocabulary => {
  const symbols = [...genes, ...Array.from({ length: more }, (_, i) => String(i))];
  return new Vocabulary(symbols, symbols, symbols);
};

test("programmes and platelets are seen by their genes", () => {
  const genes = vocabulary(PROGRAMS[0].genes, 5000), width = 5017, row = (some: number) => [...Array(17).fill(some), 900, ...Array(4999).fill(0)];
  const counts = Csr.dense([row(1), row(0)], width), measured = new Uint8Array(width).fill(1);
  assert.deepEqual(Array.from(programsShown(counts, genes, measured, counts.sums())), [1, 0, 0, 0]);
  assert.deepEqual(Array.from(programsShown(counts, genes, measured.fill(0, 100), counts.sums())), [0, 0, 0, 0]);
  const sticky = vocabulary(PLATELET_GENES, 5000), cells = Csr.dense([1, 0].map((some) => [...Array(12).fill(some), 900, ...Array(4999).fill(0)]), 5012);
  assert.deepEqual(Array.from(withPlatelets(cells, sticky, new Uint8Array(5012).fill(1), cells.sums())), [1, 0]);
});

test("genes that set a group apart are found, and those of mitochondria and ribosomes tell nothing", () => {
  const rows = Array.from({ length: 80 }, (_, i) => Array.from({ length: 9 }, (_, g) => (g === 4 && i >= 40 ? 9 + (i % 3) : 2 + ((i * 7 + g * 3) % 2))));
  assert.deepEqual(groupGenes(Csr.dense(rows, 9), Int32Array.from({ length: 80 }, (_, i) => Number(i >= 40)), 2)[1].map((found) => found.gene), [4]);
  assert.deepEqual(Array.from(logNormalised(Csr.dense([[1, 0, 9999]], 3)).data, (value) => value.toFixed(2)), ["0.69", "9.21"]);
  const genes = new Vocabulary(["1", "2", "3", "4"], ["MT-CO1", "RPL10", "RPS6KA1", "CD3E"], ["MT", "X", "1", "11"]);
  assert.deepEqual(Array.from(telling(genes)), [0, 0, 1, 1]);
});

test("reasons say why an answer isn't sure", () => {
  const no = new Uint8Array(4), given = { answerN: Int32Array.of(2, 2, 2, -1), scoreN: Float32Array.of(0.9, 0.4, 0.4, 0), secondN: Int32Array.of(5, 5, -1, -1), nCountsN: new Float32Array(4).fill(1000) };
  const found = reasons({ ...given, barredN: no, doubtedN: no, nMeasured: 12_000 });
  assert.deepEqual(Array.from(found, (code) => REASONS[code] ?? ""), ["", "between two types", "low score", "no type passed the threshold"]);
});

test("groups of neighbours are found", () => {
  const place = { data: places(80, 1).data.map((value, i) => value + (i < 40 ? 0 : 50)), width: 1 }, { codeN, names } = autoGroups(findNeighbours(place, keysOf(80)));
  const first = new Set(codeN.subarray(0, 40));
  assert.ok([...codeN.subarray(40)].every((code) => !first.has(code)) && names[0] === "1");
});

// rng = np.random.default_rng(0); [rng.binomial(n, p) for n, p in ...]; and sinks.spread_sample(100, 5, rng=default_rng(0))
const DRAWN = [3, 10, 501, 699926, 0, 45], SPREAD = [17, 32, 50, 65, 86];

test("chance is NumPy's", () => {
  const chance = new Generator(0), drawn = (trials: number, p: number) => binomial(() => chance.random(), trials, p);
  assert.deepEqual([drawn(10, 0.3), drawn(10, 0.9), drawn(1000, 0.5), drawn(1e6, 0.7), drawn(0, 0.5), drawn(200, 0.2)], DRAWN);
  assert.deepEqual(Array.from(spreadSample(3, 5)), [0, 1, 2]);
  assert.deepEqual(Array.from(spreadSample(100, 5)), SPREAD);
});

test("doublets are made, and explained by two types", () => {
  const apartTt = Uint8Array.of(0, 1, 1, 0), made = makeDoublets(Csr.dense([[8, 0], [8, 0], [0, 8]], 2), Int32Array.of(0, 0, 1), apartTt, 50, new Generator(0));
  assert.deepEqual(made.pairs, [[0, 1]]);
  assert.ok(made.countsPg.toDense().every((value) => value > 0));
  const cells = Csr.dense([...Array(6).fill([9, 0, 1]), ...Array(6).fill([0, 9, 1])], 3), blends = new Blends(cells, Int32Array.from({ length: 12 }, (_, i) => Number(i >= 6)), apartTt);
  const [one, two] = blends.apply(Csr.dense([[9, 0, 1], [5, 5, 2]], 3));
  assert.ok(one < 0 && two > 0);
  assert.deepEqual(Array.from(apart(["CL:0000576", "CL:0000235", "CL:0000236"])), [0, 0, 1, 0, 0, 1, 1, 1, 0]);
  const marks = new Marks(Float32Array.of(0.9, 0), Int16Array.of(0, -1), ["T cell + monocyte"]);
  assert.deepEqual([Array.from(marks.words().codes), [...marks.counted()]], [[0, -1], [["T cell + monocyte", 1]]]);
});

test("tails and adjusted p-values are SciPy's", () => {
  near(normalTail(1.5), 0.06680720126885807);
  near(normalTail(10), 7.61985302416047e-24);
  near(studentTails(2.5, 4.2), 0.0638154134665377);
  near(studentTails(studentBound(0.05, 3.3), 3.3), 0.05);
  assert.deepEqual(Array.from(falseDiscovery([0.01, 0.04, 0.02, 0.9]), (q) => q.toFixed(4)), ["0.0400", "0.0533", "0.0400", "0.9000"]);
});

const category = (words: string[]): Column => {
  const categories = [...new Set(words)].sort();
  return { kind: "category", codes: Int32Array.from(words, (word) => categories.indexOf(word)), categories };
};

test("samples and groups are read from columns, and refused in words", () => {
  const obs = new Frame(["1", "2", "3", "4"], new Map([["donor", category(["d10", "d2", "d10", "d2"])], ["disease", category(["none", "flu", "none", "flu"])]]));
  const found = samplesOf(obs, "donor", "disease", "mine.h5ad");
  assert.deepEqual([found.names, found.conditions, Array.from(found.sampleN)], [["d2", "d10"], ["flu", "none"], [1, 0, 1, 0]]);
  assert.throws(() => samplesOf(obs, "batch", null, "mine.h5ad"), { message: "mine.h5ad has no column 'batch' about its cells; it has 'donor', 'disease'." });
  const source = { name: "mine.h5ad", obs: () => obs } as unknown as CellSource;
  assert.deepEqual(readGroups(source, "donor").names, ["d2", "d10"]);
  assert.throws(() => readGroups(source, "leiden"), { message: "mine.h5ad has no column 'leiden' about cells; its columns are donor, disease. Give a column of groups, or 'auto'." });
  assert.deepEqual(["T 10", "T 9", "B"].sort((a, b) => byNature(a, b)), ["B", "T 9", "T 10"]);
});

test("cells are counted by sample, and conditions compared", () => {
  const samples = { by: "donor", condition: null, names: ["d1", "d2"], sampleN: Int32Array.of(0, 0, 1), conditions: ["", ""] };
  const rows = countTypes(samples, Int32Array.of(0, -1, 0), ["CL:0000236"], ["B cell"]).table();
  assert.deepEqual(rows.map((row) => [row.sample, row.cell_type, row.cells, row.share]), [["d1", "B cell", 1, 0.5], ["d1", "unknown", 1, 0.5], ["d2", "B cell", 1, 1], ["d2", "unknown", 0, 0]]);
  near(interval(3, 10)[0], 0.10779126740630105);
  const cells = Int32Array.from([8, 2, 0, 7, 3, 0, 8, 2, 0, 3, 7, 0, 2, 8, 0, 3, 7, 0]), conditions = ["ill", "ill", "ill", "well", "well", "well"];
  const { table } = differences(new Composition([..."abcdef"], conditions, ["CL:0000236", "CL:0000084", "unknown"], ["B cell", "T cell", "unknown"], cells));
  const told = table.map((row) => [row.cell_type, row.share_first.toFixed(3), row.share_second.toFixed(3), row.q.toFixed(3)]);
  assert.deepEqual(told, [["B cell", "0.767", "0.267", "0.001"], ["T cell", "0.233", "0.733", "0.001"], ["unknown", "0.000", "0.000", "NaN"]]);
});

test("tables for spreadsheets hold no formulas", () => {
  assert.deepEqual(["=cmd()", '"＝cmd()', "B cell"].map(guard), ["'=cmd()", "'\"＝cmd()", "B cell"]);
  const columns = new Map<string, Column>([["cell", { kind: "text", values: ["=1+1", "a,b"] }], ["score", { kind: "number", values: Float64Array.of(-0.5, 1e-6), whole: false }]]);
  assert.equal([...csvParts(columns)].join(""), "cell,score\n'=1+1,-0.5\n\"a,b\",1e-06\n");
});

test("the first few of some things are named", () => {
  assert.equal(listed(["B", "NK", "pDC", "cDC2", "ILC"]), "B, NK, pDC and 2 others");
  assert.equal(listed(["B", "NK"]), "B and NK");
});
