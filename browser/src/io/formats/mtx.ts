// Matrix Market files with their side files: 10x folders, STARsolo, kallisto, alevin, GEO, the Expression Atlas.

import { FileFormatError } from "../../base/errors.ts";
import type { Bytes, Upload } from "../bytes.ts";
import { checkCells, holds } from "../storage/room.ts";
import { StoredSource } from "../storage/stored.ts";
import { chooseFeatures, keptOf, someGenes } from "./features.ts";
import { type Header, MtxMatrix, readHeader } from "./mtxfile.ts";
import { genesLieFirst } from "./orient.ts";
import { findSideFiles, type Kind, readSideFile } from "./sidefiles.ts";

interface Names {
  // Columns about cells, and about genes.
  cells: string[][];
  genes: string[][];
  genesOnRows: boolean;
}

// Cells of a Matrix Market file, with the names in the files beside it.
export function openMtx(file: Bytes, beside: readonly Bytes[], format = "Matrix Market"): StoredSource {
  const { name } = file;
  const header = readHeader(file);
  const { cells, genes, genesOnRows } = namesOf(file, beside, header);
  const matrix = new MtxMatrix(file, header, genesOnRows);
  const columns = new Map([["index", genes[Math.min(1, genes.length - 1)]]]);
  if (genes.length > 1) columns.set("gene_ids", genes[0]);
  // the kind is the third column of 10x, the fourth where places are told too
  const told = genes.map((column, place): [string, string[]] => [String(place), column]);
  const chosen = chooseFeatures(new Map([...columns, ...told]), name);
  return new StoredSource(name, {
    format,
    matrices: new Map([["matrix", someGenes(matrix, chosen.keepV)]]),
    cells: cells[0],
    genes: new Map(Array.from(columns, ([column, values]) => [column, keptOf(values, chosen.keepV)])),
    warnings: chosen.warnings,
  });
}

// Cells of a folder as 10x writes it: matrix.mtx, features.tsv or genes.tsv, barcodes.tsv.
export function openFolder(upload: Upload): StoredSource {
  const beside = Array.from(upload.files).filter(([path]) => !path.includes("/")).map(([, file]) => file);
  const found = beside.filter(({ name }) => /\.mtx(\.gz)?$/i.test(name)).sort((one, other) => (one.name < other.name ? -1 : 1));
  const named = found.filter(({ name }) => name === "matrix.mtx" || name === "matrix.mtx.gz");
  const matrices = named.length ? named : found;
  if (matrices.length === 1) return openMtx(matrices[0], beside, "10x folder");
  if (found.length) {
    const listed = found.slice(0, 5).map(({ name }) => name).join(", ");
    throw new FileFormatError(`${upload.name} holds ${found.length} matrices (${listed}): give one of them.`);
  }
  const inner = [...upload.files.keys()].filter((path) => /^[^/]+\/(?:[^/]+\/)?matrix\.mtx[^/]*$/.test(path)).map((path) => path.slice(0, path.lastIndexOf("/")));
  const hint = inner.length ? `give ${upload.name}/${inner.sort()[0]} instead` : "give the folder that holds matrix.mtx";
  throw new FileFormatError(`${upload.name} is a folder without a matrix (matrix.mtx or matrix.mtx.gz): ${hint}.`);
}

function namesOf(file: Bytes, beside: readonly Bytes[], header: Header): Names {
  const files = findSideFiles(file, beside);
  const longest = Math.max(header.nRows, header.nColumns);
  checkCells(file.name, longest, holds([file, ...new Set(files.values())]), "rows or columns");
  if (files.has("genes") || files.has("cells")) return named(file, header, files);
  const [rows, columns] = [files.get("rows"), files.get("columns")];
  if (rows === undefined || columns === undefined) throw missing(file, "genes");
  const ofRows = read(rows, header.nRows, "rows", file);
  const ofColumns = read(columns, header.nColumns, "columns", file);
  const onRows = genesLieFirst(ofRows[0], ofColumns[0]);
  return onRows === false ? { cells: ofRows, genes: ofColumns, genesOnRows: false } : { cells: ofColumns, genes: ofRows, genesOnRows: true };
}

function named(file: Bytes, header: Header, files: ReadonlyMap<Kind, Bytes>): Names {
  const [ofGenes, ofCells] = [files.get("genes"), files.get("cells")];
  if (ofGenes === undefined) throw missing(file, "genes");
  if (ofCells === undefined) throw missing(file, "cells");
  for (const genesOnRows of [true, false]) {
    const [nGenes, nCells] = genesOnRows ? [header.nRows, header.nColumns] : [header.nColumns, header.nRows];
    const genes = readSideFile(ofGenes, nGenes);
    const cells = readSideFile(ofCells, nCells);
    if (genes !== null && cells !== null) return { cells, genes, genesOnRows };
  }
  throw new FileFormatError(
    `${file.name} is ${header.nRows} x ${header.nColumns}, which doesn't fit the numbers of names in ` +
    `${ofGenes.name} and ${ofCells.name}. Give the files that belong together.`,
  );
}

function read(side: Bytes, length: number, what: string, file: Bytes): string[][] {
  const columns = readSideFile(side, length);
  if (columns === null) throw new FileFormatError(`${side.name} doesn't name the ${length} ${what} of ${file.name}.`);
  return columns;
}

function missing(file: Bytes, kind: "genes" | "cells"): FileFormatError {
  const wanted = { genes: "features.tsv or genes.tsv", cells: "barcodes.tsv" }[kind];
  return new FileFormatError(`${file.name} has no file with the names of its ${kind} beside it (${wanted}, .gz or not).`);
}
