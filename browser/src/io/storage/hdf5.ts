// HDF5 files, opened so that a file from a stranger can neither lead elsewhere nor surprise.
// Followed: hard links, and soft links that stay in the file. Refused: external links, external and virtual storage,
// unknown filters, chunks too large to unpack, heaps without an end.

import type { Metadata } from "../../../node_modules/h5wasm/dist/esm/hdf5_util.js";
import { FileFormatError } from "../../base/errors.ts";
import { comma, repr } from "../../base/words.ts";
import type { Bytes } from "../bytes.ts";
import { brokenHeap } from "./heaps.ts";
import { ask, askStrictly, hdf5, mount, room, unmount } from "./library.ts";
import { linkOf, MOST_LINKS } from "./links.ts";
import { type Layout, Objects } from "./objects.ts";
import { Packed, turn } from "./chunks.ts";
import { checkList, type Holds, holds } from "./room.ts";
import { type Attribute, damaged, MOST_CHUNK_BYTES, reading, type StoredArray, type StoredNode, Tree } from "./tree.ts";
import { decoder, type Dtype, dtypeOf, fixedText, isNumber, type NumberArray, numbersAt, pointedText, type Values } from "./values.ts";

// Bytes of unpacked chunks that the library keeps while it reads from an array.
const CACHE = 1 << 23;
// Characters that text of any length may take at once: each piece may be as long as the file.
const MOST_TEXT = 1 << 28;
// Bytes by which an array that isn't packed names each piece of text: its length, and its place.
const POINTER = 16;
const LZF = 32000;
// Those that the library undoes, and the one that is undone here.
const AVAILABLE = new Set([1, 2, 3, 5, 6, LZF]);
const FILTERS: Record<number, string> = {
  307: "bzip2", 32001: "Blosc", 32004: "LZ4", 32008: "Bitshuffle", 32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2",
};
const [GROUP, DATASET] = [0, 1];

// An array, with what the library says of it.
class Hdf5Array implements StoredArray {
  readonly group = false;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly chunks: readonly number[] | null;
  layout: Layout | null = null;
  // Chunks that are unpacked here, not by the library.
  packed: Packed | null = null;

  constructor(readonly path: string, readonly metadata: Metadata) {
    this.dtype = dtypeOf(metadata);
    this.shape = metadata.shape!;
    this.chunks = metadata.chunks;
  }

  get fields(): string[] {
    return (this.metadata.compound_type?.members ?? []).map(({ name }) => name);
  }

  get size(): number {
    return this.shape.reduce((product, side) => product * side, 1);
  }
}

// An HDF5 file opened for reading.
export class Hdf5Tree extends Tree {
  readonly name: string;
  readonly room: Holds;
  readonly objects: Objects;
  readonly file: bigint;
  private readonly mounted: string;
  private readonly nodes = new Map<string, StoredNode | null>();
  private readonly members = new Map<string, Set<string>>();

  constructor(readonly bytes: Bytes) {
    super();
    this.name = bytes.name;
    this.room = holds([bytes]);
    this.mounted = mount(bytes);
    try {
      this.file = ask((library) => library.open(this.mounted, 0, false, -1, -1), (file) => file < 0n);
    } catch (error) {
      unmount(this.mounted);
      throw new FileFormatError(whyClosed(bytes.name, (error as Error).message));
    }
    const byte = brokenHeap(bytes);
    if (byte !== null) {
      this.close();
      throw new FileFormatError(broken(bytes.name, `the text at byte ${comma(byte)} doesn't add up`));
    }
    this.objects = reading(this.name, "its head", () => new Objects(bytes));
  }

  node(path: string): StoredNode | null {
    if (!this.nodes.has(path)) this.nodes.set(path, this.found(path));
    return this.nodes.get(path)!;
  }

  names(path: string): string[] {
    const node = this.node(path);
    return node === null || !node.group ? [] : reading(this.name, `'${path}'`, () => [...this.namesIn(node.path)].sort());
  }

  // Names of the members of a group without links on the way, in the order of the file.
  namesIn(path: string): Set<string> {
    let names = this.members.get(path);
    if (names === undefined) {
      names = new Set(askStrictly((library) => library.get_names(this.file, path, false)));
      this.members.set(path, names);
    }
    return names;
  }

  attribute(path: string, name: string): Attribute | null {
    const node = this.node(path);
    if (node === null) return null;
    return reading(this.name, `'${path}'`, () => {
      if (!askStrictly((library) => library.get_attribute_names(this.file, node.path)).includes(name)) return null;
      return attributeOf(this.file, node.path, name);
    });
  }

  slice(array: StoredArray, start: number, stop: number): NumberArray {
    return this.part(array as Hdf5Array, [start], [stop - start]);
  }

  rectangle(array: StoredArray, rows: [number, number], columns: [number, number]): NumberArray {
    return this.part(array as Hdf5Array, [rows[0], columns[0]], [rows[1] - rows[0], columns[1] - columns[0]]);
  }

  protected whole(stored: StoredArray): Values {
    const array = stored as Hdf5Array, { dtype, shape } = array;
    if (isNumber(dtype)) return { dtype, values: this.part(array, shape.map(() => 0), [...shape]) };
    // what is named is never looked at
    if (array.metadata.ref_type) return { dtype, values: new Array<string>(array.size).fill(`<HDF5 ${array.metadata.ref_type} reference>`) };
    if (dtype.nested || !["O", "S"].includes(dtype.kind)) return { dtype: { ...dtype, nested: true }, values: new Array(array.size).fill(null) };
    if (dtype.kind === "S") return { dtype, values: this.fixed(array) };
    return { dtype, values: shape.length === 1 && array.size ? this.long(array) : this.pieces(array, 0, array.size) };
  }

  field(stored: StoredArray, name: string): Values {
    const array = stored as Hdf5Array, member = array.metadata.compound_type?.members.find((one) => one.name === name);
    if (member === undefined) throw new Error(`Field names only allowed for compound types`);
    const n = array.size, step = array.metadata.size, dtype = dtypeOf(member), pointer = this.fill(array, [], []);
    const { HEAPU8 } = hdf5();
    let values: Values["values"];
    if (isNumber(dtype)) {
      const packed = new Uint8Array(n * dtype.size);
      for (let i = 0; i < n; i += 1) packed.set(HEAPU8.subarray(pointer + i * step + member.offset, pointer + i * step + member.offset + dtype.size), i * dtype.size);
      values = numbersAt(packed.buffer, 0, n, dtype);
    } else if (dtype.kind === "S") values = fixedText(HEAPU8.subarray(pointer + member.offset), n, dtype, step);
    else values = member.vlen ? pointedText(pointer + member.offset, n, step) : new Array(n).fill(null);
    this.reclaim(array, pointer, []);
    return { dtype: member.vlen || dtype.kind !== "O" ? dtype : { ...dtype, nested: true }, values };
  }

  nMissingChunks(stored: StoredArray): number {
    const array = stored as Hdf5Array;
    return reading(this.name, `'/${array.path.slice(1)}'`, () => {
      if (array.chunks === null) return Number(this.isUnwritten(array));
      const nChunks = array.shape.reduce((product, side, axis) => product * Math.ceil(side / array.chunks![axis]), 1);
      return Math.max(0, nChunks - (this.objects.nChunks(this.layout(array), nChunks) ?? nChunks));
    });
  }

  isUnwritten(stored: StoredArray): boolean {
    const array = stored as Hdf5Array;
    return reading(this.name, `'/${array.path.slice(1)}'`, () => {
      if (array.size === 0) return false;
      const layout = this.layout(array);
      return layout.address === null || (layout.kind === "chunked" && this.objects.nChunks(layout, 1) === 0);
    });
  }

  close(): void {
    hdf5().close_file(this.file);
    unmount(this.mounted);
  }

  // Address of an object.
  address(path: string): number {
    const reference = ask((library) => library.create_object_reference(this.file, path));
    return new DataView(Uint8Array.from(reference).buffer).getUint32(0, true) + new DataView(Uint8Array.from(reference).buffer).getUint32(4, true) * 4294967296;
  }

  private found(path: string): StoredNode | null {
    const where = this.resolve(path);
    if (where === null) return null;
    const place = `/${where.join("/")}`;
    const node = reading(this.name, `'${path}'`, (): StoredNode | null => {
      const [kind, metadata] = opened(() => {
        const type = askStrictly((library) => library.get_type(this.file, place));
        return [type, type === DATASET ? askStrictly((library) => library.get_dataset_metadata(this.file, place)) : null] as const;
      });
      if (kind === GROUP) return { path: place, group: true };
      if (metadata === null) throw new Error("'Datatype' object has no attribute 'shape'");
      return metadata.shape === null ? null : new Hdf5Array(place, metadata);
    });
    if (node !== null && !node.group) this.checkArray(node as Hdf5Array, where.join("/"));
    return node;
  }

  // Path without soft links, null if nothing is there.
  private resolve(path: string): string[] | null {
    let parts = path.split("/").filter(Boolean), done: string[] = [], nLinks = 0;
    while (parts.length) {
      const link = reading(this.name, `'${path}'`, () => linkOf(this, `/${done.join("/")}`, parts[0]));
      const at = [...done, parts[0]].join("/");
      if (link === null) return null;
      if (link.kind === "external") {
        throw new FileFormatError(
          `${this.name}: '${at}' is a link to another file (${link.target}), ` +
          "which is not followed. Write the data into one file.",
        );
      }
      if (link.kind === "hard") {
        done.push(parts.shift()!);
        continue;
      }
      nLinks += 1;
      if (nLinks > MOST_LINKS) throw new FileFormatError(`${this.name}: the links at '${at}' run in a circle.`);
      if (link.target.startsWith("/")) done = [];
      parts = [...link.target.split("/").filter((part) => part !== "" && part !== "."), ...parts.slice(1)];
    }
    return done;
  }

  private checkArray(array: Hdf5Array, path: string): void {
    const [elsewhere, filters] = reading(this.name, `'${path}'`, () => [
      array.metadata.virtual_sources !== undefined || this.objects.hasExternal(this.address(array.path)),
      askStrictly((library) => library.get_dataset_filters(this.file, array.path)),
    ] as const);
    if (elsewhere) {
      throw new FileFormatError(
        `${this.name}: the numbers of '${path}' are kept in another file, which is not followed. ` +
        "Write the data into one file.",
      );
    }
    for (const { id, name } of filters) {
      if (AVAILABLE.has(id)) continue;
      throw new FileFormatError(
        `${this.name}: '${path}' is packed with the filter ${FILTERS[id] ?? (name || "unknown")} (number ${id}), which this HDF5 library ` +
        "lacks. Install it with `pip install hdf5plugin`, or write the file with gzip.",
      );
    }
    const codes = filters.map(({ id }) => id);
    if (new Set(codes).size < codes.length) throw new FileFormatError(`${this.name}: '${path}' is packed more than once. Write the file again with gzip.`);
    if ((array.chunks ?? [0]).reduce((product, side) => product * side, 1) * array.dtype.size > MOST_CHUNK_BYTES) {
      throw new FileFormatError(
        `${this.name}: one chunk of '${path}' unpacks to more than 1 GiB. ` +
        "Write the file again with smaller chunks.",
      );
    }
    if (codes.includes(LZF)) array.packed = reading(this.name, `'${path}'`, () => new Packed(this.objects, this.layout(array), array.metadata.vlen ? POINTER : array.metadata.size, codes));
  }

  private layout(array: Hdf5Array): Layout {
    return array.layout ??= this.objects.layout(this.address(array.path));
  }

  // Numbers of a rectangle of an array, row by row.
  private part(array: Hdf5Array, start: number[], count: number[]): NumberArray {
    const n = count.reduce((product, side) => product * side, 1);
    if (n === 0) return numbersAt(new ArrayBuffer(8), 0, 0, array.dtype);
    // memory may have grown, and moved, while it was filled
    const pointer = this.fill(array, start, count);
    return numbersAt(hdf5().HEAPU8.buffer, pointer, n, array.dtype);
  }

  // Lays a rectangle of an array, or all of it, down in the library's memory and says where.
  private fill(array: Hdf5Array, start: number[], count: number[]): number {
    const n = count.length ? count.reduce((product, side) => product * side, 1) : array.size, nBytes = n * array.metadata.size;
    const pointer = room(Math.max(8, nBytes)), some = count.length > 0;
    if (array.packed !== null) {
      const into = hdf5().HEAPU8.subarray(pointer, pointer + nBytes);
      array.packed.read(some ? start : array.shape.map(() => 0), some ? count : [...array.shape], into);
      // as the library does it for what it reads
      if (isNumber(array.dtype) && !array.metadata.littleEndian) turn(into, array.metadata.size);
      return pointer;
    }
    const wide = (sides: number[]) => (some ? sides.map(BigInt) : null);
    ask((library) => library.get_dataset_data(this.file, array.path, wide(count), wide(start), wide(count.map(() => 1)), BigInt(pointer)), (status) => status < 0);
    return pointer;
  }

  private reclaim(array: Hdf5Array, pointer: number, count: number[]): void {
    const library = hdf5();
    if (count.length) library.reclaim_vlen_memory_count(this.file, array.path, "", BigInt(pointer), count.map(BigInt));
    else library.reclaim_vlen_memory(this.file, array.path, "", BigInt(pointer));
  }

  private fixed(array: Hdf5Array): string[] {
    if (array.size === 0) return [];
    const pointer = this.fill(array, [], []);
    return fixedText(hdf5().HEAPU8.subarray(pointer, pointer + array.size * array.metadata.size), array.size, array.dtype);
  }

  // Text of any length in parts: a piece may be stored once and named often.
  private long(array: Hdf5Array): string[] {
    this.checkText(array);
    const nRows = array.shape[0], most = Math.min(Math.floor(MOST_TEXT / this.bytes.size), 1 << 16);
    const step = Math.max(256, most, Math.floor(((array.chunks?.[0] ?? 0) * POINTER) / CACHE) * 1024);
    const parts: string[][] = [];
    let nCharacters = 0;
    for (let start = 0; start < nRows; start += step) {
      const part = this.pieces(array, start, Math.min(start + step, nRows));
      for (const piece of part) nCharacters += piece.length;
      checkList(this.name, array.path.slice(1), nCharacters, this.room);
      parts.push(part);
    }
    return parts.flat();
  }

  private pieces(array: Hdf5Array, start: number, stop: number): string[] {
    if (stop <= start) return [];
    const some = array.shape.length === 1, count = some ? [stop - start] : [];
    if (array.packed !== null) return this.named(array.packed, start, stop);
    const pointer = this.fill(array, some ? [start] : [], count), words = pointedText(pointer, stop - start);
    this.reclaim(array, pointer, count);
    return words;
  }

  // Text of a list whose chunks are unpacked here.
  private named(packed: Packed, start: number, stop: number): string[] {
    const pointers = new Uint8Array((stop - start) * POINTER), view = new DataView(pointers.buffer);
    packed.read([start], [stop - start], pointers);
    return Array.from({ length: stop - start }, (_, i) => {
      const piece = this.objects.named(view, i * POINTER), end = piece.indexOf(0);
      return decoder.decode(end < 0 ? piece : piece.subarray(0, end));
    });
  }

  // Compares the lengths of text with that of the file: the library would set memory aside for each at once.
  private checkText(array: Hdf5Array): void {
    const { kind, address } = this.layout(array);
    if (kind !== "contiguous" || address === null || this.objects.superblock.base) return;
    const most = Math.floor(this.bytes.size / POINTER), n = Math.min(array.size, most);
    const pointers = this.objects.view(address, Math.min(n * POINTER, this.bytes.size - address));
    let longest = 0;
    for (let at = 0; at + POINTER <= pointers.byteLength; at += POINTER) longest = Math.max(longest, pointers.getUint32(at, true));
    if (longest > this.bytes.size) {
      throw damaged(this.name, `'${array.path.slice(1)}'`, `a piece of its text is said to take ${comma(longest)} bytes, more than the file has`);
    }
  }
}

// Opens an object; what is wrong is said as h5py says it, which takes its own words for it for a key.
function opened<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    const part = /\((.*)\)$/.exec((error as Error).message)?.[1];
    throw part === undefined || (error as Error).message.startsWith("Link") ? error : new Error(repr(`Unable to synchronously open object (${part})`));
  }
}

function attributeOf(file: bigint, path: string, name: string): Attribute {
  const metadata = ask((library) => library.get_attribute_metadata(file, path, name)), { shape, total_size: n } = metadata;
  const dtype = dtypeOf(metadata), nothing: Attribute = { shape: null, dtype, values: [] };
  if (shape === null || (!isNumber(dtype) && !metadata.vlen && dtype.kind !== "S")) return nothing;
  const pointer = room(Math.max(8, n * metadata.size));
  ask((library) => library.get_attribute_data(file, path, name, BigInt(pointer)), (status) => status < 0);
  if (isNumber(dtype)) return { shape, dtype, values: numbersAt(hdf5().HEAPU8.buffer, pointer, n, dtype) };
  if (dtype.kind === "S") return { shape, dtype, values: fixedText(hdf5().HEAPU8.subarray(pointer, pointer + n * metadata.size), n, dtype) };
  const values = pointedText(pointer, n);
  hdf5().reclaim_vlen_memory(file, path, name, BigInt(pointer));
  return { shape, dtype, values };
}

function whyClosed(name: string, reason: string): string {
  const ends = /truncated file: eof = (\d+).*stored_eof = (\d+)/.exec(reason);
  if (ends) return `${name} is cut short: ${ends[1]} of ${ends[2]} bytes are there. Copy or download it again.`;
  if (/unable to lock|already open|Resource temporarily unavailable/.test(reason)) {
    return `${name} is in use: another program is writing it. Close that program, or wait until it is done.`;
  }
  return broken(name, reason.split(/\s+/).join(" ").slice(0, 200));
}

const broken = (name: string, why: string): string => `${name} is a damaged HDF5 file (${why}). Copy or download it again.`;
