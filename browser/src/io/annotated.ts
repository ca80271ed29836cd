// An h5ad file with answers in it.
// Of an AnnData h5ad not a byte but those of its head is changed: what is new is put behind its end, with groups that
// name the old members beside the new ones, and is never copied whole. Any other input becomes a new h5ad: the matrix
// that was used as X, the tables about cells and genes.

import { OutputError } from "../base/errors.ts";
import type { Column, Frame } from "../base/frame.ts";
import { Frame as Table } from "../base/frame.ts";
import type { Bytes } from "./bytes.ts";
import { JoinedBytes, type Part } from "./storage/joined.ts";
import { AnnDataSource } from "./formats/h5ad.ts";
import type { CellSource } from "./source.ts";
import { writeColumn, writeMatrix, writeRecord, writeTable, writeWords, wide, type Record } from "./storage/elements.ts";
import { attribute, superblock } from "./storage/encode.ts";
import { Hdf5Tree } from "./storage/hdf5.ts";
import { leadingOut, linkOf } from "./storage/links.ts";
import { attributesOf, Rewriting } from "./storage/rewrite.ts";
import { reading, textOf, wordOf } from "./storage/tree.ts";
import { Hdf5Writer, packedChunk } from "./storage/writer.ts";

const MAPPINGS = ["layers", "obsm", "obsp", "uns", "varm", "varp"];
const ENTRIES_IN_CHUNK = 1 << 16;
// Bytes of a new file at most, all of which are held in memory.
export const MOST_NEW = 700 * 2 ** 20;
// How often what leads out is looked for.
const MOST_ROUNDS = 5;
// Bytes of the head of a new file.
const HEAD = 96;

export interface Embedding {
  data: Float32Array;
  width: number;
}

// What is put into the file.
export interface Answers {
  // A row for each cell; numbers are written in single precision.
  obs: Frame;
  obsm: Map<string, Embedding>;
  // What was done, by its key.
  uns: Map<string, Record>;
  // Under its key in uns, one #rrggbb for each category of a column.
  colors: Map<string, string[]>;
  // Columns of an earlier run to remove with their colours.
  stale: string[];
}


// The file, in parts one after another; stretches are of the bytes of an AnnData source.
export function annotatedH5ad(source: CellSource, matrix: string, answers: Answers): Part[] {
  if (answers.obs.height !== source.nCells) throw new Error(`${answers.obs.height} rows of answers for ${source.nCells} cells`);
  if (source instanceof AnnDataSource && source.tree instanceof Hdf5Tree && canBeCopied(source.tree)) {
    try {
      return added(source.tree, answers);
    } catch (error) {
      throw new OutputError(`${source.name} can't take the answers: its tables are damaged (${(error as Error).message}). Write the file again.`);
    }
  }
  return written(source, matrix, answers);
}

// What annotatedH5ad gives as a file to save.
export function blobOf(parts: Part[], bytes: Bytes | null): Blob {
  return new Blob(parts.map((part) => {
    if (part instanceof Uint8Array) return part as Uint8Array<ArrayBuffer>;
    return bytes!.part?.(part.start, part.stop) ?? bytes!.read(part.start, part.stop) as Uint8Array<ArrayBuffer>;
  }));
}

// Whether a file is an AnnData h5ad whose tables can take new columns as they are: of AnnData 0.7 or later, and what is
// written into lies in the file itself.
export function canBeCopied(tree: Hdf5Tree): boolean {
  return reading(tree.name, "the tables", () => {
    const links = ["obs", "obsm", "uns"].map((name) => linkOf(tree, "/", name));
    if (links[0] === null || !links.every((link) => link === null || link.kind === "hard")) return false;
    const changed = ["", ...["obs", "obsm", "uns"].filter((_, i) => links[i] !== null)];
    if (!changed.every((name) => tree.node(name)?.group)) return false;
    return wordOf(tree.attribute("obs", "encoding-type")) === "dataframe" && changed.every((name) => attributesOf(tree, `/${name}`) !== null);
  });
}

function added(tree: Hdf5Tree, answers: Answers): Part[] {
  const places = leadingOut(tree);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const parts = rewritten(tree, answers, places), more = places.length ? leftIn(tree, parts) : [];
    if (!more.length) return parts;
    places.push(...more);
  }
  throw new Error("its links lead out in too many ways");
}

function rewritten(tree: Hdf5Tree, answers: Answers, places: string[]): Part[] {
  const rewriting = new Rewriting(tree, places), { writer } = rewriting, root = new Map<string, number>();
  rewriting.drop("/uns", answers.stale.map((name) => `${name}_colors`));
  rewriting.drop("/obs", answers.stale);
  rewriting.drop("/obs/__categories", [...answers.obs.columns.keys(), ...answers.stale]);
  root.set("obs", addedColumns(tree, rewriting, answers));
  root.set("obsm", rewriting.group("/obsm", matrices(writer, answers)));
  root.set("uns", rewriting.group("/uns", records(writer, answers)));
  return rewriting.parts(rewriting.group("/", root));
}

// Places that still lead out: a group that was written again may go by a second name, which leads to the old one.
function leftIn({ bytes }: Hdf5Tree, parts: Part[]): string[] {
  const tree = new Hdf5Tree(new JoinedBytes(bytes, parts));
  try {
    return leadingOut(tree);
  } finally {
    tree.close();
  }
}

function matrices(writer: Hdf5Writer, { obsm }: Answers): Map<string, number> {
  return new Map([...obsm].map(([name, { data, width }]) => [name, writeMatrix(writer, data, width)]));
}

function records(writer: Hdf5Writer, { uns, colors }: Answers): Map<string, number> {
  return new Map([
    ...[...uns].map(([name, record]): [string, number] => [name, writeRecord(writer, record)]),
    ...[...colors].map(([name, values]): [string, number] => [name, writeWords(writer, values)]),
  ]);
}

// Columns behind those of the table about cells, in place of any of the same name; the stale ones are gone.
function addedColumns(tree: Hdf5Tree, rewriting: Rewriting, { obs, stale }: Answers): number {
  const gone = [...obs.columns.keys(), ...stale, ...rewriting.dropped("/obs")], order = tree.attribute("obs", "column-order");
  if (order === null) throw new Error("it lists no columns");
  const kept = textOf(order).filter((name) => !gone.includes(name)), { writer } = rewriting;
  const found = new Map([...obs.columns].map(([name, column]) => [name, writeColumn(writer, column, 4)]));
  return rewriting.group("/obs", found, writer.texts("column-order", [...kept, ...obs.columns.keys()]));
}

// A new file.
function written(source: CellSource, matrix: string, answers: Answers): Part[] {
  const writer = new Hdf5Writer(HEAD), columns = new Map(source.geneColumns(matrix)), names = columns.get("index")!;
  columns.delete("index");
  const obs = source.obs(), root = new Map<string, number>([["X", writtenMatrix(writer, source, matrix, names.length)]]);
  const kept = [...obs.columns].filter(([name]) => !answers.obs.columns.has(name) && !answers.stale.includes(name));
  const both = new Map([...kept, ...[...answers.obs.columns]]);
  // the columns of the input stay as exact as they are
  root.set("obs", writeTable(writer, new Table(obs.index, both), (name) => (answers.obs.columns.has(name) ? 4 : 8)));
  root.set("var", writeTable(writer, new Table(names, new Map([...columns].map(([name, values]): [string, Column] => [name, { kind: "text", values }])))));
  const held = new Map([["uns", records(writer, answers)], ["obsm", matrices(writer, answers)]]);
  for (const name of MAPPINGS) root.set(name, writer.encoded(held.get(name) ?? new Map(), ["dict", "0.1.0"]));
  const top = writer.encoded(root, ["anndata", "0.1.0"]);
  return [superblock(top, writer.end), ...writer.parts];
}

function writtenMatrix(writer: Hdf5Writer, source: CellSource, matrix: string, nGenes: number): number {
  const data = new Chunked(writer, Float32Array), indices = new Chunked(writer, Int32Array), indptr = new Float64Array(source.nCells + 1);
  for (const { start, values } of source.blocks(matrix)) {
    data.add(values.data);
    indices.add(values.indices);
    for (let row = 1; row < values.indptr.length; row += 1) indptr[start + row] = indptr[start] + values.indptr[row];
    if (writer.end > MOST_NEW) throw tooLarge(source.name);
  }
  const found = new Map([["data", data.done("f4")], ["indices", indices.done("i4")], ["indptr", writer.array(wide(indptr), "i8", [indptr.length], null)]]);
  return writer.encoded(found, ["csr_matrix", "0.1.0"], [attribute("shape", "i8", [2], wide([source.nCells, nGenes]))]);
}

function tooLarge(name: string): OutputError {
  return new OutputError(
    `${name} is too large to be written as h5ad in a browser. Save the csv, and join it to your own object, in Python ` +
    "`adata.obs = adata.obs.join(pandas.read_csv(\"cells.csv\", index_col=0))`.",
  );
}

// A list of numbers that comes piece by piece and is packed chunk by chunk.
class Chunked {
  private readonly chunks: [address: number, size: number][] = [];
  private readonly held: Float32Array | Int32Array;
  private nHeld = 0;
  private length = 0;

  constructor(private readonly writer: Hdf5Writer, kind: Float32ArrayConstructor | Int32ArrayConstructor) {
    this.held = new kind(ENTRIES_IN_CHUNK);
  }

  add(values: Float32Array | Int32Array): void {
    for (let at = 0; at < values.length;) {
      const taken = Math.min(values.length - at, ENTRIES_IN_CHUNK - this.nHeld);
      this.held.set(values.subarray(at, at + taken), this.nHeld);
      at += taken;
      this.nHeld += taken;
      if (this.nHeld === ENTRIES_IN_CHUNK) this.finish();
    }
    this.length += values.length;
  }

  done(kind: "f4" | "i4"): number {
    if (this.nHeld) this.finish();
    return this.writer.chunked(kind, this.length, ENTRIES_IN_CHUNK, this.chunks);
  }

  private finish(): void {
    const packed = packedChunk(this.held.subarray(0, this.nHeld), ENTRIES_IN_CHUNK);
    this.chunks.push([this.writer.put(packed), packed.length]);
    this.nHeld = 0;
  }
}
