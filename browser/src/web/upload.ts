// Receiving what a visitor chose: one file, or a matrix with the files that name its genes and cells.

import { FileFormatError } from "../base/errors.ts";
import { len, strip } from "../base/text.ts";
import type { Bytes, Upload } from "../io/bytes.ts";
import { NamedBytes } from "../io/packed_bytes.ts";
import { sniff } from "../io/sniff.ts";
import { isZip } from "../io/unpack.ts";
import { partMatrix } from "./matrix_files.ts";
import { Refusal } from "./refusal.ts";

export const LONGEST_NAME = 120;
export const MOST_PARTS = 20;

// What is to be opened, by the visitor's names of the files, with folders before them or not.
export function receive(files: readonly [string, Bytes][]): Upload {
  if (!files.length) throw new Refusal(400, "The request holds no file. Send one in the field 'file'.");
  if (files.length > MOST_PARTS) {
    throw new Refusal(400, `The request has more than ${MOST_PARTS} parts. Send one file, or one matrix with its files of names.`);
  }
  if (files.length > 1) {
    const { name, files: parts } = partMatrix(files);
    return { name: shownName(name), files: parts };
  }
  const [[told, bytes]] = files, name = shownName(told), file = new NamedBytes(name, bytes);
  checkKind(file);
  return { name, files: new Map([[name, file]]) };
}

// Refuses by its first bytes a file that can't be one of cells. Archives are looked into when they are opened.
export function checkKind(file: Bytes): void {
  if (isZip(file)) return;
  try {
    sniff(file);
  } catch (error) {
    if (!(error instanceof FileFormatError)) throw error;
    throw new Refusal(415, error.message);
  }
}

// A visitor's file name fit to be shown: no folders, no control characters, not too long.
export function shownName(name: string): string {
  const last = name.replaceAll("\\", "/").split("/").at(-1)!;
  const shown = strip(last.replace(/[\p{C}\p{Z}]/gu, (sign) => (sign === " " ? sign : "")));
  if (len(shown) <= LONGEST_NAME) return shown || "cells";
  const letters = Array.from(shown);
  return `${letters.slice(0, LONGEST_NAME - 20).join("")}…${letters.slice(-19).join("")}`;
}
