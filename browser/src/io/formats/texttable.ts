// The numbers of a table of text, read line by line; which side holds genes is not known here.

import { end, plainNumber } from "../../base/digits.ts";
import { FileFormatError } from "../../base/errors.ts";
import { head, strip } from "../../base/text.ts";
import type { Bytes } from "../bytes.ts";
import type { Entries } from "../storage/bands.ts";
import { lines, pieces } from "../storage/lines.ts";
import { text } from "../storage/tree.ts";
import { type Layout, number, split } from "./textlayout.ts";

// Lines of so many characters are looked at together where one of them is at fault.
const CHARACTERS_AT_ONCE = 1 << 23;
const ENTRIES_AT_ONCE = 1 << 19;
const NEW_LINE = 10, SPACE = 32, QUOTE = 34, ZERO = 48;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// A table of text: where it is, how it is laid out, what its rows and columns are called.
export class Table {
  constructor(
    readonly file: Bytes,
    readonly layout: Layout,
    readonly rowNames: string[],
    // Positions of the columns of counts.
    readonly counts: readonly number[],
    // Columns of words.
    readonly words: ReadonlyMap<string, string[]>,
  ) {}

  // Names of the columns of counts.
  get columnNames(): string[] {
    return text(this.counts.map((place) => this.layout.heading[place]));
  }

  // What rows of words say about the columns of counts, by the names of the rows.
  get told(): Map<string, string[]> {
    const shift = Number(this.layout.namesFirst);
    return new Map(this.layout.told.map((row, place) => [shift ? row[0] : `row ${place}`, text(this.counts.map((at) => row[at + shift] ?? ""))]));
  }

  // Rows, columns and values that aren't zero, rows from first to last, in room that the next ones get.
  entries(): Generator<Entries> {
    return new Numbers(this).entries();
  }
}

// Reads the numbers of a table once.
class Numbers {
  // Column of counts of each field, -1 of others.
  private readonly columnOf: Int32Array;
  private readonly delimiter: number;
  // Whether lines without their names are numbers throughout.
  private readonly whole: boolean;
  private readonly rows: Int32Array;
  private readonly columns: Int32Array;
  private readonly values: Float32Array;
  private n = 0;
  // Behind the next quote in the lines that are read.
  private quote = -1;

  constructor(private readonly table: Table) {
    const { layout, counts } = table, shift = Number(layout.namesFirst);
    this.columnOf = new Int32Array(layout.nFields).fill(-1);
    counts.forEach((place, column) => (this.columnOf[place + shift] = column));
    this.delimiter = layout.delimiter.charCodeAt(0);
    this.whole = layout.namesFirst && counts.length === layout.nFields - 1;
    const room = Math.max(ENTRIES_AT_ONCE, counts.length);
    this.rows = new Int32Array(room);
    this.columns = new Int32Array(room);
    this.values = new Float32Array(room);
  }

  *entries(): Generator<Entries> {
    const { file, layout, counts } = this.table;
    let nLines = 0, row = 0, batch = layout.first, size = 0;
    for (const piece of pieces(file)) {
      this.quote = -1;
      for (let start = 0; start < piece.length;) {
        const stop = piece.indexOf(NEW_LINE, start), from = start;
        nLines += 1;
        start = stop + 1;
        if (nLines <= layout.first || isBlank(piece, from, stop)) continue;
        if (this.n + counts.length > this.values.length) yield this.taken();
        if (!this.line(piece, from, stop, row)) throw refused(this.table, batch);
        row += 1;
        size += stop - from;
        if (size > CHARACTERS_AT_ONCE) [batch, size] = [nLines, 0];
      }
    }
    yield this.taken();
  }

  private taken(): Entries {
    const { n } = this;
    this.n = 0;
    return [this.rows.subarray(0, n), this.columns.subarray(0, n), this.values.subarray(0, n)];
  }

  // Whether a line has as many fields as it should, with numbers where they belong.
  private line(bytes: Uint8Array, start: number, stop: number, row: number): boolean {
    let at = start;
    if (this.whole) {
      at = afterName(bytes, start, stop, this.delimiter);
      if (at < 0) return this.quoted(bytes, start, stop, row);
    }
    if (this.quote <= at) this.quote = bytes.indexOf(QUOTE, at) + 1 || Infinity;
    if (this.quote <= stop) return this.quoted(bytes, start, stop, row);
    return this.fields(bytes, at, stop, row, Number(this.whole));
  }

  private fields(bytes: Uint8Array, start: number, stop: number, row: number, first: number): boolean {
    const { columnOf, delimiter, rows, columns, values } = this, commas = this.table.layout.decimalComma;
    let n = this.n, field = first;
    for (let at = start; at <= stop; at += 1, field += 1) {
      const column = columnOf[field];
      if (column === undefined) return false;
      if (column < 0) {
        while (at < stop && bytes[at] !== delimiter) at += 1;
        continue;
      }
      // most are zero
      if (bytes[at] === ZERO && bytes[at + 1] === delimiter) {
        at += 1;
        continue;
      }
      let value = plainNumber(bytes, at, stop, commas);
      if (value !== value || (end < stop && bytes[end] !== delimiter)) {
        const first = at;
        while (at < stop && bytes[at] !== delimiter) at += 1;
        const written = number(decoder.decode(bytes.subarray(first, at)), commas);
        if (written === null) return false;
        value = written;
      } else {
        at = end;
      }
      if (value !== 0) {
        rows[n] = row;
        columns[n] = column;
        values[n] = value;
        n += 1;
      }
    }
    this.n = n;
    return field === columnOf.length;
  }

  // A line whose numbers may be quoted.
  private quoted(bytes: Uint8Array, start: number, stop: number, row: number): boolean {
    const { layout } = this.table, line = decoder.decode(bytes.subarray(start, stop));
    const fields = this.whole ? ["", ...split(cutName(line, layout.delimiter)[1], layout.delimiter)] : split(line, layout.delimiter);
    if (fields.length !== layout.nFields || widthOf(line, layout) !== layout.nFields) return false;
    let n = this.n;
    for (let field = 0; field < fields.length; field += 1) {
      const column = this.columnOf[field];
      if (column < 0) continue;
      const value = number(fields[field], layout.decimalComma);
      if (value === null) return false;
      if (value === 0) continue;
      this.rows[n] = row;
      this.columns[n] = column;
      this.values[n++] = value;
    }
    this.n = n;
    return true;
  }
}

// Says what is wrong with the lines behind so many: first whether their numbers of fields are.
function refused(table: Table, nBefore: number): FileFormatError {
  const { file, layout } = table, places: number[] = [], batch: string[] = [];
  let place = 0, size = 0;
  for (const line of lines(file)) {
    place += 1;
    if (place <= nBefore || !strip(line)) continue;
    batch.push(line);
    places.push(place);
    size += line.length;
    if (size > CHARACTERS_AT_ONCE) break;
  }
  for (let i = 0; i < batch.length; i += 1) {
    const width = widthOf(batch[i], layout);
    if (width !== layout.nFields) return wrongWidth(table, places[i], width);
  }
  return badField(table, batch, places) ?? new FileFormatError(`${file.name}: lines ${places[0]} to ${places[places.length - 1]} can't be read as numbers.`);
}

// Fields of a line; counting delimiters is enough unless there are quotes.
function widthOf(line: string, { delimiter, nFields }: Layout): number {
  const width = line.split(delimiter).length;
  return width !== nFields && line.includes('"') ? split(line, delimiter).length : width;
}

const wrongWidth = ({ file, layout }: Table, place: number, width: number) =>
  new FileFormatError(`${file.name}: line ${place} has ${width} fields, ${layout.nFields} were expected. Mend the line, or write the table again.`);

function badField(table: Table, batch: string[], places: number[]): FileFormatError | null {
  const { file, layout, counts } = table;
  for (let i = 0; i < batch.length; i += 1) {
    const fields = split(batch[i], layout.delimiter);
    // some of the delimiters that were counted are quoted
    if (fields.length !== layout.nFields) return wrongWidth(table, places[i], fields.length);
    for (const place of counts) {
      const field = fields[place + Number(layout.namesFirst)];
      if (number(field, layout.decimalComma) !== null) continue;
      const what = strip(field) ? `holds '${head(field, 40)}'` : "is empty";
      return new FileFormatError(
        `${file.name}: line ${places[i]}, column '${layout.heading[place]}' ${what} where a number is needed. Write 0 where nothing was counted.`,
      );
    }
  }
  return null;
}

// First field of a line without its quotes, and the rest.
export function cutName(line: string, delimiter: string): [string, string] {
  const quoted = line.startsWith('"') ? /^"((?:[^"]|"")*)"/.exec(line) : null;
  if (quoted && ["", delimiter].includes(line.slice(quoted[0].length)[0] ?? "")) {
    return [strip(quoted[1].replaceAll('""', '"')), line.slice(quoted[0].length + 1)];
  }
  const at = line.indexOf(delimiter);
  return at < 0 ? [strip(line), ""] : [strip(line.slice(0, at)), line.slice(at + 1)];
}

// First field of a line of bytes without its quotes.
export function nameOf(bytes: Uint8Array, start: number, stop: number, delimiter: string): string {
  const after = afterName(bytes, start, stop, delimiter.charCodeAt(0));
  if (after < 0) return cutName(decoder.decode(bytes.subarray(start, stop)), delimiter)[0];
  const quotes = Number(bytes[start] === QUOTE);
  const ends = after > stop ? stop : after - 1;
  return strip(decoder.decode(bytes.subarray(start + quotes, ends - quotes)));
}

// Fields of a line of bytes that stand in columns of words.
export function fieldsAt(bytes: Uint8Array, start: number, stop: number, { delimiter, namesFirst, words }: Layout): string[] {
  const line = bytes.subarray(start, stop), places = words.map((place) => place + Number(namesFirst));
  if (line.includes(QUOTE)) {
    const fields = split(decoder.decode(line), delimiter);
    return places.map((place) => strip(fields[place] ?? ""));
  }
  const mark = delimiter.charCodeAt(0), found = places.map(() => "");
  for (let at = 0, field = 0, next = 0; at <= line.length && next < places.length; field += 1) {
    const end = line.indexOf(mark, at), last = end < 0 ? line.length : end;
    if (field === places[next]) found[next++] = strip(decoder.decode(line.subarray(at, last)));
    at = last + 1;
  }
  return found;
}

// Where a line of bytes goes on behind its name; behind its end if there is nothing more, -1 where quotes need a closer look.
function afterName(bytes: Uint8Array, start: number, stop: number, delimiter: number): number {
  const quoted = bytes[start] === QUOTE;
  let at = start;
  if (quoted) {
    at = bytes.indexOf(QUOTE, start + 1) + 1;
    return at === 0 || at > stop || (at < stop && bytes[at] !== delimiter) ? -1 : at + 1;
  }
  while (at < stop && bytes[at] !== delimiter) at += 1;
  return at + 1;
}

// Whether a line holds nothing but spaces.
export function isBlank(bytes: Uint8Array, start: number, stop: number): boolean {
  for (let i = start; i < stop; i += 1) {
    const byte = bytes[i];
    if (byte > 127) return !strip(decoder.decode(bytes.subarray(i, stop)));
    if (byte > SPACE || byte < 9 || (byte > 13 && byte < 28)) return false;
  }
  return true;
}
