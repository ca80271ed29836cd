// Bytes that aren't a file of their own: a stretch of an archive, or what came out of one.

import type { Bytes } from "./bytes.ts";
import type { Stream } from "./inflate.ts";

const CHUNK = 1 << 22;
// Bytes that programs for archives read at once.
const AT_ONCE = 10_240;

// A file under another name.
export class NamedBytes implements Bytes {
  readonly size: number;

  constructor(readonly name: string, private readonly file: Bytes) {
    this.size = file.size;
  }

  read(start: number, stop: number): Uint8Array {
    return this.file.read(start, stop);
  }
}

// Some bytes of a file.
export class Stretch implements Bytes {
  constructor(readonly name: string, private readonly file: Bytes, private readonly start: number, readonly size: number) {}

  read(start: number, stop: number): Uint8Array {
    return this.file.read(this.start + start, this.start + Math.min(stop, this.size));
  }
}

// Files one after another.
export class Joined implements Bytes {
  readonly size: number;

  constructor(readonly name: string, private readonly files: readonly Bytes[]) {
    this.size = files.reduce((sum, file) => sum + file.size, 0);
  }

  read(start: number, stop: number): Uint8Array {
    const all = new Uint8Array(Math.max(0, Math.min(stop, this.size) - start));
    let first = 0;
    for (const file of this.files) {
      const from = Math.max(start - first, 0), to = Math.min(start + all.length - first, file.size);
      if (from < to) all.set(file.read(from, to), first + from - start);
      first += file.size;
    }
    return all;
  }
}

// What a stream gives, held in pieces, so that it is never there twice, and only as far as it was asked for.
export class Unpacked implements Bytes {
  private readonly chunks: Uint8Array<ArrayBuffer>[] = [];
  private n = 0;

  // Takes note of all bytes that come.
  constructor(readonly name: string, private readonly stream: Stream, private readonly take: (nBytes: number) => void) {}

  get size(): number {
    this.toEnd();
    return this.n;
  }

  toEnd(): void {
    this.grow(Infinity);
    const last = this.chunks.length - 1;
    if (last >= 0) this.chunks[last] = this.chunks[last].slice(0, this.n - last * CHUNK);
  }

  read(start: number, stop: number): Uint8Array {
    this.grow(Math.ceil(stop / AT_ONCE) * AT_ONCE);
    const end = Math.min(stop, this.n), first = Math.floor(start / CHUNK);
    if (start >= end) return new Uint8Array(0);
    if (end <= (first + 1) * CHUNK) return this.chunks[first].subarray(start - first * CHUNK, end - first * CHUNK);
    const all = new Uint8Array(end - start);
    for (let at = start; at < end;) {
      const chunk = Math.floor(at / CHUNK), part = this.chunks[chunk].subarray(at - chunk * CHUNK, end - chunk * CHUNK);
      all.set(part, at - start);
      at += part.length;
    }
    return all;
  }

  private grow(stop: number): void {
    while (this.n < stop && !this.stream.ended) {
      const last = Math.floor(this.n / CHUNK);
      const chunk = (this.chunks[last] ??= new Uint8Array(CHUNK));
      const n = this.stream.step(chunk, this.n - last * CHUNK);
      this.take(n);
      this.n += n;
    }
  }
}
