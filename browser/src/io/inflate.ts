// Bytes that are packed by deflate, as gzip and zip have them, unpacked as a stream. What is wrong with them is said
// in the words of Python's gzip and zlib.

import { ZStream, Z_BUF_ERROR, Z_NO_FLUSH, Z_OK, Z_STREAM_END, zlibInflate, zlibInflateInit2, zlibInflateReset } from "pako";
import { reprOfBytes } from "../base/words_of_bytes.ts";
import type { Bytes } from "./bytes.ts";

// Gives bytes from first to last.
export interface Stream {
  readonly ended: boolean;
  // Puts some bytes behind `from`, and says how many.
  step(target: Uint8Array<ArrayBuffer>, from: number): number;
}

// Fills what is behind `from`, and says how many bytes that were: fewer than there is room for only at the end.
export function fill(stream: Stream, target: Uint8Array<ArrayBuffer>, from: number): number {
  let at = from;
  while (at < target.length && !stream.ended) at += stream.step(target, at);
  return at - from;
}

// What packed bytes are damaged by; who calls says which file it is.
export class Damage extends Error {
  override name = "Damage";

  constructor(message: string, readonly early = false) {
    super(message);
  }
}

const RAW = -15;
// The beginning is read in small steps, so that a short file's head can be told before its damage is met.
const FIRST_STEP = 1 << 13, FIRST_STEPS = 1 << 16, STEP = 1 << 18;

const tables: Int32Array[] = [];

function makeTables(): void {
  for (let k = 0; k < 4; k += 1) tables.push(new Int32Array(256));
  for (let i = 0; i < 256; i += 1) {
    let crc = i;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[0][i] = crc;
  }
  for (let i = 0; i < 256; i += 1) {
    for (let k = 1; k < 4; k += 1) tables[k][i] = tables[0][tables[k - 1][i] & 255] ^ (tables[k - 1][i] >>> 8);
  }
}

// Checksum of bytes that follow those of the checksum given; four at a time, which is twice as fast.
export function crc32(crc: number, bytes: Uint8Array, start: number, stop: number): number {
  if (!tables.length) makeTables();
  const [t0, t1, t2, t3] = tables;
  let c = ~crc, i = start;
  for (; i + 4 <= stop; i += 4) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c = t3[c & 255] ^ t2[(c >>> 8) & 255] ^ t1[(c >>> 16) & 255] ^ t0[c >>> 24];
  }
  for (; i < stop; i += 1) c = t0[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

// Deflated bytes of a stretch of a file.
export class Deflated {
  private readonly stream = new ZStream();
  private place: number;
  // Whether the deflated bytes are at their end; those behind them can be taken one by one.
  ended = false;
  crc = 0;
  size = 0;

  // With mayEnd the bytes may be cut short; they then end where they do.
  constructor(private readonly file: Bytes, private readonly start: number, private readonly stop: number, private readonly mayEnd = false) {
    this.place = start;
    zlibInflateInit2(this.stream, RAW);
  }

  // Puts some bytes behind `from`.
  step(target: Uint8Array<ArrayBuffer>, from: number): number {
    const stream = this.stream;
    if (stream.avail_in === 0) this.more();
    const atEnd = stream.avail_in === 0;
    stream.output = target;
    stream.next_out = from;
    stream.avail_out = target.length - from;
    const status = zlibInflate(stream, Z_NO_FLUSH);
    if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) {
      throw new Damage(`Error ${status} while decompressing data: ${stream.msg}`);
    }
    const n = stream.next_out - from, cutShort = atEnd && n === 0 && status !== Z_STREAM_END;
    if (cutShort && !this.mayEnd) throw tooEarly();
    this.ended = cutShort || status === Z_STREAM_END;
    this.crc = crc32(this.crc, target, from, from + n);
    this.size += n;
    return n;
  }

  // The next byte that isn't deflated; -1 at the end.
  byte(): number {
    if (this.stream.avail_in === 0) this.more();
    if (this.stream.avail_in === 0) return -1;
    this.stream.avail_in -= 1;
    this.stream.next_in += 1;
    return this.stream.input[this.stream.next_in - 1];
  }

  // Gives the last byte back.
  back(): void {
    this.stream.avail_in += 1;
    this.stream.next_in -= 1;
  }

  // What comes next is deflated anew.
  restart(): void {
    zlibInflateReset(this.stream);
    this.ended = false;
    this.crc = this.size = 0;
  }

  private more(): void {
    const step = this.place - this.start < FIRST_STEPS ? FIRST_STEP : STEP;
    const stop = Math.min(this.place + step, this.stop);
    this.stream.input = this.file.read(this.place, stop);
    this.stream.next_in = 0;
    this.stream.avail_in = this.stream.input.length;
    this.place = stop;
  }
}

const tooEarly = () => new Damage("Compressed file ended before the end-of-stream marker was reached", true);

// A gzip file, of one member or several.
export class Gunzip implements Stream {
  private readonly deflated: Deflated;
  private inside = false;
  ended = false;

  constructor(file: Bytes) {
    this.deflated = new Deflated(file, 0, file.size);
  }

  // The end of a member is compared when more is asked for, as Python does it.
  step(target: Uint8Array<ArrayBuffer>, from: number): number {
    if (this.inside && this.deflated.ended) this.trailer();
    return this.inside || this.header() ? this.deflated.step(target, from) : 0;
  }

  // Goes past the header of a member, if there is one more.
  private header(): boolean {
    const first = this.deflated.byte();
    if (first < 0) {
      this.ended = true;
      return false;
    }
    const second = this.deflated.byte();
    const magic = Uint8Array.from(second < 0 ? [first] : [first, second]);
    if (first !== 0x1f || second !== 0x8b) throw new Damage(`Not a gzipped file (${reprOfBytes(magic)})`);
    const [method, flags] = this.exact(8);
    if (method !== 8) throw new Damage("Unknown compression method");
    if (flags & 4) {
      const [low, high] = this.exact(2);
      this.exact(low + 256 * high);
    }
    for (const flag of [8, 16]) if (flags & flag) while (this.deflated.byte() > 0);
    if (flags & 2) this.exact(2);
    this.deflated.restart();
    this.inside = true;
    return true;
  }

  // Compares what a member's end says with what came out of it; zeros may follow.
  private trailer(): void {
    const { crc, size } = this.deflated;
    const told = this.exact(8), told32 = (at: number) => (told[at] | (told[at + 1] << 8) | (told[at + 2] << 16) | (told[at + 3] << 24)) >>> 0;
    if (told32(0) !== crc) throw new Damage(`CRC check failed 0x${told32(0).toString(16)} != 0x${crc.toString(16)}`);
    if (told32(4) !== size % 2 ** 32) throw new Damage("Incorrect length of data produced");
    let byte = 0;
    while (byte === 0) byte = this.deflated.byte();
    if (byte > 0) this.deflated.back();
    this.inside = false;
  }

  private exact(n: number): number[] {
    const bytes: number[] = [];
    for (let i = 0; i < n; i += 1) {
      const byte = this.deflated.byte();
      if (byte < 0) throw tooEarly();
      bytes.push(byte);
    }
    return bytes;
  }
}

// Bytes as they lie in a file.
export class Plain implements Stream {
  private place = 0;

  constructor(private readonly file: Bytes) {}

  get ended(): boolean {
    return this.place >= this.file.size;
  }

  step(target: Uint8Array<ArrayBuffer>, from: number): number {
    const bytes = this.file.read(this.place, Math.min(this.place + target.length - from, this.file.size));
    target.set(bytes, from);
    this.place += bytes.length;
    return bytes.length;
  }
}

export const isGzip = (file: Bytes): boolean => {
  const start = file.read(0, 2);
  return start[0] === 0x1f && start[1] === 0x8b;
};

export const opened = (file: Bytes): Stream => (isGzip(file) ? new Gunzip(file) : new Plain(file));

// What a file begins with once it is unpacked, so many bytes at least where there are so many.
export function firstBytes(file: Bytes, size: number): Uint8Array {
  const stream = opened(file), head = new Uint8Array(FIRST_STEP);
  let n = 0;
  while (n < size && !stream.ended) n += stream.step(head, n);
  return head.subarray(0, n);
}
