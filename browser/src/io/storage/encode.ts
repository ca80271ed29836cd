// Pieces of an HDF5 file as bytes, in the forms that every version of the library reads.
// Source: HDF5 File Format Specification 3.0, IV.A (messages of object headers).

export type WrittenKind = "f4" | "f8" | "i1" | "i2" | "i4" | "i8" | "bool" | "text";

// Where something lies; nowhere where nothing is stored.
export const NOWHERE = 0xffffffffffff;

const SPACE = 1, LINKS = 2, TYPE = 3, FILL = 5, LINK = 6, LAYOUT = 8, GROUP = 10, FILTERS = 11;
export const ATTRIBUTE = 12;
export const SIZES: Record<WrittenKind, number> = { f4: 4, f8: 8, i1: 1, i2: 2, i4: 4, i8: 8, bool: 1, text: 16 };
const FLOATS: Record<string, number[]> = { f4: [31, 32, 23, 8, 23, 127], f8: [63, 64, 52, 11, 52, 1023] };

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

// Bytes in rows: numbers of so many bytes each, or bytes themselves.
export class Packer {
  private readonly bytes: number[] = [];

  u(width: number, ...values: number[]): this {
    for (const value of values) {
      if (value === NOWHERE) for (let i = 0; i < width; i += 1) this.bytes.push(255);
      else for (let i = 0, rest = value; i < width; i += 1, rest = Math.floor(rest / 256)) this.bytes.push(rest % 256);
    }
    return this;
  }

  add(bytes: Uint8Array): this {
    for (const byte of bytes) this.bytes.push(byte);
    return this;
  }

  // Zeros up to a multiple of eight bytes.
  pad(): this {
    while (this.bytes.length % 8) this.bytes.push(0);
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.bytes);
  }
}

export interface EncodedMessage {
  type: number;
  flags: number;
  data: Uint8Array;
}

const message = (type: number, packer: Packer, flags = 0): EncodedMessage => ({ type, flags, data: packer.pad().done() });

// An object header: what is said about a group or an array.
export function header(messages: EncodedMessage[]): Uint8Array {
  const packed = messages.map(({ type, flags, data }) => ({ type, flags, data: new Packer().add(data).pad().done() }));
  const size = packed.reduce((sum, { data }) => sum + 8 + data.length, 0);
  const head = new Packer().u(1, 1, 0).u(2, packed.length).u(4, 1, size, 0);
  for (const { type, flags, data } of packed) head.u(2, type, data.length).u(1, flags, 0, 0, 0).add(data);
  return head.done();
}

// The kind of the numbers or text of an array.
export function typeOf(kind: WrittenKind): Packer {
  if (kind === "text") return new Packer().u(1, 0x19, 1, 1, 0).u(4, 16).add(fixedPoint(1, false).done());
  if (kind === "bool") {
    const names = ["FALSE", "TRUE"].map((name) => new Packer().add(utf8(`${name}\0`)).pad().done());
    return new Packer().u(1, 0x18, 2, 0, 0).u(4, 1).add(fixedPoint(1, true).done()).add(names[0]).add(names[1]).u(1, 0, 1);
  }
  if (kind.startsWith("i")) return fixedPoint(SIZES[kind], true);
  const [sign, bits, exponentAt, exponent, mantissa, bias] = FLOATS[kind];
  return new Packer().u(1, 0x11, 0x20, sign, 0).u(4, bits / 8).u(2, 0, bits).u(1, exponentAt, exponent, 0, mantissa).u(4, bias);
}

const fixedPoint = (size: number, signed: boolean): Packer => new Packer().u(1, 0x10, signed ? 8 : 0, 0, 0).u(4, size).u(2, 0, size * 8);

// Sides of an array; none of them for one value.
export const spaceOf = (shape: readonly number[]): Packer => new Packer().u(1, 1, shape.length, 0, 0).u(4, 0).u(8, ...shape);

export function attribute(name: string, kind: WrittenKind, shape: readonly number[], data: Uint8Array): EncodedMessage {
  const title = utf8(`${name}\0`), type = typeOf(kind).done(), space = spaceOf(shape).done();
  const packer = new Packer().u(1, 1, 0).u(2, title.length, type.length, space.length);
  return message(ATTRIBUTE, packer.add(title).pad().add(type).pad().add(space).pad().add(data));
}

// What is said about an array that lies in one run.
export function inOneRun(kind: WrittenKind, shape: readonly number[], address: number, size: number): EncodedMessage[] {
  const layout = new Packer().u(1, 3, 1).u(8, size ? address : NOWHERE, size);
  return [message(SPACE, spaceOf(shape)), message(TYPE, typeOf(kind), 1), filled(2), message(LAYOUT, layout)];
}

// What is said about a list in chunks, each shuffled and packed with gzip.
export function inChunks(kind: WrittenKind, length: number, chunk: number, tree: number): EncodedMessage[] {
  const layout = new Packer().u(1, 3, 2, 2).u(8, tree).u(4, chunk, SIZES[kind]);
  const filters = new Packer().u(1, 1, 2, 0, 0, 0, 0, 0, 0);
  // number, length of the name, that it may be left out, how many settings
  filters.u(2, 2, 8, 1, 1).add(utf8("shuffle\0")).u(4, SIZES[kind], 0);
  filters.u(2, 1, 8, 1, 1).add(utf8("deflate\0")).u(4, 1, 0);
  return [message(SPACE, spaceOf([length])), message(TYPE, typeOf(kind), 1), filled(3), message(LAYOUT, layout), message(FILTERS, filters)];
}

// What stands where nothing was written: zeros. The time of setting bytes aside is late, or chunk by chunk.
const filled = (time: number): EncodedMessage => message(FILL, new Packer().u(1, 2, time, 2, 1).u(4, 0));

export type WrittenLink = { name: string } & ({ kind: "hard"; address: number } | { kind: "soft"; target: string });

// What is said about a group.
export function members(links: WrittenLink[]): EncodedMessage[] {
  return [message(LINKS, new Packer().u(1, 0, 0).u(8, NOWHERE, NOWHERE)), message(GROUP, new Packer().u(1, 0, 0)), ...links.map(linkMessage)];
}

function linkMessage(link: WrittenLink): EncodedMessage {
  const name = utf8(link.name), packer = new Packer().u(1, 1, 0x12 | (link.kind === "soft" ? 8 : 0));
  if (link.kind === "soft") packer.u(1, 1);
  packer.u(1, 1).u(4, name.length);
  return message(LINK, link.kind === "hard" ? packer.add(name).u(8, link.address) : packer.add(name).u(2, utf8(link.target).length).add(utf8(link.target)));
}

// The start of a new file.
export function superblock(root: number, end: number): Uint8Array {
  const head = new Packer().u(1, 0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 8, 8, 0).u(2, 4, 16).u(4, 0);
  return head.u(8, 0, NOWHERE, end, NOWHERE, 0, root).u(4, 0, 0).u(8, 0, 0).done();
}
