// What a file declares, compared with its bytes before memory is set aside or anything is looped over.
// A few kilobytes can declare any number of cells. How large an honest file may be is not known here; what a byte can
// hold is. A named cell takes more than a byte however well it is packed, and gzip packs at most 1,032 bytes into one.

import { FileFormatError } from "../../base/errors.ts";
import { comma } from "../../base/words.ts";

// Says whether a file takes at least so many bytes.
export type Holds = (nBytes: number) => boolean;

// Bytes of matrices for each byte of the file: more than gzip can pack.
export const MOST_RATIO = 1100;
// Bytes of one list of names or codes for each byte of the file: more than counts leave room for.
export const LIST_RATIO = 100;
// Values of one table about cells or genes for each byte of the file.
export const VALUES_PER_BYTE = 16;

// Bytes or values that are read whatever the file's size: this costs a second or two.
const SMALL_MATRIX = 2 ** 30, SMALL_LIST = 1 << 26, SMALL_TABLE = 1 << 22;

// Makes the question of how many bytes some files take together.
export function holds(files: Iterable<{ size: number }>): Holds {
  let size = 0;
  for (const file of files) size += file.size;
  return (nBytes) => nBytes <= size;
}

// Refuses a file that declares more cells than it has bytes.
export function checkCells(name: string, nCells: number, room: Holds, what = "cells"): void {
  if (room(nCells)) return;
  throw new FileFormatError(
    `${name} declares ${comma(nCells)} ${what}, more than it has bytes, so it was never filled or is damaged. ` +
    "Get a fresh copy or write the file again.",
  );
}

// Refuses a table with more values than the file has room for.
export function checkTable(name: string, path: string, nRows: number, nColumns: number, room: Holds): void {
  const nValues = nRows * nColumns;
  if (nValues <= SMALL_TABLE || room(Math.floor(nValues / VALUES_PER_BYTE))) return;
  throw new FileFormatError(
    `${name}: '${path}' declares ${comma(nRows)} rows of ${comma(nColumns)} columns, more than its bytes can hold. ` +
    "Get a fresh copy or write the file again.",
  );
}

// Refuses a list that unpacks to far more bytes than the file has.
export function checkList(name: string, path: string, nBytes: number, room: Holds): void {
  if (nBytes > SMALL_LIST && !room(Math.floor(nBytes / LIST_RATIO))) throw unpacksToTooMuch(name, `'${path}' unpacks`, LIST_RATIO);
}

// Refuses matrices that unpack to more bytes together than could be packed into the file.
export function checkMatrices(name: string, nBytes: number, room: Holds): void {
  if (nBytes > SMALL_MATRIX && !room(Math.floor(nBytes / MOST_RATIO))) throw unpacksToTooMuch(name, "its matrices unpack", MOST_RATIO);
}

function unpacksToTooMuch(name: string, what: string, ratio: number): FileFormatError {
  return new FileFormatError(
    `${name}: ${what} to more than ${comma(ratio)} times the bytes of the file, so it was never filled or is damaged. ` +
    "Get a fresh copy or write the file again.",
  );
}
