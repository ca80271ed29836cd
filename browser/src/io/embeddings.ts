// Places of cells on a plane that AnnData files hold in obsm.
// Nothing of a stranger's file is believed: what is no list of finite numbers, one row a cell, is passed over.

import { FileFormatError } from "../base/errors.ts";
import { AnnDataSource } from "./formats/h5ad.ts";
import type { CellSource } from "./source.ts";
import { single } from "./storage/matrix.ts";
import { checkList } from "./storage/room.ts";
import { nBytesOf, reading, type StoredArray, type Tree } from "./storage/tree.ts";

// Maps that are read of one file.
export const MOST_MAPS = 12;
// Characters in a map's name.
export const LONGEST_NAME = 200;

const ROWS = 1 << 16;
const OURS = ["X_spoticell", "X_spoticell_map", "spoticell_probabilities"];
const FIRST = ["umap", "tsne", "spatial"];

// The first two axes of whatever a file holds in obsm, by its name there: a place for each cell, NaN where one isn't
// finite; UMAP and its like first. A file that isn't of AnnData holds none.
export function storedMaps(source: CellSource): Map<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  if (!(source instanceof AnnDataSource)) return found;
  for (const name of namesOf(source.tree).sort(byRank)) {
    if (found.size === MOST_MAPS) break;
    const places = placesOf(source, name);
    if (places !== null) found.set(name, places);
  }
  return found;
}

function namesOf(tree: Tree): string[] {
  try {
    return tree.names("obsm").filter((name) => !OURS.includes(name) && [...name].length <= LONGEST_NAME);
  } catch (error) {
    // a map less is no reason to name no cells
    if (error instanceof FileFormatError) return [];
    throw error;
  }
}

function byRank(one: string, other: string): number {
  return rank(one) - rank(other) || (one < other ? -1 : Number(one > other));
}

function rank(name: string): number {
  const word = name.toLowerCase().replaceAll("-", "").replaceAll("_", "");
  const found = FIRST.findIndex((kind) => word.includes(kind));
  return found < 0 ? FIRST.length : found;
}

// The first two axes of one member; null where these are no places.
function placesOf(source: AnnDataSource, name: string): Float32Array | null {
  const path = `obsm/${name}`;
  let places: Float32Array;
  try {
    const array = source.tree.array(path);
    if (array === null || !isUsable(array, source.nCells)) return null;
    checkList(source.name, path, nBytesOf(array), source.tree.room);
    places = read(array, path, source);
  } catch (error) {
    if (error instanceof FileFormatError) return null;
    throw error;
  }
  return spread(places) ? places : null;
}

function isUsable({ shape, dtype }: StoredArray, nCells: number): boolean {
  return shape.length === 2 && shape[0] === nCells && shape[1] >= 2 && "iuf".includes(dtype.kind);
}

function read(array: StoredArray, path: string, { tree, name, nCells }: AnnDataSource): Float32Array {
  const places = new Float32Array(nCells * 2);
  for (let start = 0; start < nCells; start += ROWS) {
    const rows = reading(name, `'${path}'`, () => tree.rectangle(array, [start, Math.min(start + ROWS, nCells)], [0, 2]));
    places.set(single(rows), start * 2);
  }
  return places;
}

// Makes places that aren't finite NaN, and says whether the others are apart.
function spread(places: Float32Array): boolean {
  const least = [Infinity, Infinity], most = [-Infinity, -Infinity];
  for (let at = 0; at < places.length; at += 2) {
    if (!Number.isFinite(places[at]) || !Number.isFinite(places[at + 1])) {
      places.fill(NaN, at, at + 2);
      continue;
    }
    for (let axis = 0; axis < 2; axis += 1) {
      least[axis] = Math.min(least[axis], places[at + axis]);
      most[axis] = Math.max(most[axis], places[at + axis]);
    }
  }
  return most[0] > least[0] || most[1] > least[1];
}
