// Several files that are one data set: a Matrix Market file with the files that name its genes and cells.
// They get names of ours, those that the reader looks for; what a visitor calls them decides only what each is.

import { FileFormatError } from "../base/errors.ts";
import type { Bytes, Upload } from "../io/bytes.ts";
import { type Kind, sideNames } from "../io/formats/sidefiles.ts";
import { NamedBytes } from "../io/packed_bytes.ts";
import { sniff } from "../io/sniff.ts";
import { Refusal } from "./refusal.ts";

export const NOT_ONE =
  "Several files are taken together where they are one matrix (matrix.mtx) with the files that name its genes and " +
  "cells (features.tsv or genes.tsv, barcodes.tsv). Send other files one by one.";
const OURS: Record<Kind, string> = { genes: "features", cells: "barcodes", rows: "mtx_rows", columns: "mtx_cols" };

// Parts a matrix from the files of names that came with it, each by its first bytes a file of its kind; told are the
// visitor's name of each, with folders before it or not. The name to show is that of the visitor's folder, or else of the
// matrix.
export function partMatrix(told: readonly [string, Bytes][]): Upload {
  const places = told.map(([name]) => name.replaceAll("\\", "/").split("/").filter((part) => part && part !== "."));
  const names = places.map((place) => place.at(-1) ?? "");
  const matrices = names.filter((name) => /\.mtx(\.gz)?$/i.test(name));
  if (matrices.length !== 1 || new Set(names.map((name) => name.toLowerCase())).size < names.length) throw new Refusal(400, NOT_ONE);
  const kindOf = new Map(Array.from(sideNames(matrices[0], [...names].sort()), ([kind, name]) => [name, kind]));
  const files = new Map<string, Bytes>();
  // the last is looked at first, as the server does it
  for (let place = told.length - 1; place >= 0; place -= 1) {
    const name = names[place], kind = kindOf.get(name);
    const ours = name === matrices[0] ? "matrix.mtx" : kind === undefined ? null : `${OURS[kind]}.tsv`;
    if (ours === null) continue;
    const path = name.toLowerCase().endsWith(".gz") ? `${ours}.gz` : ours;
    files.set(path, checked(new NamedBytes(path, told[place][1]), name));
  }
  const parents = new Set(places.map((place) => place.slice(0, -1).join("/")));
  const folder = places[0].at(-2);
  return { name: parents.size === 1 && folder !== undefined ? folder : matrices[0], files };
}

function checked(file: Bytes, name: string): Bytes {
  try {
    sniff(file);
  } catch (error) {
    if (!(error instanceof FileFormatError)) throw error;
    throw new Refusal(415, error.message.replaceAll(file.name, name));
  }
  return file;
}
