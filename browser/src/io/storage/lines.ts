// Text files line by line, packed with gzip or not, in UTF-8 or UTF-16, with a limit on the length of a line.
// Lines are given as bytes of UTF-8, many together: numbers are read from bytes, and only names become text.

import { FileFormatError } from "../../base/errors.ts";
import { joined } from "../../base/joined.ts";
import type { Bytes } from "../bytes.ts";
import { Damage, fill, firstBytes, opened, type Stream } from "../inflate.ts";

// Bytes; a table of a million cells fits.
export const LONGEST_LINE = 1 << 27;
// Bytes for each byte of a packed file.
export const MOST_PACKED = 500;

// Bytes that are read however well they are packed.
const SMALL = 1 << 26;
const AT_ONCE = 1 << 20;
const HEAD_AT_ONCE = 1 << 13;
const NEW_LINE = 10, RETURN = 13;
const NOTHING = new Uint8Array(0);

// A file's text as UTF-8, all ends of lines made the same.
class TextReader {
  private readonly stream: Stream;
  private readonly utf16: TextDecoder | null;
  private readonly checker = new TextDecoder("utf-8", { fatal: true });
  private started = false;
  private ended = false;
  private open = false;
  private afterReturn = false;

  constructor(private readonly file: Bytes, private readonly atOnce: number) {
    this.utf16 = this.reading(() => utf16Of(file));
    this.stream = opened(file);
  }

  // The next bytes behind the rest of those before, null at the end.
  read(rest: Uint8Array = NOTHING): Uint8Array | null {
    while (!this.ended) {
      const text = this.reading(() => this.next(rest));
      if (text.length > rest.length) return text;
    }
    return null;
  }

  // Twice the rest at least, so that a long line isn't copied again and again.
  private next(rest: Uint8Array): Uint8Array {
    const before = rest.length, room = new Uint8Array(before + Math.max(before, this.atOnce));
    room.set(rest);
    let bytes = room.subarray(before, before + fill(this.stream, room, before));
    this.ended = before + bytes.length < room.length;
    if (!this.started && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
    this.started = true;
    if (this.utf16 !== null) {
      // its mark is left out by the decoder
      const text = new TextEncoder().encode(this.utf16.decode(bytes, { stream: !this.ended }));
      return joined(Uint8Array, [rest, text.subarray(0, this.oneEnd(text))]);
    }
    this.check(bytes);
    const n = this.oneEnd(bytes);
    return before ? room.subarray(0, before + n) : bytes.subarray(0, n);
  }

  // Throws unless the bytes go on as UTF-8; most are plain ASCII, which is seen at once.
  private check(bytes: Uint8Array): void {
    if (this.open || !isAscii(bytes)) {
      this.checker.decode(bytes, { stream: true });
      this.open = !isAscii(bytes.subarray(Math.max(0, bytes.length - 3)));
    }
    if (this.ended) this.checker.decode();
  }

  // Makes all ends of lines the same, in place, and says how many bytes are left.
  private oneEnd(bytes: Uint8Array): number {
    if (!this.afterReturn && bytes.indexOf(RETURN) < 0) return bytes.length;
    let n = 0, after = this.afterReturn;
    for (let i = 0; i < bytes.length; i += 1) {
      const byte = bytes[i];
      if (byte === RETURN) bytes[n++] = NEW_LINE;
      else if (byte !== NEW_LINE || !after) bytes[n++] = byte;
      after = byte === RETURN;
    }
    this.afterReturn = after;
    return n;
  }

  private reading<T>(work: () => T): T {
    const { name } = this.file;
    try {
      return work();
    } catch (error) {
      if (error instanceof Damage && error.early) throw new FileFormatError(`${name} is cut short: its gzip data end too early. Copy it again.`);
      if (error instanceof Damage) throw new FileFormatError(`${name} is a damaged gzip file (${error.message}). Copy or download it again.`);
      if (error instanceof TypeError) throw new FileFormatError(`${name} is not UTF-8 text (UnicodeDecodeError). Save it as UTF-8.`);
      throw error;
    }
  }
}

// The encoding is told by the mark at the beginning: UTF-16 as Excel writes it, else UTF-8.
function utf16Of(file: Bytes): TextDecoder | null {
  const start = firstBytes(file, 2);
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder("utf-16le", { fatal: true });
  if (start[0] === 0xfe && start[1] === 0xff) return new TextDecoder("utf-16be", { fatal: true });
  return null;
}

function isAscii(bytes: Uint8Array): boolean {
  const { length, byteOffset } = bytes, lead = Math.min(-byteOffset & 3, length), nWords = (length - lead) >> 2;
  const words = new Uint32Array(bytes.buffer, byteOffset + lead, nWords);
  let any = 0;
  for (let i = 0; i < nWords; i += 1) any |= words[i];
  any &= 0x80808080;
  for (let i = 0; i < lead; i += 1) any |= bytes[i] & 128;
  for (let i = lead + 4 * nWords; i < length; i += 1) any |= bytes[i] & 128;
  return any === 0;
}

// Whole lines of a text file together, each with its end.
export function* pieces(file: Bytes): Generator<Uint8Array> {
  const most = Math.max(SMALL, MOST_PACKED * file.size);
  const reader = new TextReader(file, AT_ONCE);
  let rest: Uint8Array = NOTHING, nRead = 0;
  for (let text = reader.read(); text !== null; text = reader.read(rest)) {
    nRead += text.length - rest.length;
    if (nRead > most) {
      throw new FileFormatError(
        `${file.name} unpacks to more than ${MOST_PACKED} times its bytes, which tables of counts don't. Get a fresh copy or write the file again.`,
      );
    }
    const end = text.lastIndexOf(NEW_LINE) + 1;
    rest = text.subarray(end);
    if (rest.length > LONGEST_LINE) {
      throw new FileFormatError(`${file.name}: line ${linesWithin(file, nRead) + 1} is too long for a table of text.`);
    }
    if (end) yield text.subarray(0, end);
  }
  if (rest.length) yield joined(Uint8Array, [rest, Uint8Array.of(NEW_LINE)]);
}

// Lines of a text file without their ends.
export function* lines(file: Bytes): Generator<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const piece of pieces(file)) {
    const found = decoder.decode(piece).split("\n");
    found.pop();
    yield* found;
  }
}

// Lines with their ends, each cut where it is too long; no more of the file is read than is asked for.
export function* shortLines(file: Bytes, longest: number): Generator<string> {
  const reader = new TextReader(file, HEAD_AT_ONCE), decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  for (let text = reader.read(); text !== null; text = reader.read()) {
    rest += decoder.decode(text, { stream: true });
    for (let cut = cutOf(rest, longest); cut; cut = cutOf(rest, longest)) {
      yield rest.slice(0, cut);
      rest = rest.slice(cut);
    }
  }
  if (rest) yield rest;
}

function cutOf(text: string, longest: number): number {
  const end = text.indexOf("\n") + 1;
  return end && end <= longest ? end : text.length >= longest ? longest : 0;
}

function linesWithin(file: Bytes, nBytes: number): number {
  const reader = new TextReader(file, AT_ONCE);
  let n = 0, nRead = 0;
  for (let text = reader.read(); text !== null && nRead < nBytes; text = reader.read()) {
    for (let at = text.indexOf(NEW_LINE); at >= 0; at = text.indexOf(NEW_LINE, at + 1)) n += 1;
    nRead += text.length;
  }
  return n;
}
