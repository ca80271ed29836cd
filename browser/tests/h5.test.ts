import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Csr } from "../src/base/csr.ts";
import { type Column, Frame } from "../src/base/frame.ts";
import { annotatedH5ad, type Answers, canBeCopied } from "../src/io/annotated.ts";
import { HeldBytes } from "../src/io/bytes.ts";
import { humanGenome } from "../src/io/formats/features.ts";
import { AnnDataSource, orderMatrices } from "../src/io/formats/h5ad.ts";
import type { CellSource } from "../src/io/source.ts";
import { canonical } from "../src/io/storage/canonical.ts";
import { Hdf5Tree } from "../src/io/storage/hdf5.ts";
import { brokenHeap } from "../src/io/storage/heaps.ts";
import { JoinedBytes } from "../src/io/storage/joined.ts";
import { leadingOut, leftOut } from "../src/io/storage/links.ts";
import { cuts, regroup, SpooledMatrix, StoredMatrix } from "../src/io/storage/matrix.ts";
import { checkCells, holds } from "../src/io/storage/room.ts";
import { type Entries, Spool } from "../src/io/storage/spool.ts";
import { StoredSource } from "../src/io/storage/stored.ts";
import { started } from "./hdf5.ts";

const CELLS = new URL("../../../tests/archive/cells.h5ad", import.meta.url);

await started();

const contents = (): Uint8Array => new Uint8Array(readFileSync(CELLS));
const opened = (bytes: Uint8Array): AnnDataSource => new AnnDataSource(new Hdf5Tree(new HeldBytes("cells.h5ad", bytes)), "h5ad");
const whole = (source: CellSource, matrix: string, size?: number): Csr => Csr.vstack([...source.blocks(matrix, size)].map(({ values }) => values));

// Entries in any order.
class Listed extends SpooledMatrix {
  constructor(shape: [number, number], private readonly listed: [number, number, number][]) {
    super(shape, ["made.h5", "X"]);
  }

  *entries(): Generator<Entries> {
    for (const [row, column, value] of this.listed) yield [Int32Array.of(row), Int32Array.of(column), Float32Array.of(value)];
  }
}

function made(matrix: StoredMatrix): StoredSource {
  const [n, v] = matrix.shape, names = (length: number, letter: string) => Array.from({ length }, (_, i) => `${letter}${i}`);
  const genes = new Map([["index", names(v, "g")]]), obs = new Map([["sort", names(n, "s")]]);
  return new StoredSource("made.h5", { format: "10x h5", matrices: new Map([["X", matrix]]), cells: names(n, "c"), genes, obs });
}

function answers(n: number): Answers {
  const columns = new Map<string, Column>([
    ["spoticell_cell_type", { kind: "category", codes: Int32Array.from({ length: n }, (_, i) => i % 3 - 1), categories: ["B cell", "unknown"] }],
    ["spoticell_score", { kind: "number", values: Float64Array.from({ length: n }, (_, i) => i / 4), whole: false }],
    ["spoticell_filtered", { kind: "flag", values: Uint8Array.from({ length: n }, (_, i) => i % 2) }],
  ]);
  const obs = new Frame(Array.from({ length: n }, (_, i) => String(i)), columns);
  const uns = new Map([["spoticell", { bundle: "human-v1", "a/b": 1, none: null, classes: ["CL:0000236", "unknown"], inside: { empty: [] } }]]);
  return { obs, obsm: new Map([["X_spoticell", { data: new Float32Array(n * 2), width: 2 }]]), uns, colors: new Map(), stale: [] };
}

function saved(source: CellSource, bytes: HeldBytes, matrix = source.matrices[0]): AnnDataSource {
  const joined = new JoinedBytes(bytes, annotatedH5ad(source, matrix, answers(source.nCells)));
  return opened(joined.read(0, joined.size));
}

test("layers of counts come before others", () => {
  assert.deepEqual(
    orderMatrices(["X", "raw/X", "layers/scaled", "layers/Counts", "layers/spliced", "layers/unspliced"]),
    ["layers/Counts", "raw/X", "X", "layers/scaled", "layers/spliced"],
  );
});

test("the human genome among several is found", () => {
  assert.equal(humanGenome(["GRCh38", "mm10"], "a.h5"), "GRCh38");
  assert.throws(() => humanGenome(["mm10", "rn6"], "a.h5"), /a.h5 has genes of 2 genomes \(mm10, rn6\), of which none is human/);
});

test("rows are cut where they have enough entries", () => {
  const pointers = Float64Array.of(0, 2, 4, 9, 10);
  assert.deepEqual([...cuts(pointers, 3)], [[0, 3], [3, 4]]);
  assert.deepEqual([...cuts(pointers, 3, 0, 4)], [[0, 2], [2, 3], [3, 4]]);
  assert.deepEqual([...cuts(pointers, 1, 4)], [[0, 2], [2, 3], [3, 4]]);
});

test("pieces of any height become blocks", () => {
  const pieces = [Csr.dense([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], 4), Csr.dense([[1, 1, 1, 1], [1, 1, 1, 1]], 4)];
  assert.deepEqual([...regroup(pieces, 2)].map(({ start, values }) => [start, values.height]), [[0, 2], [2, 2], [4, 1]]);
});

test("columns are sorted, repeats summed and zeros dropped", () => {
  const rows = canonical(new Csr(Float32Array.of(1, 2, 3, 0), Int32Array.of(2, 0, 2, 1), Int32Array.of(0, 3, 4), 3));
  assert.deepEqual([[...rows.data], [...rows.indices], [...rows.indptr]], [[2, 4], [0, 2], [0, 2, 2]]);
});

test("entries in any order are sorted by cell, in bands where they are many", () => {
  const entries = function* (): Generator<Entries> {
    yield [Int32Array.of(2, 0), Int32Array.of(1, 0), Float32Array.of(5, 7)];
    yield [Int32Array.of(1, 0), Int32Array.of(1, 1), Float32Array.of(3, 4)];
  };
  for (const [band, heights] of [[8, [3]], [2, [1, 2]]] as const) {
    const bands = [...new Spool([3, 2], entries, band).bands()];
    assert.deepEqual(bands.map(({ height }) => height), heights);
    assert.deepEqual([...Csr.vstack(bands).toDense()], [7, 4, 0, 3, 0, 5]);
  }
});

test("a file that declares more cells than it has bytes is refused", () => {
  const room = holds([{ size: 12_999 }]);
  assert.throws(() => checkCells("small.h5ad", 400_000_000, room), /small.h5ad declares 400,000,000 cells, more than it has bytes/);
});

test("an h5ad file is read in blocks of any size", () => {
  const source = opened(contents()), all = whole(source, source.matrices[0]);
  assert.equal(all.height, source.nCells);
  assert.equal(source.cellNames.length, source.nCells);
  assert.equal(source.geneColumns(source.matrices[0]).get("index")!.length, all.width);
  assert.deepEqual(whole(source, source.matrices[0], 3).toDense(), all.toDense());
  const some = [...source.between(source.matrices[0], 3, 9, 3)];
  assert.deepEqual(some.map(({ start }) => start), [3, 6]);
});

test("a file cut short or damaged says so", () => {
  const bytes = contents();
  assert.throws(() => opened(bytes.slice(0, -2000)), /cells.h5ad is cut short: \d+ of \d+ bytes are there. Copy or download it again/);
  assert.throws(() => opened(bytes.slice().fill(255, 8, 48)), /cells.h5ad is a damaged HDF5 file/);
  const heap = Buffer.from(bytes).indexOf("GCOL");
  assert.equal(brokenHeap(new HeldBytes("a", bytes)), null);
  bytes.fill(0, heap + 16, heap + 32);
  assert.throws(() => opened(bytes), new RegExp(`the text at byte ${heap.toLocaleString("en")} doesn't add up`));
});

test("answers are put into an h5ad file, which is changed nowhere else", () => {
  const bytes = new HeldBytes("cells.h5ad", contents()), source = opened(contents());
  assert.ok(canBeCopied(source.tree as Hdf5Tree));
  const again = saved(source, bytes), twice = saved(again, again.tree instanceof Hdf5Tree ? again.tree.bytes as HeldBytes : bytes);
  for (const written of [again, twice]) {
    const obs = written.obs(), before = [...source.obs().columns.keys()];
    assert.deepEqual([...obs.columns.keys()], [...before.filter((name) => !name.startsWith("spoticell")), "spoticell_cell_type", "spoticell_score", "spoticell_filtered"]);
    assert.equal(obs.columns.get("spoticell_filtered")!.kind, "flag");
    assert.deepEqual(written.cellNames, source.cellNames);
    assert.deepEqual(whole(written, "X").toDense(), whole(source, "X").toDense());
    assert.ok(written.tree.names("uns/spoticell").includes("a_b"));
  }
});

test("any other file becomes a new h5ad", () => {
  const matrix = new Listed([3, 2], [[2, 1, 5], [0, 0, 7]]), written = saved(made(matrix), new HeldBytes("made.h5", new Uint8Array(0)));
  assert.deepEqual([...whole(written, "X").toDense()], [7, 0, 0, 0, 0, 5]);
  assert.deepEqual(written.cellNames, ["c0", "c1", "c2"]);
  assert.deepEqual([...written.obs().columns.keys()], ["sort", "spoticell_cell_type", "spoticell_score", "spoticell_filtered"]);
  assert.deepEqual(written.geneColumns("X").get("index"), ["g0", "g1"]);
});

test("what leads out of a file is named, some of it at least", () => {
  assert.deepEqual(leadingOut(opened(contents()).tree as Hdf5Tree), []);
  assert.equal(leftOut(["uns/a"]), "'uns/a' leads out of the file, so it is left out of the annotated file.");
  assert.equal(
    leftOut(["obs/a", "obs/b", "obs/c", "obs/d"]),
    "'obs/a', 'obs/b', 'obs/c' and 1 more lead out of the file, so they are left out of the annotated file.",
  );
});
