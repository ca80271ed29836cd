// Text of any length in HDF5 files: where its lists are damaged the library would never come to their end.
// Such text lies in global heaps: "GCOL", a version, the heap's size, and pieces that each state their own length; the
// next begins where the last ends. A piece that states a length of zero, or one beyond the heap, has no next.
// Source: HDF5 File Format Specification 3.0, III.E.

import type { Bytes } from "../bytes.ts";

// Bytes of the largest file that is looked through: of a larger one it would take seconds.
const MOST_LOOKED_THROUGH = 1 << 26;
// Bytes that are read at a time.
const AT_ONCE = 1 << 20;
// Bytes of the smallest heap.
const SMALLEST = 4096;
const START = [0x47, 0x43, 0x4f, 0x4c, 1, 0, 0, 0];
// Bytes of the head of a heap, and of that of a piece.
const HEAD = 16, PIECE = 16;

// The first byte of a heap whose pieces don't fill it, null where there is none.
export function brokenHeap(bytes: Bytes): number | null {
  if (bytes.size > MOST_LOOKED_THROUGH) return null;
  for (const at of starts(bytes)) if (!isFilled(bytes, at)) return at;
  return null;
}

// The places where heaps may start; one may lie across two parts.
function* starts(bytes: Bytes): Generator<number> {
  for (let first = 0; first < bytes.size; first += AT_ONCE) {
    const part = bytes.read(first, first + AT_ONCE + START.length - 1);
    for (let at = part.indexOf(START[0]); at >= 0 && at < AT_ONCE; at = part.indexOf(START[0], at + 1)) {
      if (part[at + 1] === START[1] && START.every((byte, i) => part[at + i] === byte)) yield first + at;
    }
  }
}

// Whether the pieces of a heap follow each other from its head to its end.
function isFilled(bytes: Bytes, at: number): boolean {
  const head = bytes.read(at, at + HEAD), size = head.length === HEAD ? length64(head, 8) : 0;
  // letters of something else
  if (!(size >= SMALLEST && size <= bytes.size - at)) return true;
  const heap = bytes.read(at + HEAD, at + size);
  let place = 0;
  while (place + PIECE <= heap.length) {
    const number = heap[place] | (heap[place + 1] << 8), length = length64(heap, place + 8);
    // the rest is free; its length counts its own head
    if (number === 0) return length === heap.length - place;
    place += PIECE + Math.ceil(length / 8) * 8;
  }
  return place <= heap.length;
}

function length64(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 7; i >= 0; i -= 1) value = value * 256 + bytes[at + i];
  return value;
}
