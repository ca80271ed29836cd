// A file put together from parts: bytes that are new, and stretches of another file.

import type { Bytes } from "../bytes.ts";

// Bytes that are new, or a stretch of those of the input.
export type Part = Uint8Array | { start: number; stop: number };

const sizeOf = (part: Part): number => (part instanceof Uint8Array ? part.length : part.stop - part.start);

export class JoinedBytes implements Bytes {
  readonly name: string;
  readonly size: number;
  // Where each part begins.
  private readonly starts: number[] = [];

  constructor(private readonly whole: Bytes, private readonly parts: Part[]) {
    this.name = whole.name;
    let size = 0;
    for (const part of parts) {
      this.starts.push(size);
      size += sizeOf(part);
    }
    this.size = size;
  }

  read(start: number, stop: number): Uint8Array {
    const end = Math.min(stop, this.size), bytes = new Uint8Array(Math.max(0, end - start));
    this.parts.forEach((part, i) => {
      const from = Math.max(start, this.starts[i]), to = Math.min(end, this.starts[i] + sizeOf(part)), shift = this.starts[i];
      if (to <= from) return;
      const found = part instanceof Uint8Array ? part.subarray(from - shift, to - shift) : this.whole.read(part.start + from - shift, part.start + to - shift);
      bytes.set(found, from - start);
    });
    return bytes;
  }
}
