// Chunks that the HDF5 library can't unpack in a browser: those packed with LZF, as AnnData offers it.
// Source of LZF: https://github.com/h5py/h5py/blob/master/lzf/lzf/lzf_d.c

import type { ChunkPlace, Layout, Objects } from "./objects.ts";

const SHUFFLE = 2, FLETCHER = 3, DEFLATE = 1, LZF = 32000;
// Unpacked chunks that are kept.
const MOST_KEPT = 64;

export class Packed {
  private readonly places = new Map<string, ChunkPlace>();
  private readonly kept = new Map<string, Uint8Array>();

  constructor(private readonly objects: Objects, private readonly layout: Layout, private readonly size: number, private readonly codes: number[]) {
    if (layout.index !== "tree" || codes.includes(DEFLATE)) throw new Error("packed in a way that can't be read in a browser; write the file with gzip");
    for (const place of objects.chunks(layout)) this.places.set(place.start.join(), place);
  }

  // Puts a rectangle of one or two axes down row by row.
  read(start: number[], count: number[], into: Uint8Array): void {
    const { chunk } = this.layout, { size } = this;
    const [tall, wide] = chunk.length === 1 ? [1, chunk[0]] : chunk;
    const [top, left, height, width] = chunk.length === 1 ? [0, start[0], 1, count[0]] : [start[0], start[1], count[0], count[1]];
    into.fill(0);
    for (let row = Math.floor(top / tall) * tall; row < top + height; row += tall) {
      for (let column = Math.floor(left / wide) * wide; column < left + width; column += wide) {
        const values = this.unpacked((chunk.length === 1 ? [column] : [row, column]).join());
        if (values === null) continue;
        const from = Math.max(left, column), to = Math.min(left + width, column + wide);
        for (let line = Math.max(top, row); line < Math.min(top + height, row + tall); line += 1) {
          const source = ((line - row) * wide + from - column) * size;
          into.set(values.subarray(source, source + (to - from) * size), ((line - top) * width + from - left) * size);
        }
      }
    }
  }

  private unpacked(key: string): Uint8Array | null {
    const known = this.kept.get(key), place = this.places.get(key);
    if (known !== undefined) return known;
    if (place === undefined) return null;
    const view = this.objects.view(place.address, place.size), nBytes = this.layout.chunk.reduce((product, side) => product * side, 1) * this.size;
    let values = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = this.codes.length - 1; i >= 0; i -= 1) {
      if (place.leftOut & (1 << i)) continue;
      if (this.codes[i] === LZF) values = lzf(values, nBytes);
      else if (this.codes[i] === SHUFFLE) values = unshuffled(values, this.size);
      else if (this.codes[i] === FLETCHER) values = values.subarray(0, -4);
    }
    if (values.length !== nBytes) throw new Error("a chunk is packed otherwise");
    this.kept.set(key, values);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    return values;
  }
}

// The first bytes of all numbers lie together, then the second ones...
function unshuffled(values: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const n = Math.floor(values.length / size), out = new Uint8Array(values.length);
  for (let byte = 0, at = 0; byte < size; byte += 1) for (let i = 0; i < n; i += 1, at += 1) out[i * size + byte] = values[at];
  out.set(values.subarray(n * size), n * size);
  return out;
}

// Turns the bytes of each number over.
export function turn(bytes: Uint8Array, size: number): void {
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

function lzf(packed: Uint8Array, nBytes: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(nBytes);
  let at = 0, to = 0;
  while (at < packed.length) {
    const control = packed[at++];
    if (control < 32) {
      const n = control + 1;
      if (to + n > nBytes || at + n > packed.length) throw new Error("LZF data are broken");
      for (let i = 0; i < n; i += 1) out[to++] = packed[at++];
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += packed[at++];
    const from = to - ((control & 31) << 8) - packed[at++] - 1;
    if (!(from >= 0) || to + length + 2 > nBytes) throw new Error("LZF data are broken");
    for (let i = 0; i < length + 2; i += 1) out[to++] = out[from + i];
  }
  return out.subarray(0, to);
}
