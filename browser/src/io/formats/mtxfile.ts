// A Matrix Market file by itself: its header and its entries, without names.

import { end, plainNumber } from "../../base/digits.ts";
import { FileFormatError } from "../../base/errors.ts";
import { fieldsOf, toFloat } from "../../base/floats.ts";
import { head, strip } from "../../base/text.ts";
import { comma } from "../../base/words.ts";
import type { Bytes } from "../bytes.ts";
import type { Entries } from "../storage/bands.ts";
import { lines, pieces, shortLines } from "../storage/lines.ts";
import { ENTRIES_AT_ONCE } from "../storage/matrix.ts";
import { holds } from "../storage/room.ts";
import { TextMatrix } from "../storage/text_matrix.ts";
import { MOST_CELLS, MOST_GENES } from "../storage/tree.ts";

// Entries for each byte of a file, at most: packed ones take a byte or more.
export const ENTRIES_PER_BYTE = 8;

const HEADER_LINE = 1 << 16;
const ROOM = 1 << 18;
const TAB = 9, NEW_LINE = 10, SPACE = 32, ZERO = 48;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// First lines of a Matrix Market file.
export interface Header {
  nRows: number;
  nColumns: number;
  nEntries: number;
  // Entries without values, each standing for 1.
  pattern: boolean;
  // Lines before the first entry.
  nLines: number;
}

// Entries of a Matrix Market file, seen as cells x genes.
export class MtxMatrix extends TextMatrix {
  readonly nEntries: number;

  constructor(private readonly path: Bytes, private readonly header: Header, private readonly genesOnRows: boolean) {
    super(genesOnRows ? [header.nColumns, header.nRows] : [header.nRows, header.nColumns], [path.name, "matrix"]);
    this.nEntries = header.nEntries;
  }

  *entries(): Generator<Entries> {
    for (const [row, column, value] of readEntries(this.path, this.header)) {
      yield this.genesOnRows ? [column, row, value] : [row, column, value];
    }
  }
}

// Sizes that a Matrix Market file declares.
export function readHeader(file: Bytes): Header {
  const { name } = file, refuse = (what: string) => new FileFormatError(name + what);
  const found = shortLines(file, HEADER_LINE), next = () => (found.next().value as string | undefined) ?? "";
  const first = fieldsOf(next().toLowerCase());
  if (first[0] !== "%%matrixmarket" || first[1] !== "matrix" || first.length < 5) {
    throw refuse(" is no Matrix Market file: its first line must begin with %%MatrixMarket.");
  }
  if (first[2] !== "coordinate" || !["real", "integer", "pattern"].includes(first[3]) || first[4] !== "general") {
    throw refuse(
      ` is a Matrix Market file of the kind '${first.slice(2, 5).join(" ")}'; needed is 'coordinate', ` +
      "with 'integer', 'real' or 'pattern', and 'general'.",
    );
  }
  let nLines = 1, line = "%";
  while (line.startsWith("%") || (line && !strip(line))) {
    line = next();
    nLines += 1;
  }
  const sizes = fieldsOf(line);
  if (sizes.length !== 3 || !sizes.every((size) => /^\d{1,18}$/.test(size))) {
    throw refuse(`: line ${nLines} must give the numbers of rows, columns and entries.`);
  }
  const [nRows, nColumns, nEntries] = sizes.map(Number);
  const [saidRows, saidColumns, saidEntries] = sizes.map((size) => comma(BigInt(size)));
  if (Math.max(nRows, nColumns) > MOST_CELLS || Math.min(nRows, nColumns) > MOST_GENES) {
    throw refuse(`: line ${nLines} declares ${saidRows} x ${saidColumns}, which is too much.`);
  }
  if (nEntries > Math.max(nRows * nColumns, ENTRIES_AT_ONCE) || !holds([file])(Math.floor(nEntries / ENTRIES_PER_BYTE))) {
    throw refuse(`: its header promises ${saidEntries} entries, more than it can hold. It is cut short or damaged: get a fresh copy.`);
  }
  return { nRows, nColumns, nEntries, pattern: first[3] === "pattern", nLines };
}

// Rows, columns (from 0) and values, some lines at a time, in room that the next ones get.
export function* readEntries(file: Bytes, header: Header): Generator<Entries> {
  const reader = new EntryReader(header);
  let nRead = 0, nLines = 0;
  for (const piece of pieces(file)) {
    let start = 0;
    for (; nLines < header.nLines && start < piece.length; nLines += 1) start = piece.indexOf(NEW_LINE, start) + 1;
    while (start < piece.length) {
      start = reader.read(piece, start);
      if (start < 0) throw new FileFormatError(firstBadLine(file, header) ?? `${file.name} is no matrix (a line can't be read as numbers).`);
      nRead += reader.n;
      yield reader.taken();
    }
  }
  if (nRead !== header.nEntries) {
    throw new FileFormatError(
      `${file.name}: its header promises ${comma(header.nEntries)} entries, ${comma(nRead)} are there. It is cut short or damaged: get a fresh copy.`,
    );
  }
}

// Reads entries up to as many as there is room for.
class EntryReader {
  n = 0;
  private readonly rows = new Int32Array(ROOM);
  private readonly columns = new Int32Array(ROOM);
  private readonly values = new Float32Array(ROOM);

  constructor(private readonly header: Header) {}

  taken(): Entries {
    return [this.rows.subarray(0, this.n), this.columns.subarray(0, this.n), this.values.subarray(0, this.n)];
  }

  // Where the lines go on that weren't read; -1 where one is no entry.
  read(bytes: Uint8Array, start: number): number {
    const { rows, columns, values } = this, { nRows, nColumns, pattern } = this.header;
    let n = 0, at = start;
    while (at < bytes.length && n < ROOM) {
      const line = at;
      let row = 0, column = 0, value = 1, plain = true, digit = bytes[at] - ZERO;
      for (; digit >= 0 && digit <= 9; digit = bytes[at += 1] - ZERO) row = row * 10 + digit;
      plain = at > line && at - line < 16 && (bytes[at] === SPACE || bytes[at] === TAB);
      const second = at += 1;
      digit = bytes[at] - ZERO;
      for (; digit >= 0 && digit <= 9; digit = bytes[at += 1] - ZERO) column = column * 10 + digit;
      plain = plain && at > second && at - second < 16;
      if (plain && !pattern) {
        plain = bytes[at] === SPACE || bytes[at] === TAB;
        digit = bytes[at + 1] - ZERO;
        if (digit >= 0 && digit <= 9 && bytes[at + 2] === NEW_LINE) {
          value = digit;
          at += 2;
        } else {
          value = plainNumber(bytes, at + 1, bytes.length, false);
          at = end;
          plain = plain && value === value;
        }
      }
      if (!plain || bytes[at] !== NEW_LINE) {
        const stop = bytes.indexOf(NEW_LINE, line), fields = fieldsOf(decoder.decode(bytes.subarray(line, stop)));
        at = stop;
        if (fields.length && !isEntry(fields, pattern)) return -1;
        [row, column] = fields.map(Number);
        value = pattern || !fields.length ? 1 : toFloat(fields[2])!;
        if (!fields.length) {
          at += 1;
          continue;
        }
      }
      at += 1;
      if (row < 1 || row > nRows || column < 1 || column > nColumns) return -1;
      rows[n] = row - 1;
      columns[n] = column - 1;
      values[n] = value;
      n += 1;
    }
    this.n = n;
    return at;
  }
}

// Whether a reader of numbers takes the fields; it is stricter with values and laxer with places than Python's own types.
function isEntry(fields: string[], pattern: boolean): boolean {
  if (fields.length !== (pattern ? 2 : 3) || !fields.slice(0, 2).every((field) => /^[+-]?\d+$/.test(field))) return false;
  return pattern || (!fields[2].includes("_") && toFloat(fields[2]) !== null);
}

// Says what is wrong with the first line that is no entry.
function firstBadLine(file: Bytes, header: Header): string | null {
  const nFields = header.pattern ? 2 : 3;
  let number = 0;
  for (const line of lines(file)) {
    number += 1;
    const fields = number <= header.nLines ? [] : fieldsOf(line);
    if (!fields.length) continue;
    const where = `${file.name}: line ${number}, '${head(strip(line), 60)}',`;
    if (fields.length !== nFields || !areNumbers(fields)) {
      return `${where} must be ${nFields} numbers: row, column${header.pattern ? "" : " and value"}.`;
    }
    const [row, column] = fields.map(Number);
    if (!(row >= 1 && row <= header.nRows && column >= 1 && column <= header.nColumns)) {
      return `${where} lies outside the matrix of ${header.nRows} x ${header.nColumns}; rows and columns are counted from 1.`;
    }
  }
  return null;
}

function areNumbers(fields: string[]): boolean {
  const last = fields[fields.length - 1];
  return !last.includes("_") && toFloat(last) !== null && fields.slice(0, 2).every((field) => /^-*\p{Nd}+$/u.test(field));
}
