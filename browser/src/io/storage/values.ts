// Numbers and text as the HDF5 library lays them down in its memory, and what NumPy calls their kinds.

import type { Metadata } from "../../../node_modules/h5wasm/dist/esm/hdf5_util.js";
import { float } from "../../base/words.ts";
import { hdf5 } from "./library.ts";

export type NumberArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

export interface Dtype {
  // NumPy's letter: boolean, integer, unsigned, float, text or references of any length, text of one length, complex, other
  kind: "b" | "i" | "u" | "f" | "O" | "S" | "c" | "V";
  // Bytes of one in memory, pieces of text of any length count as 8.
  size: number;
  // As Python writes it.
  name: string;
  // Whether it holds lists.
  nested: boolean;
  // What to do with the end of a text of one length: cut at the first zero, at the last ones, at the last blanks.
  padding: number;
}

// What was read of an array.
export interface Values {
  dtype: Dtype;
  values: NumberArray | (string | null)[];
}

const [INTEGER, FLOAT, STRING, BITFIELD, COMPOUND, REFERENCE, ENUM, VLEN] = [0, 1, 3, 4, 6, 7, 8, 9];
const NATIVE = { i: "int", u: "uint", f: "float" };
const SPACES = 2;
const SHORT = 32;
const LETTERS = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

export const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function dtypeOf(metadata: Metadata): Dtype {
  const { type, size, signed, littleEndian } = metadata;
  const make = (kind: Dtype["kind"], name: string, bytes = size): Dtype => ({ kind, size: bytes, name, nested: type === VLEN, padding: metadata.strpad ?? 0 });
  const number = (kind: "i" | "u" | "f") => make(kind, littleEndian || size === 1 ? `${NATIVE[kind]}${size * 8}` : `>${kind}${size}`);
  switch (type) {
    case INTEGER: return number(signed ? "i" : "u");
    case FLOAT: return number("f");
    case BITFIELD: return number("u");
    case ENUM: return isBool(metadata) ? make("b", "bool") : number(signed ? "i" : "u");
    case STRING: return metadata.vlen ? make("O", "object", 8) : make("S", `|S${size}`);
    case REFERENCE: case VLEN: return make("O", "object", 8);
    case COMPOUND: return isComplex(metadata) ? make("c", `complex${size * 8}`) : make("V", fieldsOf(metadata));
    default: return make("V", `|V${size}`);
  }
}

function isBool({ size, enum_type }: Metadata): boolean {
  const members = enum_type?.members ?? {};
  return size === 1 && Object.keys(members).length === 2 && members.FALSE === 0 && members.TRUE === 1;
}

function isComplex({ compound_type }: Metadata): boolean {
  const members = compound_type?.members ?? [];
  return members.length === 2 && members[0].name === "r" && members[1].name === "i" && members.every(({ type }) => type === FLOAT);
}

function fieldsOf({ compound_type }: Metadata): string {
  const letters = (member: Metadata) => {
    const { kind, size, name } = dtypeOf(member);
    return kind === "O" ? "O" : kind === "S" ? name.slice(1) : `${size === 1 ? "|" : member.littleEndian ? "<" : ">"}${kind}${size}`;
  };
  return `[${(compound_type?.members ?? []).map((member) => `('${member.name}', '${letters(member)}')`).join(", ")}]`;
}

export const isNumber = ({ kind }: Dtype): boolean => "biuf".includes(kind);

// A copy of numbers in memory, from a place that suits their size; those of 64 bits in double precision.
export function numbersAt(buffer: ArrayBufferLike, pointer: number, n: number, { kind, size }: Dtype): NumberArray {
  if (kind === "f") {
    if (size === 8) return new Float64Array(buffer, pointer, n).slice();
    if (size === 4) return new Float32Array(buffer, pointer, n).slice();
    if (size === 2) return halves(new Uint16Array(buffer, pointer, n));
    throw new Error(`float${size * 8} can't be read in a browser`);
  }
  const signed = kind === "i";
  if (size === 8) return wide(new Uint32Array(buffer, pointer, 2 * n), signed);
  if (size === 4) return signed ? new Int32Array(buffer, pointer, n).slice() : new Uint32Array(buffer, pointer, n).slice();
  if (size === 2) return signed ? new Int16Array(buffer, pointer, n).slice() : new Uint16Array(buffer, pointer, n).slice();
  return signed ? new Int8Array(buffer, pointer, n).slice() : new Uint8Array(buffer, pointer, n).slice();
}

function wide(words: Uint32Array, signed: boolean): Float64Array {
  const values = new Float64Array(words.length / 2);
  for (let i = 0; i < values.length; i += 1) {
    const high = words[2 * i + 1];
    values[i] = words[2 * i] + (signed ? high | 0 : high) * 4294967296;
  }
  return values;
}

// Numbers of half precision.
function halves(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i += 1) {
    const exponent = (bits[i] >> 10) & 31, part = bits[i] & 1023;
    const size = exponent === 0 ? part * 2 ** -24 : exponent === 31 ? (part ? NaN : Infinity) : (1 + part / 1024) * 2 ** (exponent - 15);
    values[i] = bits[i] >> 15 ? -size : size;
  }
  return values;
}

// Pieces of text of one length each, step bytes apart, without what fills them up.
export function fixedText(memory: Uint8Array, n: number, { size, padding }: Dtype, step = size): string[] {
  const words = new Array<string>(n), filler = padding === SPACES ? 32 : 0;
  for (let i = 0; i < n; i += 1) {
    const start = i * step;
    let end = start + size;
    if (padding === 0) for (let at = start; at < end; at += 1) if (memory[at] === 0) end = at;
    while (end > start && memory[end - 1] === filler) end -= 1;
    words[i] = decoded(memory, start, end);
  }
  return words;
}

// Pieces of text of any length, of which memory holds the places, step bytes apart.
export function pointedText(pointer: number, n: number, step = 4): string[] {
  const { HEAPU8 } = hdf5(), view = new DataView(HEAPU8.buffer);
  const words = new Array<string>(n);
  for (let i = 0; i < n; i += 1) {
    const place = view.getUint32(pointer + i * step, true);
    let end = place;
    if (place !== 0) while (HEAPU8[end] !== 0) end += 1;
    words[i] = decoded(HEAPU8, place, end);
  }
  return words;
}

// Short plain letters, as most names are, are quicker put together than decoded.
function decoded(memory: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return decoder.decode(memory.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at += 1) {
    if (memory[at] > 127) return decoder.decode(memory.subarray(start, end));
    text += LETTERS[memory[at]];
  }
  return text;
}

// A number as Python's str() writes it; NaN, which stands for a missing one, is empty.
export function numberText(value: number, { kind }: Dtype): string {
  if (Number.isNaN(value)) return "";
  return kind === "b" ? (value ? "True" : "False") : kind === "f" ? float(value) : String(value);
}
