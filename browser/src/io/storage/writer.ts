// Arrays and groups put behind the end of an HDF5 file, or into a new one.
// What is written is never changed again, so nothing of it has to be kept but the bytes.

import { zlibSync } from "fflate";
import { attribute, type EncodedMessage, header, inChunks, inOneRun, members, NOWHERE, Packer, SIZES, utf8, type WrittenKind, type WrittenLink } from "./encode.ts";

export type Written = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array;

// Bytes of a collection of text, and of one that is begun for a few pieces; a piece that is longer has one of its own.
const COLLECTION = 1 << 16, SMALL_COLLECTION = 4096, FEW_WORDS = 64;
// Bytes of the head of a collection, and of that of a piece in it.
const HEAD = 16;
const MOST_PIECES = 60_000;
// Children of a node of a tree of chunks.
const FAN = 64;

export class Hdf5Writer {
  readonly parts: Uint8Array[] = [];
  // Where the next thing will lie.
  end: number;
  // Takes text until it is full.
  private collection: Collection | null = null;

  constructor(start: number) {
    this.end = start;
  }

  // Puts bytes down and says where; the next ones begin at a multiple of eight.
  put(bytes: Uint8Array): number {
    const address = this.end, rest = -bytes.length & 7;
    this.parts.push(bytes);
    if (rest) this.parts.push(new Uint8Array(rest));
    this.end += bytes.length + rest;
    return address;
  }

  // An array that lies in one run, with what AnnData says of how it is encoded.
  array(values: Written | string[], kind: WrittenKind, shape: readonly number[], encoding: [type: string, version: string] | null): number {
    const bytes = Array.isArray(values) ? this.pointers(values) : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const address = bytes.length ? this.put(bytes) : NOWHERE;
    return this.object([...inOneRun(kind, shape, address, bytes.length), ...this.encoding(encoding)]);
  }

  // A list of numbers in chunks that are there already, of so many numbers each.
  chunked(kind: WrittenKind, length: number, chunk: number, chunks: [address: number, size: number][]): number {
    return this.object(inChunks(kind, length, chunk, chunks.length ? this.tree(chunks, chunk) : NOWHERE));
  }

  group(links: WrittenLink[], attributes: EncodedMessage[]): number {
    return this.object([...members(links), ...attributes]);
  }

  // A group of arrays and groups by name, as AnnData encodes it.
  encoded(found: Map<string, number>, encoding: [type: string, version: string], more: EncodedMessage[] = []): number {
    const links = [...found].map(([name, address]): WrittenLink => ({ name, kind: "hard", address }));
    return this.group(links, [...this.encoding(encoding), ...more]);
  }

  encoding(encoding: [type: string, version: string] | null): EncodedMessage[] {
    return encoding === null ? [] : [this.text("encoding-type", encoding[0]), this.text("encoding-version", encoding[1])];
  }

  // Attributes: a text, a list of texts.
  text(name: string, value: string): EncodedMessage {
    return attribute(name, "text", [], this.pointers([value]));
  }

  texts(name: string, values: string[]): EncodedMessage {
    return attribute(name, "text", [values.length], this.pointers(values));
  }

  private object(messages: EncodedMessage[]): number {
    return this.put(header(messages));
  }

  // Puts text down in collections; gives a length, a collection and a number there for each piece.
  private pointers(words: string[]): Uint8Array {
    const pointers = new Uint8Array(words.length * SIZES.text), view = new DataView(pointers.buffer);
    const size = words.length < FEW_WORDS ? SMALL_COLLECTION : COLLECTION;
    words.forEach((word, i) => {
      const piece = utf8(word);
      // no text is no piece
      if (!piece.length) return;
      if (!this.collection?.hasRoom(piece)) {
        this.collection = new Collection(this.end, Math.max(size, Collection.sizeOf(piece)));
        this.put(this.collection.bytes);
      }
      const number = this.collection.add(piece), { address } = this.collection;
      view.setUint32(i * SIZES.text, piece.length, true);
      view.setUint32(i * SIZES.text + 4, address % 4294967296, true);
      view.setUint32(i * SIZES.text + 8, Math.floor(address / 4294967296), true);
      view.setUint32(i * SIZES.text + 12, number, true);
    });
    return pointers;
  }

  // The tree through which the chunks of a list are found, from its leaves up.
  private tree(chunks: [address: number, size: number][], chunk: number): number {
    let level = 0, nodes = chunks.map(([address, size], i) => ({ address, size, first: i * chunk }));
    do {
      const above: typeof nodes = [], n = Math.ceil(nodes.length / FAN), nBytes = nodeSize();
      const start = this.end;
      for (let i = 0; i < n; i += 1) {
        const children = nodes.slice(i * FAN, (i + 1) * FAN), after = nodes[(i + 1) * FAN]?.first ?? chunks.length * chunk;
        const node = new Packer().u(1, 0x54, 0x52, 0x45, 0x45, 1, level).u(2, children.length);
        node.u(8, i ? start + (i - 1) * nBytes : NOWHERE, i + 1 < n ? start + (i + 1) * nBytes : NOWHERE);
        for (const { address, size, first } of children) node.u(4, size, 0).u(8, first, 0, address);
        const whole = new Uint8Array(nBytes);
        whole.set(node.u(4, 0, 0).u(8, after, 0).done());
        above.push({ address: this.put(whole), size: children[0].size, first: children[0].first });
      }
      [nodes, level] = [above, level + 1];
    } while (nodes.length > 1);
    return nodes[0].address;
  }
}

// Bytes of a node of a tree of chunks of a list: all nodes have room for as many children.
const nodeSize = (): number => 24 + (FAN + 1) * 24 + FAN * 8;

// Pieces of text of any length; what is left is one free piece, which counts its own head.
class Collection {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = HEAD;
  private nPieces = 0;

  constructor(readonly address: number, size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.bytes.set(utf8("GCOL\u0001"));
    this.view.setUint32(8, size, true);
    this.free();
  }

  // Bytes of a collection of one piece.
  static sizeOf(piece: Uint8Array): number {
    return 3 * HEAD + Math.ceil(piece.length / 8) * 8;
  }

  hasRoom(piece: Uint8Array): boolean {
    return this.nPieces < MOST_PIECES && this.at + Collection.sizeOf(piece) - HEAD <= this.bytes.length;
  }

  // Gives the number of the piece.
  add(piece: Uint8Array): number {
    this.nPieces += 1;
    this.view.setUint16(this.at, this.nPieces, true);
    this.view.setUint32(this.at + 8, piece.length, true);
    this.bytes.set(piece, this.at + HEAD);
    this.at += HEAD + Math.ceil(piece.length / 8) * 8;
    this.free();
    return this.nPieces;
  }

  private free(): void {
    this.view.setUint32(this.at + 8, this.bytes.length - this.at, true);
  }
}

// Numbers of four bytes as a chunk: the first bytes of all of them, then the second ones..., packed.
export function packedChunk(values: Float32Array | Int32Array, chunk: number): Uint8Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length), shuffled = new Uint8Array(chunk * 4);
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i];
    shuffled[i] = word;
    shuffled[chunk + i] = word >>> 8;
    shuffled[2 * chunk + i] = word >>> 16;
    shuffled[3 * chunk + i] = word >>> 24;
  }
  return zlibSync(shuffled, { level: 1 });
}
