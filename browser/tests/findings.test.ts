// What a source holds and what would be used of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Csr } from "../src/base/csr.ts";
import { type Column, Frame } from "../src/base/frame.ts";
import { Generator } from "../src/base/random.ts";
import { among, counted, namedColumn, sharedColumns, words } from "../src/biology/columns.ts";
import { loadVocabulary, matchGenes } from "../src/biology/genes.ts";
import { Seen, withoutPadding } from "../src/biology/padding.ts";
import { Repeats, runsOf, withoutOdd } from "../src/biology/repeats.ts";
import { alignedSample, AlignedSource, readCounts, taken } from "../src/io/aligned.ts";
import { inspect } from "../src/io/findings.ts";
import { fromPlain, toPlain } from "../src/io/findings_plain.ts";
import { BLOCK, CellSource } from "../src/io/source.ts";
import { loadTables } from "./support.ts";

loadTables();
const GENES = loadVocabulary();
const N = 90, V = 400;

// Made counts: every twentieth gene in most cells.
function counts(seed = 0): number[][] {
  const random = new Generator(seed);
  return Array.from({ length: N }, () => Array.from({ length: V }, (_, v) => Math.floor(random.random() * (v % 20 ? 1.5 : 30))));
}

class Held extends CellSource {
  readonly name = "made.h5ad";
  readonly format = "h5ad";
  readonly nCells: number;
  readonly cellNames: string[];
  readonly matrices: string[];

  constructor(private readonly held: Map<string, number[][]>, private readonly names: string[]) {
    super();
    this.matrices = [...held.keys()];
    this.nCells = [...held.values()][0].length;
    this.cellNames = Array.from({ length: this.nCells }, (_, n) => `cell${n}`);
  }

  geneColumns(): Map<string, string[]> {
    return new Map([["index", this.names]]);
  }

  *blocks(matrix: string, size = BLOCK) {
    const values = Csr.dense(this.held.get(matrix)!, this.names.length);
    for (let start = 0; start < this.nCells; start += size) yield { start, values: values.slice(start, Math.min(start + size, this.nCells)) };
  }

  obs(): Frame {
    return new Frame(this.cellNames);
  }
}

const NAMES = [...GENES.symbols.slice(100, 100 + V)];

test("the matrix with the counts is used, and why others aren't is said", () => {
  const few = counts().map((row) => row.map((value, v) => (v % 2 ? 0 : value)));
  const source = new Held(new Map([["layers/counts", few], ["X", counts()]]), NAMES);
  const findings = inspect(source, GENES);
  assert.equal(findings.matrix, "X");
  assert.match(findings.tried[0][1], /^it holds \d\d% of the counts above zero that X holds\.$/);
  assert.match(findings.warnings[1], /^layers\/counts was passed over: it holds/);
  assert.equal(findings.lines()[0], "made.h5ad (h5ad): 90 cells, 400 genes");
  assert.equal(inspect(source, GENES, { layer: "counts" }).matrix, "layers/counts");
  assert.throws(() => inspect(source, GENES, { layer: "no" }), { name: "ConfigError", message: "made.h5ad has no layer 'no'; it has layers/counts, X." });
  assert.throws(() => inspect(source, GENES, { geneColumn: "ids" }), /has no column 'ids' of gene names; it has index\./);
});

test("findings pass to another worker and back, and the sample is aligned", () => {
  const source = new Held(new Map([["X", counts()]]), NAMES);
  const findings = inspect(source, GENES), again = fromPlain(structuredClone(toPlain(findings)));
  assert.deepEqual(again.describe(), findings.describe());
  assert.deepEqual(again.toDict(), findings.toDict());
  assert.equal(again.genes.height, again.match.oddNames.length);
  assert.deepEqual(alignedSample(again).toDense(), readCounts(source, findings).toDense());
  assert.deepEqual(taken([...source.blocks("X")][0].values, findings).toDense(), readCounts(source, findings).toDense());
});

test("some cells are given as a source of their own", () => {
  const source = new Held(new Map([["X", counts()]]), NAMES), findings = inspect(source, GENES);
  const keepN = Uint8Array.from({ length: N }, (_, n) => Number(n % 3 === 0));
  const some = new AlignedSource(source, findings, GENES, keepN, new Frame(source.cellNames.filter((_, n) => n % 3 === 0)));
  const blocks = [...some.blocks("X", 40)];
  assert.deepEqual(blocks.map((block) => [block.start, block.values.height]), [[0, 14], [14, 13], [27, 3]]);
  assert.equal(some.geneColumns("X").get("feature_name")!.length, blocks[0].values.width);
});

test("refused are no cells, genes that nobody knows and tables that lie on their side", () => {
  assert.throws(() => inspect(new Held(new Map([["X", []]]), NAMES), GENES), /holds no cells, so there is nothing to annotate/);
  const unknown = Array.from({ length: V }, (_, v) => `nobody ${v}`);
  assert.throws(() => inspect(new Held(new Map([["X", counts()]]), unknown), GENES), { name: "GeneMatchError", message: /^made\.h5ad, X: Only 0 of/ });
  const turned = new Held(new Map([["X", counts()]]), unknown);
  turned.cellNames.splice(0, N, ...NAMES.slice(0, N));
  assert.throws(() => inspect(turned, GENES), /genes and cells have changed places: the rows are genes \(the first is/);
});

test("proteins behind the genes are left out as a block", () => {
  const own = [...Array(20).keys()].map((i) => 5 + 20 * i);
  const rows = counts().map((row, n) => [...row, ...own.map((_, i) => 40 + 10 * i + (n % 7))]);
  const names = [...NAMES, ...own.map((v) => NAMES[v])], match = matchGenes(new Map([["index", names]]), GENES);
  const repeats = new Repeats(match.targetV, names);
  repeats.update(Csr.dense(rows, names.length));
  const [kept, notes] = withoutOdd(match, repeats.odd(), names);
  assert.equal(kept.nRepeated, match.nRepeated - 20);
  assert.match(notes[0], /^20 columns have values of another kind than genes, as antibodies do/);
  assert.deepEqual(runsOf([70, 4, 1, 9, 40]), [[1, 4, 9]]);
});

test("genes that only fill a list up are taken for not measured", () => {
  const match = matchGenes(new Map([["index", NAMES]]), GENES), seen = new Seen(V);
  seen.update(Csr.dense(counts().map((row) => row.map((value, v) => (v < 60 ? value + 1 : 0))), V));
  const [rest, notes] = withoutPadding(match, seen);
  assert.equal(rest.nFound, match.nFound - (V - 60));
  assert.match(notes[0], /known genes are in no cell, too many to be rare ones \(0 are in a single cell\)/);
});

test("columns of a table are told as words", () => {
  const batch: Column = { kind: "text", values: [" a", "b", "a", null, "NA"] };
  const found = words(batch);
  assert.deepEqual([Array.from(found.codes), found.categories], [[0, 1, 0, -1, -1], ["a", "b"]]);
  assert.deepEqual(Array.from(among(found, ["a"])), [1, 0, 1, 0, 0]);
  assert.deepEqual([...counted(found, [1, 1, 1, 1, 1])], [["a", 2], ["b", 1]]);
  const obs = new Frame(Array.from({ length: 20 }, (_, n) => `c${n}`), new Map<string, Column>([
    ["batch", { kind: "text", values: Array.from({ length: 20 }, (_, n) => "ab"[n % 2]) }],
    ["depth", { kind: "number", values: Float64Array.from({ length: 20 }, (_, n) => n), whole: true }],
  ]));
  assert.deepEqual(sharedColumns(obs), ["batch"]);
  assert.throws(() => namedColumn(obs, "donor", "mine.h5ad"), /^ConfigError: mine\.h5ad has no column 'donor' about its cells; it has 'batch', 'depth'\.$/);
});
