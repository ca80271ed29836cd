// Members of a tar archive, read where they lie.

import type { Bytes } from "./bytes.ts";
import { Damage } from "./inflate.ts";

const BLOCK = 512;
const REGULAR = new Set(["0", "\0", "7", "S"]);
const LONG_NAME = "L", LONG_LINK = "K", OF_NEXT = "x", OF_ALL = "g", FOLDER = "5";
const MOST_HEADER = 1 << 20;
// Links, devices, folders and pipes.
const HOLDING_NOTHING = new Set(["1", "2", "3", "4", "5", "6"]);
// Where numbers stand, and how long they are.
const NUMBERS = [[100, 8], [108, 8], [116, 8], [124, 12], [136, 12], [329, 8], [337, 8]];

export interface TarMember {
  name: string;
  isRegular: boolean;
  place: number;
  size: number;
}

// What a header says about the member behind it.
interface Told {
  name?: string;
  size?: number;
}

// Whether the first bytes are those of a tar archive.
export const isTar = (head: Uint8Array): boolean => head.length > 262 && String.fromCharCode(...head.subarray(257, 262)) === "ustar";

// All members but folders, from first to last.
export function* tarMembers(file: Bytes): Generator<TarMember> {
  let told: Told | null = null;
  for (let at = 0; ;) {
    const header = file.read(at, at + BLOCK), fault = faultOf(header);
    // where another header leads to this one, or nothing came before, its faults count; else it ends the archive
    if (fault !== null && (told !== null || (at === 0 && header.length))) throw new Damage(fault);
    if (fault !== null) return;
    const kind = String.fromCharCode(header[156]), place = at + BLOCK;
    const name = told?.name ?? nameOf(header), size = told?.size ?? numberOf(header, 124, 12)!;
    const isFolder = kind === FOLDER || (kind === "\0" && name.endsWith("/"));
    at = place + (HOLDING_NOTHING.has(kind) ? 0 : Math.ceil(size / BLOCK) * BLOCK);
    if ([LONG_NAME, LONG_LINK, OF_NEXT, OF_ALL].includes(kind)) {
      if (size > MOST_HEADER) throw new Damage("invalid header");
      const words = new TextDecoder().decode(file.read(place, place + size));
      told = { ...(told ?? {}), ...(kind === LONG_NAME ? { name: words.split("\0")[0] } : kind === OF_NEXT ? recordsOf(words) : {}) };
      continue;
    }
    if (!file.read(at - 1, at).length) throw new Damage("unexpected end of data");
    told = null;
    if (!isFolder) yield { name, isRegular: REGULAR.has(kind), place, size };
  }
}

// What is wrong with a header, null for a good one.
function faultOf(header: Uint8Array): string | null {
  if (header.length === 0) return "empty header";
  if (header.length < BLOCK) return "truncated header";
  if (header.every((byte) => byte === 0)) return "end of file header";
  const sum = numberOf(header, 148, 8);
  if (sum === null) return "invalid header";
  if (!sumsOf(header).includes(sum)) return "bad checksum";
  return NUMBERS.some(([start, length]) => numberOf(header, start, length) === null) ? "invalid header" : null;
}

function nameOf(header: Uint8Array): string {
  const name = wordOf(header, 0, 100), before = wordOf(header, 345, 155);
  return before ? `${before}/${name}` : name;
}

const wordOf = (header: Uint8Array, start: number, length: number): string => new TextDecoder().decode(header.subarray(start, start + length)).split("\0")[0];

// Figures to the base of 8, or bytes of a large number.
function numberOf(header: Uint8Array, start: number, length: number): number | null {
  if (header[start] === 0x80) return header.subarray(start + 1, start + length).reduce((sum, byte) => sum * 256 + byte, 0);
  const word = wordOf(header, start, length).trim();
  return /^[0-7]*$/.test(word) ? parseInt(word || "0", 8) : null;
}

// With bytes as such, and as some programs add them up, with a sign.
function sumsOf(header: Uint8Array): [number, number] {
  let sum = 0, signed = 0;
  for (let i = 0; i < BLOCK; i += 1) {
    const byte = i >= 148 && i < 156 ? 32 : header[i];
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return [sum, signed];
}

// What lines of "length key=value" tell about the next member.
function recordsOf(words: string): Told {
  const found: Told = {};
  for (const line of words.split("\n")) {
    const [, key, value] = /^\d+ ([^=]+)=(.*)$/s.exec(line) ?? [];
    if (key === "path") found.name = value;
    if (key === "size") found.size = Number(value);
  }
  return found;
}
