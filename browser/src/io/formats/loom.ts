// Loom files: a dense matrix of genes x cells, attributes of rows (genes) and columns (cells).

import { FileFormatError } from "../../base/errors.ts";
import { comma } from "../../base/words.ts";
import { dense } from "../storage/dense.ts";
import { checkCells, checkMatrices, checkTable } from "../storage/room.ts";
import { StoredSource } from "../storage/stored.ts";
import { isNested, MOST_CELLS, MOST_GENES, nBytesOf, type StoredArray, textOf, type Tree } from "../storage/tree.ts";
import { chooseFeatures, keptOf, someGenes } from "./features.ts";
import { orderMatrices } from "./h5ad.ts";

const GENE_NAMES = ["Gene", "gene", "gene_name", "gene_names", "GeneName", "gene_symbol", "symbol", "var_names", "Accession"];
const CELL_NAMES = ["CellID", "cell_id", "cell_names", "CellName", "barcode", "barcodes", "obs_names", "Cell"];

// Whether an HDF5 file is laid out as loom.
export function isLoom(tree: Tree): boolean {
  const names = tree.names("");
  return tree.array("matrix") !== null && names.includes("row_attrs") && names.includes("col_attrs");
}

// Cells of a loom file; layers of counts come before its matrix.
export function openLoom(tree: Tree): StoredSource {
  const arrays = arraysOf(tree);
  const matrices = new Map([...arrays].map(([path, array]) => [path, dense(tree, array, [tree.name, path], true)]));
  const [nCells, nGenes] = matrices.get("matrix")!.shape;
  checkCells(tree.name, nCells, tree.room);
  checkMatrices(tree.name, [...arrays.values()].reduce((sum, array) => sum + nBytesOf(array), 0), tree.room);
  const genes = attributes(tree, "row_attrs", nGenes, MOST_GENES), cells = attributes(tree, "col_attrs", nCells, MOST_CELLS);
  const geneNames = [...GENE_NAMES, ...genes.keys()].find((name) => genes.has(name));
  if (geneNames === undefined) throw new FileFormatError(`${tree.name} has no names of genes among its row attributes.`);
  const { keepV, warnings } = chooseFeatures(genes, tree.name);
  const cellColumn = CELL_NAMES.find((name) => cells.has(name));
  const cellNames = cellColumn === undefined ? Array.from({ length: nCells }, (_, cell) => String(cell)) : cells.get(cellColumn)!;
  if (cellColumn !== undefined) cells.delete(cellColumn);
  const columns = new Map([["index", genes.get(geneNames)!], ...genes]);
  return new StoredSource(tree.name, {
    format: "loom",
    matrices: new Map([...matrices].map(([label, matrix]) => [label, someGenes(matrix, keepV)])),
    cells: cellNames,
    genes: new Map([...columns].map(([name, values]) => [name, keptOf(values, keepV)])),
    obs: cells,
    warnings,
    release: () => tree.close(),
  });
}

// The matrix and those layers that were written, by their paths.
function arraysOf(tree: Tree): Map<string, StoredArray> {
  const names = orderMatrices(["X", ...tree.names("layers").map((name) => `layers/${name}`)]);
  const found = new Map<string, StoredArray>();
  for (const path of names.map((name) => (name === "X" ? "matrix" : name))) {
    const array = tree.array(path);
    if (array !== null && (path === "matrix" || !tree.isUnwritten(array))) found.set(path, array);
  }
  return found;
}

// Attributes that are lists of text with an entry for each gene or cell.
function attributes(tree: Tree, group: string, length: number, limit: number): Map<string, string[]> {
  if (length > limit) throw new FileFormatError(`${tree.name} declares ${comma(length)} in '${group}', more than ${comma(limit)}.`);
  checkTable(tree.name, group, length, tree.names(group).length, tree.room);
  const found = new Map<string, string[]>();
  for (const name of tree.names(group)) {
    const array = tree.array(`${group}/${name}`);
    if (array === null || array.shape.length !== 1 || array.shape[0] !== length || !"OS".includes(array.dtype.kind)) continue;
    const values = tree.read(array, `${group}/${name}`);
    if (!isNested(values)) found.set(name, textOf(values));
  }
  return found;
}
