// Texts, matrices of Market files and packed files are read, or refused in words, as the Python package does it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { csvRows } from "../src/base/csv.ts";
import { end, plainNumber } from "../src/base/digits.ts";
import { toFloat } from "../src/base/floats.ts";
import { HeldBytes, type Upload } from "../src/io/bytes.ts";
import { openCells } from "../src/io/open.ts";
import type { CellSource } from "../src/io/source.ts";
import { genesLieFirst, isGene } from "../src/io/formats/orient.ts";
import { sideNames } from "../src/io/formats/sidefiles.ts";
import { findLayout, split } from "../src/io/formats/textlayout.ts";
import { looks } from "../src/io/sniff.ts";
import { Bands, type Entries } from "../src/io/storage/bands.ts";
import { lines } from "../src/io/storage/lines.ts";
import { TextMatrix } from "../src/io/storage/text_matrix.ts";
import { loadVocabulary } from "../src/biology/vocabulary.ts";
import { markersIn } from "../src/io/marker_table.ts";
import { partMatrix } from "../src/web/matrix_files.ts";
import { shownName } from "../src/web/upload.ts";
import { loadTables } from "./support.ts";

loadTables();

const GENES = ["CD3E", "CD8A", "MS4A1", "NKG7", "LYZ", "CD14"];
const CELLS = ["AAAC-1", "AAAG-1", "AAAT-1"];
const COUNTS = [[1, 0, 2, 0, 0, 3], [0, 0, 0, 0, 0, 0], [4, 5, 0, 0, 1, 0]];

const bytes = (text: string | Uint8Array) => (typeof text === "string" ? new TextEncoder().encode(text) : text);

function upload(files: Record<string, string | Uint8Array>, name = Object.keys(files)[0]): Upload {
  return { name, files: new Map(Object.entries(files).map(([path, text]) => [path, new HeldBytes(path, bytes(text))])) };
}

function rowsOf(source: CellSource): number[][] {
  const [matrix] = source.matrices, rows: number[][] = [];
  for (const { values } of source.blocks(matrix, 2)) {
    const dense = values.toDense();
    for (let row = 0; row < values.height; row += 1) rows.push(Array.from(dense.subarray(row * values.width, (row + 1) * values.width)));
  }
  return rows;
}

function check(source: CellSource, counts = COUNTS): void {
  assert.deepEqual(source.cellNames, CELLS);
  assert.deepEqual(source.geneColumns(source.matrices[0]).get("index"), GENES);
  assert.deepEqual(rowsOf(source), counts);
}

const ofCells = (mark: string, number: (count: number) => string = String) => [["cell", ...GENES].join(mark), ...COUNTS.map((row, n) => [CELLS[n], ...row.map(number)].join(mark))].join("\n");
const ofGenes = (quote = "") => [["", ...CELLS].map((name) => quote + name + quote).join(","), ...GENES.map((gene, v) => [quote + gene + quote, ...COUNTS.map((row) => row[v])].join(","))].join("\r\n");

function folder(): Record<string, string> {
  const entries = GENES.flatMap((_, v) => COUNTS.flatMap((row, n) => (row[v] ? [`${v + 1} ${n + 1} ${row[v]}\n`] : [])));
  return {
    "matrix.mtx": `%%MatrixMarket matrix coordinate integer general\n% made\n${GENES.length} ${CELLS.length} ${entries.length}\n${entries.join("")}`,
    "features.tsv": GENES.map((gene, v) => `ENSG0000000000${v}\t${gene}\tGene Expression\n`).join(""),
    "barcodes.tsv": CELLS.join("\n"),
  };
}

const refused = (files: Record<string, string | Uint8Array>, message: RegExp) => assert.throws(() => rowsOf(openCells(upload(files))), { name: "FileFormatError", message });

test("any delimiter is found, with decimal commas too", () => {
  for (const mark of [",", "\t", ";", " "]) check(openCells(upload({ "t.txt": ofCells(mark) })));
  check(openCells(upload({ "t.txt": ofCells(";", (count) => `${count},0`) })));
});

test("genes on the rows are turned round with a warning", () => {
  for (const quote of ["", '"']) {
    const source = openCells(upload({ "t.csv": ofGenes(quote) }));
    check(source);
    assert.deepEqual(source.warnings, ["t.csv: genes lie on its rows, so the table was turned round."]);
  }
});

test("packed texts and other encodings are read as they are", () => {
  check(openCells(upload({ "t.csv.gz": gzipSync(bytes(ofCells(","))) })));
  const twice = [gzipSync(bytes(ofCells(",").slice(0, 40))), gzipSync(bytes(ofCells(",").slice(40)))];
  check(openCells(upload({ "t.csv.gz": Uint8Array.from(Buffer.concat(twice)) })));
  check(openCells(upload({ "t.txt": Uint8Array.from(Buffer.from(`\ufeff${ofCells("\t")}`, "utf16le")) })));
  check(openCells(upload({ "t.csv": `\ufeff${ofCells(",")}` })));
});

test("what is wrong with a table is said with its line", () => {
  const table = ofCells(",");
  refused({ "t.csv": table.replace("AAAC-1,1", "AAAC-1,x") }, /^t\.csv: line 2, column 'CD3E' holds 'x' where a number is needed\. Write 0 where nothing was counted\.$/);
  refused({ "t.csv": table.replace("AAAC-1,1", "AAAC-1,") }, /^t\.csv: line 2, column 'CD3E' is empty where a number/);
  refused({ "t.csv": `${table},9` }, /^t\.csv: line 4 has 8 fields, 7 were expected\. Mend the line/);
  refused({ "t.csv": "1,2\n3,4\n" }, /^t\.csv has no heading: its first line must name the columns\.$/);
  refused({ "t.csv": "a" }, /^t\.csv is no table: it needs a line of names/);
  refused({ "t.csv": bytes(table).map((byte) => (byte === 65 ? 255 : byte)) }, /^t\.csv is not UTF-8 text \(UnicodeDecodeError\)\. Save it as UTF-8\.$/);
  refused({ "t.csv": "row,a,b\nx,1,2\ny,3,4\n" }, /neither its rows \(x, y\) nor its columns \(a, b\) can be told to be genes/);
  refused({ "t.csv": "gene,one\nCD3E,5\nCD8A,\nMS4A1,3\n" }, /line 3, column 'one' is empty/);
  refused({ "t.csv": "cell,CD3E,CD8A\na,x,y\nb,1\n" }, /is no table: it needs a line of names and at least one line of numbers/);
});

test("folders of 10x are read, whatever their files are called", () => {
  check(openCells(upload(folder(), "run 7")));
  const { "matrix.mtx": matrix, "features.tsv": features, "barcodes.tsv": barcodes } = folder();
  check(openCells(upload({ "s1_counts.mtx.gz": gzipSync(bytes(matrix)), "s1_genes.tsv": features, "s1_cells.csv": barcodes, "s2_cells.csv": "x" }, "s")));
});

test("antibodies are left out with a note", () => {
  const files = folder();
  files["features.tsv"] = files["features.tsv"].replace("CD14\tGene Expression", "CD14\tAntibody Capture");
  const source = openCells(upload(files, "run"));
  assert.deepEqual(source.warnings, ["matrix.mtx: 1 feature that is no gene was left out (1 Antibody Capture)."]);
  assert.deepEqual(rowsOf(source), COUNTS.map((row) => row.slice(0, 5)));
});

test("entries in any order are sorted, repeats added", () => {
  const files = folder(), [head, made, sizes, ...entries] = files["matrix.mtx"].trimEnd().split("\n");
  files["matrix.mtx"] = [head, made, sizes.replace(/\d+$/, String(entries.length + 1)), ...entries.reverse(), "1 1 1.5"].join("\n");
  check(openCells(upload(files, "run")), COUNTS.map((row, n) => row.map((count, v) => (n || v ? count : count + 1.5))));
});

test("what is wrong with a matrix is said with its line", () => {
  const files = folder(), broken = (from: string | RegExp, to: string) => ({ ...files, "matrix.mtx": files["matrix.mtx"].replace(from, to) });
  refused(broken("integer general", "integer symmetric"), /of the kind 'coordinate integer symmetric'; needed is 'coordinate'/);
  refused(broken("6 3 6", "6 3 7"), /^matrix\.mtx: its header promises 7 entries, 6 are there\. It is cut short or damaged/);
  refused(broken("6 3 6", "6 3 999999999999999999"), /promises 999,999,999,999,999,999 entries, more than it can hold/);
  refused(broken("1 1 1\n", "9 1 1\n"), /^matrix\.mtx: line 4, '9 1 1', lies outside the matrix of 6 x 3; rows and columns are counted from 1\.$/);
  refused(broken("1 1 1\n", "1 1 1_0\n"), /^matrix\.mtx: line 4, '1 1 1_0', must be 3 numbers: row, column and value\.$/);
  refused(broken("6 3 6", "6 4 6"), /^matrix\.mtx is 6 x 4, which doesn't fit the numbers of names in features\.tsv and barcodes\.tsv/);
  refused({ "matrix.mtx": files["matrix.mtx"] }, /has no file with the names of its genes beside it \(features\.tsv or genes\.tsv, \.gz or not\)/);
});

test("damaged gzip files are refused in Python's words", () => {
  const packed = gzipSync(bytes(ofCells(",").repeat(50)));
  refused({ "t.csv.gz": packed.subarray(0, -4) }, /^t\.csv\.gz is cut short: its gzip data end too early\. Copy it again\.$/);
  refused({ "t.csv.gz": packed.map((byte, at) => (at === packed.length - 6 ? byte ^ 1 : byte)) }, /is a damaged gzip file \(CRC check failed 0x[0-9a-f]+ != 0x[0-9a-f]+\)/);
  refused({ "t.csv.gz": Uint8Array.of(0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0) }, /is a damaged gzip file \(Unknown compression method\)/);
});

test("what isn't read in a browser is refused with what to do", () => {
  refused({ "cells.csv.bz2": "BZh91AY" }, /^cells\.csv\.bz2 is packed with bzip2\. Unpack it first: `bunzip2 FILE`\.$/);
  refused({ "zarr.json": "{}", "X/c/0": "x" }, /is a zarr store, which isn't read in a browser\. Save it as \.h5ad/);
  refused({ "cells.h5ad": "cell,CD3E\na,1\n" }, /not an HDF5 file, though its name says so: its first bytes are 'cell,CD3E/);
  refused({ "cells.rds": gzipSync(bytes("X\n\0\0\0\x03")) }, /is an R object \(RDS\)\. In R, save the counts/);
  refused({ "cells.h5ad": "" }, /^cells\.h5ad is empty, not an HDF5 file\. Copy or download it again\.$/);
});

test("entries that are too many are given as they come, if they lie cell by cell", () => {
  const bands = new Bands([4, 9], 100, 30_000), n = 40_000;
  const rows = Int32Array.from({ length: n }, (_, e) => Math.floor((4 * e) / n)), columns = rows.map((_, e) => e % 9);
  assert.equal(bands.add([rows, columns, new Float32Array(n).fill(0.5)]), true);
  assert.equal(bands.held, false);
  assert.equal(bands.add([Int32Array.of(0), Int32Array.of(0), Float32Array.of(1)]), false);
});

test("a text too large to be held is read cell by cell, the same rows again and again", () => {
  const entries: Entries[] = [];
  for (let row = 0; row < 40; row += 1) {
    if (row % 7 === 3) continue;
    const columns = Int32Array.from({ length: 9000 }, (_, e) => (e * 7) % 9001);
    entries.push([new Int32Array(9000).fill(row), columns, columns.map((column) => 1 + ((row + column) % 5)) as unknown as Float32Array]);
  }
  class Made extends TextMatrix {
    readonly nEntries = 360_000;
    *entries(): Generator<Entries> { yield* entries; }
  }
  const flat = (matrix: TextMatrix) => Array.from(matrix.blocks(16), ({ start, values }) => [start, Array.from(values.data), Array.from(values.indices), Array.from(values.indptr)]);
  const held = new Made([40, 9001], ["t", "t"]), streamed = new Made([40, 9001], ["t", "t"], 30_000);
  assert.deepEqual(flat(streamed), flat(held));
  assert.deepEqual(flat(streamed), flat(held));
});

test("lines end in any way, and none is too many", () => {
  assert.deepEqual([...lines(new HeldBytes("t", bytes("a\r\nb\rc\n\nd")))], ["a", "b", "c", "", "d"]);
  assert.deepEqual([...lines(new HeldBytes("t", new Uint8Array(0)))], []);
});

test("numbers are read from bytes as float32 has them", () => {
  for (const text of ["0", "12", "-3.5", "0.1", "1e5", "2.5E-3", "16777217", "0.30000001192092896", "1e22"]) {
    const field = bytes(`${text},`);
    assert.equal(plainNumber(field, 0, field.length, false), Math.fround(Number(text)), text);
    assert.equal(end, text.length);
  }
  for (const text of ["", "x", "1e", "1e99", "nan"]) assert.ok(Number.isNaN(plainNumber(bytes(`${text},`), 0, text.length + 1, false)), text);
  assert.deepEqual(["1_0", " 1 ", "nan", "-inf", "1__0", "0x1", "\ufeff1"].map(toFloat), [10, 1, NaN, -Infinity, null, null, null]);
});

test("small pieces do what their Python counterparts say", () => {
  assert.deepEqual(split('"a,b",1', ","), ["a,b", "1"]);
  assert.deepEqual([...csvRows(['a,"b\n', 'c"""', "d"], ",")].map(({ row, line }) => [row, line]), [[["a", 'b\nc"'], 2], [["d"], 3]]);
  const layout = findLayout(["gene;a;b", "CD3E;1,5;0", "CD8A;0;2,25"], "t.csv");
  assert.deepEqual([layout.delimiter, layout.decimalComma, layout.heading, layout.namesFirst], [";", true, ["a", "b"], true]);
  assert.deepEqual(["CD3E", "Cd3e", "ENSMUSG00000032093.5", "AAACATACAACCAC-1"].map(isGene), [true, true, true, false]);
  assert.equal(genesLieFirst(["CD3E", "CD8A"], ["cell1", "cell2"]), true);
  assert.equal(genesLieFirst(["row-1", "row-2"], ["cell-1", "cell-2"]), null);
  assert.deepEqual(Object.fromEntries(sideNames("s1_matrix.mtx.gz", ["s1_barcodes.tsv.gz", "s1_features.tsv.gz", "s2_features.tsv.gz"])), { genes: "s1_features.tsv.gz", cells: "s1_barcodes.tsv.gz" });
  assert.equal(looks(bytes("cell,CD3E")), "'cell,CD3E'");
  assert.equal(looks(Uint8Array.of(137, 80, 78, 71)), "89 50 4e 47");
  assert.deepEqual(["C:\\data\\my cells.h5ad", "../../x", "\0"].map(shownName), ["my cells.h5ad", "x", "cells"]);
  assert.deepEqual([...markersIn("cell_type,gene\nT cells,CD3E\n", "mine.csv", loadVocabulary()).genesOf.keys()], ["CL:0000084"]);
});

test("several files are one matrix, or are refused", () => {
  const told = Object.entries(folder()).map(([name, text]): [string, HeldBytes] => [`run 7/${name}`, new HeldBytes(name, bytes(text))]);
  const parted = partMatrix(told);
  assert.equal(parted.name, "run 7");
  check(openCells(parted));
  assert.throws(() => partMatrix(told.slice(1)), { sentence: /^Several files are taken together where they are one matrix/ });
});
