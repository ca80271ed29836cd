// Members of a zip archive, read where they lie. What is wrong is said in the words of Python's zipfile.

import { reprOfBytes } from "../base/words_of_bytes.ts";
import { repr } from "../base/words.ts";
import { type Bytes, HeldBytes } from "./bytes.ts";
import { crc32, Damage, Deflated, type Stream } from "./inflate.ts";
import { Joined, Stretch } from "./packed_bytes.ts";

export const ZIP = Uint8Array.of(0x50, 0x4b, 0x03, 0x04);

const CENTRAL = 0x02014b50, LOCAL = 0x04034b50, END = 0x06054b50, LOCATOR_64 = 0x07064b50, END_64 = 0x06064b50;
const END_SIZE = 22, LOCATOR_SIZE = 20, END_64_SIZE = 56, CENTRAL_SIZE = 46, LOCAL_SIZE = 30;
const MOST_COMMENT = 1 << 16;
const MOST_DIRECTORY = 1 << 26;
const STORED = 0, DEFLATED = 8;
const LINK = 0o120000, KIND = 0o170000;

// Letters above ASCII where a name isn't marked as UTF-8.
const OLD_LETTERS =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

export interface ZipMember {
  name: string;
  isLink: boolean;
  isLocked: boolean;
  method: number;
  crc: number;
  packedSize: number;
  size: number;
  // Where its header lies in the file.
  place: number;
}

// All members but folders.
export function zipMembers(file: Bytes): ZipMember[] {
  const end = endOf(file);
  if (end === null) throw new Damage("File is not a zip file");
  const { size, offset, place } = end;
  // other bytes may stand before the archive
  const before = place - size - offset;
  if (size > place) throw new Damage("Bad offset for central directory");
  if (size > MOST_DIRECTORY) throw new Damage("Bad magic number for central directory");
  const bytes = file.read(offset + before, offset + before + size), view = viewOf(bytes);
  const found: ZipMember[] = [];
  for (let at = 0; at < size;) {
    if (at + CENTRAL_SIZE > bytes.length) throw new Damage("Truncated central directory");
    if (view.getUint32(at, true) !== CENTRAL) throw new Damage("Bad magic number for central directory");
    const [nName, nExtra, nComment] = [28, 30, 32].map((step) => view.getUint16(at + step, true));
    const member = memberOf(view, at, bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nName));
    widen(member, bytes.subarray(at + CENTRAL_SIZE + nName, at + CENTRAL_SIZE + nName + nExtra));
    member.place += before;
    found.push(member);
    at += CENTRAL_SIZE + nName + nExtra + nComment;
  }
  if (found.some((member) => member.place < 0)) throw new Damage("Bad offset for central directory");
  return found.filter(({ name }) => !name.endsWith("/"));
}

function memberOf(view: DataView, at: number, name: Uint8Array): ZipMember {
  const flags = view.getUint16(at + 8, true);
  return {
    name: nameOf(name, flags),
    isLink: ((view.getUint32(at + 38, true) >>> 16) & KIND) === LINK,
    isLocked: Boolean(flags & 1),
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedSize: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    place: view.getUint32(at + 42, true),
  };
}

function nameOf(bytes: Uint8Array, flags: number): string {
  if (flags & 0x800) return new TextDecoder().decode(bytes);
  return Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : OLD_LETTERS[byte - 128])).join("");
}

// Sizes of more than four bytes stand in an extra field.
function widen(member: ZipMember, extra: Uint8Array): void {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const kind = view.getUint16(at, true), stop = at + 4 + view.getUint16(at + 2, true);
    let next = at + 4;
    for (const field of kind === 1 ? (["size", "packedSize", "place"] as const) : []) {
      if (member[field] !== 0xffffffff) continue;
      if (next + 8 > Math.min(stop, extra.length)) throw new Damage(`Corrupt zip64 extra field. ${field} field not found.`);
      member[field] = wide(view, next);
      next += 8;
    }
    at = stop;
  }
}

// How large the list of members is, where it says that it lies, and where it ends.
function endOf(file: Bytes): { size: number; offset: number; place: number } | null {
  const start = Math.max(0, file.size - END_SIZE - MOST_COMMENT), bytes = file.read(start, file.size), view = viewOf(bytes);
  for (let at = bytes.length - END_SIZE; at >= 0; at -= 1) {
    if (view.getUint32(at, true) !== END) continue;
    const end = { size: view.getUint32(at + 12, true), offset: view.getUint32(at + 16, true), place: start + at };
    return wideEndOf(file, end) ?? end;
  }
  return null;
}

function wideEndOf(file: Bytes, { place }: { place: number }) {
  const locator = place - LOCATOR_SIZE, at = locator - END_64_SIZE;
  if (at < 0 || viewOf(file.read(locator, place)).getUint32(0, true) !== LOCATOR_64) return null;
  const view = viewOf(file.read(at, locator));
  if (view.getUint32(0, true) !== END_64) return null;
  return { size: wide(view, 40), offset: wide(view, 48), place: at };
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const wide = (view: DataView, at: number): number => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

// The packed bytes of a member.
function packedOf(file: Bytes, member: ZipMember): Stretch {
  const header = file.read(member.place, member.place + LOCAL_SIZE), view = viewOf(header);
  if (header.length < LOCAL_SIZE) throw new Damage("Truncated file header");
  if (view.getUint32(0, true) !== LOCAL) throw new Damage("Bad magic number for file header");
  const nName = view.getUint16(26, true), start = member.place + LOCAL_SIZE;
  const name = file.read(start, start + nName);
  if (nameOf(name, view.getUint16(6, true)) !== member.name) throw new Damage(`File name in directory ${repr(member.name)} and header ${reprOfBytes(name)} differ.`);
  if (member.method !== STORED && member.method !== DEFLATED) throw new Damage("That compression method is not supported");
  const from = start + nName + view.getUint16(28, true);
  return new Stretch(member.name, file, from, Math.max(0, Math.min(member.packedSize, file.size - from)));
}

// The contents of a member as a stream, compared with its checksum at the end.
export class ZipStream implements Stream {
  ended = false;
  private readonly packed: Stretch;
  private readonly deflated: Deflated | null;
  private place = 0;
  private crc = 0;

  constructor(file: Bytes, private readonly member: ZipMember) {
    this.packed = packedOf(file, member);
    this.deflated = member.method === DEFLATED ? new Deflated(this.packed, 0, this.packed.size, true) : null;
  }

  step(target: Uint8Array<ArrayBuffer>, from: number): number {
    const room = target.subarray(0, Math.min(target.length, from + this.member.size - this.place));
    const n = room.length <= from ? 0 : this.deflated ? this.deflated.step(room, from) : this.copy(room, from);
    this.crc = crc32(this.crc, target, from, from + n);
    this.place += n;
    // fewer bytes than it says are only found by their checksum
    this.ended = this.place >= this.member.size || Boolean(this.deflated?.ended);
    if (this.ended && this.crc !== this.member.crc) throw new Damage(`Bad CRC-32 for file ${repr(this.member.name)}`);
    return n;
  }

  private copy(room: Uint8Array, from: number): number {
    const bytes = this.packed.read(this.place, this.place + room.length - from);
    if (!bytes.length) throw new Damage("EOFError", true);
    room.set(bytes, from);
    return bytes.length;
  }
}

// A member as it lies in the archive if it isn't packed; else under the header and end of a gzip file, to be unpacked while
// it is read.
export function asGzip(file: Bytes, member: ZipMember, name: string): Bytes {
  const packed = packedOf(file, member);
  if (member.method === STORED) return new Stretch(name, packed, 0, packed.size);
  const end = new Uint8Array(8);
  viewOf(end).setUint32(0, member.crc, true);
  viewOf(end).setUint32(4, member.size % 2 ** 32, true);
  return new Joined(name, [new HeldBytes(name, Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)), packed, new HeldBytes(name, end)]);
}
