// 10x Genomics .h5 files, of Cell Ranger 2 (a group for each genome) and 3 and later ("matrix").
// They store genes x cells by column, which is cells x genes by row: cells can be streamed.

import { FileFormatError } from "../../base/errors.ts";
import { comma } from "../../base/words.ts";
import { ByCell, type StoredMatrix } from "../storage/matrix.ts";
import { checkCells, checkMatrices } from "../storage/room.ts";
import { StoredSource } from "../storage/stored.ts";
import { damaged, isNested, MOST_CELLS, MOST_GENES, nBytesOf, type StoredArray, textOf, type Tree } from "../storage/tree.ts";
import { type Chosen, chooseFeatures, humanGenome, keptOf, someGenes } from "./features.ts";

const SPARSE = ["data", "indices", "indptr", "shape", "barcodes"];
// What lists of kinds are called: by 10x, and by programs that write its format.
const KINDS = ["feature_type", "feature_types"];

// Whether an HDF5 file is laid out as one of 10x.
export function isTenx(tree: Tree): boolean {
  return isVersion3(tree) || genomesOf(tree).length > 0;
}

// Cells of a 10x file; only genes are kept, and only human ones where there are several genomes.
export function openTenx(tree: Tree): StoredSource {
  let group = "matrix", warnings: string[] = [], genes: Map<string, string[]>, chosen: Chosen;
  if (isVersion3(tree)) {
    [genes, chosen] = features(tree);
  } else {
    [group, warnings] = genomeOf(tree);
    genes = new Map([["index", strings(tree, `${group}/gene_names`)], ["gene_ids", strings(tree, `${group}/genes`)]]);
    checkLengths(tree, [...genes.values()]);
    chosen = { keepV: new Uint8Array(genes.get("index")!.length).fill(1), warnings: [] };
  }
  const matrix = matrixOf(tree, group);
  if (matrix.shape[1] !== chosen.keepV.length) {
    throw new FileFormatError(
      `${tree.name}: the matrix has ${matrix.shape[1]} rows but ${chosen.keepV.length} features are named. ` +
      "Get a fresh copy or write the file again.",
    );
  }
  return new StoredSource(tree.name, {
    format: "10x h5",
    matrices: new Map([["matrix", someGenes(matrix, chosen.keepV)]]),
    cells: strings(tree, `${group}/barcodes`),
    genes: new Map([...genes].map(([name, values]) => [name, keptOf(values, chosen.keepV)])),
    warnings: [...warnings, ...chosen.warnings],
    release: () => tree.close(),
  });
}

function has(tree: Tree, path: string, parts: string[]): boolean {
  const names = tree.names(path);
  return parts.every((part) => names.includes(part));
}

const isVersion3 = (tree: Tree): boolean => has(tree, "matrix", [...SPARSE, "features"]);

const genomesOf = (tree: Tree): string[] => tree.names("").filter((name) => has(tree, name, [...SPARSE, "genes", "gene_names"]));

function genomeOf(tree: Tree): [string, string[]] {
  const genomes = genomesOf(tree), human = humanGenome(genomes, tree.name);
  const others = genomes.filter((genome) => genome !== human).join(", ");
  return [human, others ? [`${tree.name}: only the genes of ${human} are used; left out: ${others}.`] : []];
}

function features(tree: Tree): [Map<string, string[]>, Chosen] {
  const [name, id] = ["name", "id"].map((part) => strings(tree, `matrix/features/${part}`));
  const told = new Map([...KINDS, "genome"].map((part) => [part, optional(tree, `matrix/features/${part}`)]));
  checkLengths(tree, [name, id, ...told.values()]);
  const columns = new Map<string, string[]>();
  for (const part of KINDS) {
    const values = told.get(part);
    if (values) columns.set(part, values);
  }
  columns.set("index", name);
  return [new Map([["index", name], ["gene_ids", id]]), chooseFeatures(columns, tree.name, told.get("genome"))];
}

function checkLengths(tree: Tree, lists: (string[] | null)[]): void {
  const lengths = new Set(lists.filter((values) => values !== null).map((values) => values.length));
  if (lengths.size !== 1) throw new FileFormatError(`${tree.name}: its lists of features differ in length. Get a fresh copy.`);
}

function matrixOf(tree: Tree, group: string): StoredMatrix {
  const [data, indices, indptr, shape] = SPARSE.slice(0, 4).map((part) => array(tree, `${group}/${part}`));
  const { dtype, values } = tree.read(shape, `${group}/shape`);
  if (shape.shape.length !== 1 || values.length !== 2 || !"iu".includes(dtype.kind)) {
    throw damaged(tree.name, `'${group}/shape'`, `${dtype.name} ${tuple(shape.shape)} where two whole numbers belong`);
  }
  const [nFeatures, nCells] = Array.from(values as ArrayLike<number>);
  checkCells(tree.name, nCells, tree.room);
  checkMatrices(tree.name, nBytesOf(data) + nBytesOf(indices), tree.room);
  return new ByCell(tree, [data, indices, indptr], [nCells, nFeatures], [tree.name, group]);
}

// A tuple as Python writes it.
const tuple = (sides: readonly number[]): string => (sides.length === 1 ? `(${sides[0]},)` : `(${sides.join(", ")})`);

function optional(tree: Tree, path: string): string[] | null {
  return tree.array(path) === null ? null : strings(tree, path);
}

function strings(tree: Tree, path: string): string[] {
  const list = array(tree, path), limit = path.endsWith("barcodes") ? MOST_CELLS : MOST_GENES;
  const values = list.shape.length === 1 && list.shape[0] <= limit ? tree.read(list, path) : null;
  if (values === null || isNested(values)) {
    throw new FileFormatError(`${tree.name}: '${path}' is no list of at most ${comma(limit)} names. Get a fresh copy.`);
  }
  return textOf(values);
}

function array(tree: Tree, path: string): StoredArray {
  const found = tree.array(path);
  if (found === null) throw new FileFormatError(`${tree.name} lacks '${path}', which a 10x file has. Get a fresh copy.`);
  return found;
}
