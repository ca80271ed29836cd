// What readers of HDF5 files ask for: arrays and attributes under paths.
// What a damaged file makes the library raise becomes a FileFormatError: `reading` stands around its calls, one by one,
// so that a fault of our own is never taken for the file's. Nothing here knows what the arrays mean.

import { FileFormatError } from "../../base/errors.ts";
import type { Holds } from "./room.ts";
import { checkList } from "./room.ts";
import { type Dtype, numberText, type NumberArray, type Values } from "./values.ts";

// A file that declares more than these is refused before anything is allocated.
export const MOST_CELLS = 500_000_000;
export const MOST_GENES = 1_000_000;
export const MOST_CHUNK_BYTES = 2 ** 30;

export interface StoredGroup {
  readonly path: string;
  readonly group: true;
}

export interface StoredArray {
  // Path of the array itself, without links.
  readonly path: string;
  readonly group: false;
  readonly shape: readonly number[];
  readonly chunks: readonly number[] | null;
  readonly dtype: Dtype;
  // Names of the columns of a compound array.
  readonly fields: readonly string[];
}

export type StoredNode = StoredGroup | StoredArray;

// An attribute: no shape where it is empty, [] where it is one value.
export interface Attribute {
  shape: readonly number[] | null;
  dtype: Dtype;
  values: NumberArray | (string | null)[];
}

export abstract class Tree {
  // How messages call the file.
  abstract readonly name: string;
  // How many bytes it takes.
  abstract readonly room: Holds;

  // Array or group at a path ("raw/var"; "" is the root), checked; null where there is none.
  abstract node(path: string): StoredNode | null;

  // Names of the members of the group at a path, sorted; empty if there is no such group.
  abstract names(path: string): string[];

  // How many chunks of an array are not stored.
  abstract nMissingChunks(array: StoredArray): number;

  // Whether an array was declared and nothing was ever put into it.
  abstract isUnwritten(array: StoredArray): boolean;

  // Attribute of the node at a path; null where there is none.
  abstract attribute(path: string, name: string): Attribute | null;

  // Some numbers of a list.
  abstract slice(array: StoredArray, start: number, stop: number): NumberArray;

  // A rectangle of numbers of an array of two axes, row by row.
  abstract rectangle(array: StoredArray, rows: [number, number], columns: [number, number]): NumberArray;

  protected abstract whole(array: StoredArray): Values;

  // One column of a compound array.
  abstract field(array: StoredArray, name: string): Values;

  // All of an array; path is how messages call it.
  read(array: StoredArray, path: string): Values {
    checkList(this.name, path, nBytesOf(array), this.room);
    return reading(this.name, `'${path}'`, () => this.whole(array));
  }

  // Array at a path, or null where there is none or a group.
  array(path: string): StoredArray | null {
    const node = this.node(path);
    return node === null || node.group ? null : node;
  }

  abstract close(): void;
}

// Bytes that an array declares to unpack to; pieces of text of any length count as 8.
export function nBytesOf(array: StoredArray): number {
  return array.shape.reduce((product, side) => product * side, 1) * array.dtype.size;
}

// The text of an attribute that is one, null of others.
export function wordOf(attribute: Attribute | null): string | null {
  if (attribute === null || attribute.shape?.length !== 0) return null;
  const [value] = attribute.values;
  return typeof value === "string" ? value : null;
}

// Names as strings: numbers are written out, missing ones are empty. The character NUL, which few formats can hold, is dropped.
export function text(values: ArrayLike<string | null>): string[] {
  return Array.from(values, (word) => (word === null ? "" : word.includes("\0") ? word.replaceAll("\0", "") : word));
}

export function textOf({ dtype, values }: Values): string[] {
  if (Array.isArray(values)) return text(values);
  return Array.from(values as ArrayLike<number>, (value) => numberText(value, dtype));
}

// Whether an array holds arrays; these are no names.
export function isNested({ dtype, values }: Values): boolean {
  return dtype.nested && values.length > 0;
}

// Does what asks a library for a part of a file.
export function reading<T>(name: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    const { message, name: kind } = error as Error;
    throw damaged(name, what, message.split(/\s+/).filter(Boolean).join(" ") || kind);
  }
}

// Error about a part of a file that can't be what it should be.
export function damaged(name: string, what: string, reason: string): FileFormatError {
  return new FileFormatError(
    `${name}: ${what} can't be read, the file is damaged or cut short (${reason.slice(0, 200)}). ` +
    "Get a fresh copy or write the file again.",
  );
}
