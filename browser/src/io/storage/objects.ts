// Where an HDF5 file keeps the numbers of an array, which h5wasm doesn't tell: read from the file itself.
// Source: HDF5 File Format Specification 3.0, II (superblock), IV.A (object headers), III.A (trees).

import type { Bytes } from "../bytes.ts";

export interface Message {
  type: number;
  flags: number;
  data: DataView;
}

export interface Layout {
  kind: "compact" | "contiguous" | "chunked" | "virtual";
  // Where its numbers or the tree of its chunks lie; null where nothing was written.
  address: number | null;
  // How the chunks are found: version 1 trees, or the kinds of index of version 4 layouts.
  index: "tree" | "single" | "implicit" | "fixed" | "extensible" | "tree 2";
  // Sides of a chunk.
  chunk: number[];
}

export interface Superblock {
  version: number;
  // Where the file begins, behind what a user put before it.
  base: number;
  // Where the superblock states the end of the file and the root.
  end: number;
  root: number;
}

export interface ChunkPlace {
  // First row, first column... of the chunk.
  start: number[];
  address: number;
  // Bytes as stored.
  size: number;
  // Filters that were left out, a bit each.
  leftOut: number;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const EXTERNAL = 7, LAYOUT = 8, CONTINUED = 16;
// Parts of an object header, and depth of a tree: more are in no honest file.
const MOST_PARTS = 1000, MOST_LEVELS = 12;
const HEAD = 1 << 10;
// Bytes of the head of a heap, and of that of a piece in it.
const HEAP = 16;
const KINDS = ["compact", "contiguous", "chunked", "virtual"] as const;
const INDICES = ["tree", "single", "implicit", "fixed", "extensible", "tree 2"] as const;

export class Objects {
  readonly superblock: Superblock;

  constructor(private readonly bytes: Bytes) {
    this.superblock = this.find();
  }

  // A part of the file by its address in it.
  view(address: number, size: number): DataView {
    const start = this.superblock.base + address;
    if (!(address >= 0) || start + size > this.bytes.size) throw new Error(`nothing lies at ${address}`);
    const part = this.bytes.read(start, start + size);
    return new DataView(part.buffer, part.byteOffset, part.byteLength);
  }

  // What is said about the object at an address.
  messages(address: number): Message[] {
    const head = this.view(address, 16);
    return head.getUint32(0) === 0x4f484452 ? this.messages2(address) : this.messages1(address);
  }

  layout(address: number): Layout {
    const message = this.messages(address).find(({ type }) => type === LAYOUT);
    if (message === undefined) throw new Error("there is no layout");
    return layoutOf(message.data);
  }

  hasExternal(address: number): boolean {
    return this.messages(address).some(({ type }) => type === EXTERNAL);
  }

  // Chunks that are stored, null for kinds of indices that aren't known here.
  nChunks(layout: Layout, nWhole: number): number | null {
    const { kind, address, index } = layout;
    if (kind !== "chunked" || address === null) return 0;
    if (index === "tree") {
      let n = 0;
      for (const leaf of this.leaves(layout)) n += leaf.getUint16(6, true);
      return n;
    }
    if (index === "tree 2") return number(this.view(address, 38), 26);
    return index === "single" || index === "implicit" ? nWhole : null;
  }

  // Where the chunks of an array lie that are found through a tree.
  *chunks(layout: Layout): Generator<ChunkPlace> {
    if (layout.address === null) return;
    const key = keySize(layout);
    for (const leaf of this.leaves(layout)) {
      for (let i = 0; i < leaf.getUint16(6, true); i += 1) {
        const at = 24 + i * (key + 8);
        yield {
          start: layout.chunk.map((_, axis) => number(leaf, at + 8 + 8 * axis)),
          address: number(leaf, at + key),
          size: leaf.getUint32(at, true),
          leftOut: leaf.getUint32(at + 4, true),
        };
      }
    }
  }

  // A piece of text of any length by the words that name it: its length, and a heap and its number there.
  named(pointer: DataView, at: number): Uint8Array {
    const length = pointer.getUint32(at, true), address = number(pointer, at + 4), wanted = pointer.getUint32(at + 12, true);
    if (length === 0) return new Uint8Array(0);
    const size = number(this.view(address, HEAP), 8), heap = this.view(address, size);
    for (let place = HEAP; place + HEAP <= size;) {
      const n = number(heap, place + 8);
      if (heap.getUint16(place, true) === wanted && place + HEAP + length <= size) {
        return new Uint8Array(heap.buffer, heap.byteOffset + place + HEAP, length);
      }
      if (heap.getUint16(place, true) === 0) break;
      place += HEAP + Math.ceil(n / 8) * 8;
    }
    throw new Error("a piece of text is missing");
  }

  // Lowest nodes of a tree of chunks. Before each child stands a key.
  private *leaves(layout: Layout): Generator<DataView> {
    const waiting: [number, number][] = [[layout.address!, MOST_LEVELS]], step = keySize(layout) + 8;
    while (waiting.length) {
      const [place, above] = waiting.pop()!, head = this.view(place, 24), level = head.getUint8(5);
      if (head.getUint32(0) !== 0x54524545 || level >= above) throw new Error("a tree of chunks is broken");
      const n = head.getUint16(6, true), node = this.view(place, 24 + n * step);
      if (level === 0) yield node;
      else for (let i = n; i > 0; i -= 1) waiting.push([number(node, 24 + i * step - 8), level]);
    }
  }

  private messages1(address: number): Message[] {
    const head = this.view(address, 16), found: Message[] = [];
    if (head.getUint8(0) !== 1) throw new Error("an object header of an unknown version");
    const parts: [number, number][] = [[address + 16, head.getUint32(8, true)]];
    for (let i = 0; i < parts.length && i < MOST_PARTS; i += 1) {
      const view = this.view(...parts[i]);
      for (let at = 0; at + 8 <= view.byteLength;) {
        const type = view.getUint16(at, true), size = view.getUint16(at + 2, true);
        take({ type, flags: view.getUint8(at + 4), data: inner(view, at + 8, size) }, found, parts, 0);
        at += 8 + size;
      }
    }
    return found;
  }

  private messages2(address: number): Message[] {
    const head = this.view(address, Math.min(64, this.bytes.size - this.superblock.base - address)), flags = head.getUint8(5), found: Message[] = [];
    const width = 1 << (flags & 3), start = 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
    const size = width === 1 ? head.getUint8(start) : width === 2 ? head.getUint16(start, true) : head.getUint32(start, true);
    const parts: [number, number][] = [[address + start + width, size]], long = flags & 4 ? 6 : 4;
    for (let i = 0; i < parts.length && i < MOST_PARTS; i += 1) {
      const view = this.view(...parts[i]);
      for (let at = 0; at + long <= view.byteLength;) {
        const length = view.getUint16(at + 1, true);
        take({ type: view.getUint8(at), flags: view.getUint8(at + 3), data: inner(view, at + long, length) }, found, parts, 4);
        at += long + length;
      }
    }
    return found;
  }

  // At the start, or behind a user block at 512, 1024, 2048... bytes.
  private find(): Superblock {
    for (let base = 0; base < this.bytes.size; base = base ? base * 2 : 512) {
      const head = this.bytes.read(base, base + 8);
      if (!SIGNATURE.every((byte, i) => head[i] === byte)) continue;
      const part = this.bytes.read(base, base + HEAD), view = new DataView(part.buffer, part.byteOffset, part.byteLength);
      const version = view.getUint8(8), [offsets, lengths] = version < 2 ? [view.getUint8(13), view.getUint8(14)] : [view.getUint8(9), view.getUint8(10)];
      if (offsets !== 8 || lengths !== 8) throw new Error(`addresses of ${offsets} bytes aren't read`);
      if (version > 1) return { version, base: number(view, 12), end: 28, root: 36 };
      const start = version ? 28 : 24;
      return { version, base: number(view, start), end: start + 16, root: start + 32 + 8 };
    }
    throw new Error("file signature not found");
  }
}

// Keeps a message, or the place where further ones lie without what stands around them.
function take(message: Message, found: Message[], parts: [number, number][], around: number): void {
  if (message.type === CONTINUED) parts.push([number(message.data, 0) + around, number(message.data, 8) - 2 * around]);
  else found.push(message);
}

function layoutOf(data: DataView): Layout {
  const version = data.getUint8(0);
  if (version < 3) {
    const rank = data.getUint8(1), kind = KINDS[data.getUint8(2)], after = kind === "compact" ? 8 : 16;
    const sides = Array.from({ length: rank }, (_, axis) => data.getUint32(after + 4 * axis, true));
    return { kind, address: kind === "compact" ? 0 : place(data, 8), index: "tree", chunk: sides.slice(0, -1) };
  }
  const kind = KINDS[data.getUint8(1)];
  if (kind !== "chunked") return { kind, address: kind === "contiguous" ? place(data, 2) : 0, index: "tree", chunk: [] };
  if (version === 3) {
    const rank = data.getUint8(2) - 1;
    return { kind, address: place(data, 3), index: "tree", chunk: Array.from({ length: rank }, (_, axis) => data.getUint32(11 + 4 * axis, true)) };
  }
  const rank = data.getUint8(3), width = data.getUint8(4), index = INDICES[data.getUint8(5 + rank * width)];
  const chunk = Array.from({ length: rank - 1 }, (_, axis) => part(data, 5 + axis * width, width));
  return { kind, address: place(data, data.byteLength - 8), index, chunk };
}

// Bytes of a key of a tree: a size, filters left out, and a place along each axis and within an element.
const keySize = ({ chunk }: Layout): number => 8 + 8 * (chunk.length + 1);

function inner(view: DataView, start: number, size: number): DataView {
  return new DataView(view.buffer, view.byteOffset + start, Math.min(size, view.byteLength - start));
}

// A whole number of 64 bits.
function number(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
}

function part(view: DataView, at: number, width: number): number {
  let value = 0;
  for (let i = width - 1; i >= 0; i -= 1) value = value * 256 + view.getUint8(at + i);
  return value;
}

// An address, null where it is said to be nowhere.
function place(view: DataView, at: number): number | null {
  return view.getUint32(at, true) === 0xffffffff && view.getUint32(at + 4, true) === 0xffffffff ? null : number(view, at);
}
