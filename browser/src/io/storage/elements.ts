// Tables, categories and records as AnnData encodes them.

import type { Column, Frame } from "../../base/frame.ts";
import { attribute, type WrittenKind } from "./encode.ts";
import type { Hdf5Writer, Written } from "./writer.ts";

// What can be put into a record: words, numbers, lists of them, and records; null is left out.
export type Storable = string | number | boolean | null | Float32Array | Float64Array | Int32Array | readonly Storable[] | Record;
export interface Record {
  readonly [key: string]: Storable;
}

const ARRAY: [string, string] = ["array", "0.2.0"];
const WORDS: [string, string] = ["string-array", "0.2.0"];

// How exact the numbers of a table are: ours are of 4 bytes, those that a file had before may need 8.
export type Precision = 4 | 8;

export function writeColumn(writer: Hdf5Writer, column: Column, precision: Precision): number {
  switch (column.kind) {
    case "category": return categories(writer, column);
    case "text": return writeWords(writer, column.values.map((word) => word ?? ""));
    case "flag": return flags(writer, column.values);
    case "number": return numbers(writer, column, precision);
  }
}

// A table in a group of its own: its index and columns, those with names that h5ad forbids left out.
export function writeTable(writer: Hdf5Writer, table: Frame, precision: (name: string) => Precision = () => 8): number {
  const found = new Map<string, number>([["_index", writeWords(writer, table.index)]]), order: string[] = [];
  for (const [name, column] of table.columns) {
    if (["", ".", "_index", "__categories"].includes(name) || name.includes("/")) continue;
    found.set(name, writeColumn(writer, column, precision(name)));
    order.push(name);
  }
  return writer.encoded(found, ["dataframe", "0.2.0"], [writer.text("_index", "_index"), writer.texts("column-order", order)]);
}

export function writeRecord(writer: Hdf5Writer, record: Record): number {
  const found = new Map<string, number>();
  const entries = Object.entries(record).filter(([, value]) => value !== null);
  for (const [key, value] of entries.map(([name, held]) => [name.replaceAll("/", "_"), held] as const).sort(([a], [b]) => (a < b ? -1 : Number(a > b)))) {
    found.set(key, writeValue(writer, value));
  }
  return writer.encoded(found, ["dict", "0.1.0"]);
}

export function writeMatrix(writer: Hdf5Writer, data: Float32Array, width: number): number {
  return writer.array(data, "f4", [width ? data.length / width : 0, width], ARRAY);
}

function writeValue(writer: Hdf5Writer, value: Storable): number {
  if (typeof value === "string") return writer.array([value], "text", [], ["string", "0.2.0"]);
  if (typeof value === "number" || typeof value === "boolean") return list(writer, [value], [], ["numeric-scalar", "0.2.0"]);
  if (value instanceof Float32Array) return writer.array(value, "f4", [value.length], ARRAY);
  if (value instanceof Float64Array) return writer.array(value, "f8", [value.length], ARRAY);
  if (value instanceof Int32Array) return writer.array(value, "i4", [value.length], ARRAY);
  if (!Array.isArray(value)) return writeRecord(writer, value as Record);
  if (!value.length || value.some((item) => typeof item === "string")) return writeWords(writer, value.map(String));
  const shape = [value.length, ...(Array.isArray(value[0]) ? [value[0].length] : [])];
  return list(writer, value.flat() as (number | boolean)[], shape, ARRAY);
}

function list(writer: Hdf5Writer, values: (number | boolean)[], shape: number[], encoding: [string, string]): number {
  if (values.every((value) => typeof value === "boolean")) return writer.array(Uint8Array.from(values, Number), "bool", shape, encoding);
  if (values.every(Number.isInteger)) return writer.array(wide(values as number[]), "i8", shape, encoding);
  return writer.array(Float64Array.from(values as number[]), "f8", shape, encoding);
}

export function writeWords(writer: Hdf5Writer, values: string[]): number {
  return writer.array(values, "text", [values.length], WORDS);
}

function categories(writer: Hdf5Writer, { codes, categories: names, ordered }: Column & { kind: "category" }): number {
  const n = names.length, [kind, values]: [WrittenKind, Written] = n < 127 ? ["i1", Int8Array.from(codes)] : n < 32767 ? ["i2", Int16Array.from(codes)] : ["i4", codes];
  const found = new Map([["categories", writeWords(writer, names)], ["codes", writer.array(values, kind, [codes.length], ARRAY)]]);
  return writer.encoded(found, ["categorical", "0.2.0"], [attribute("ordered", "bool", [], Uint8Array.of(ordered ? 1 : 0))]);
}

function flags(writer: Hdf5Writer, values: Uint8Array): number {
  if (!values.includes(2)) return writer.array(values, "bool", [values.length], ARRAY);
  return nullable(writer, "boolean", values.map((value) => Number(value === 1)), "bool", values.map((value) => Number(value === 2)));
}

function numbers(writer: Hdf5Writer, { values, whole }: Column & { kind: "number" }, precision: Precision): number {
  const shape = [values.length];
  if (!whole) return writer.array(precision === 4 ? Float32Array.from(values) : values, precision === 4 ? "f4" : "f8", shape, ARRAY);
  const missing = Uint8Array.from(values, (value) => Number(Number.isNaN(value)));
  const [kind, bytes]: [WrittenKind, Written] = precision === 4 ? ["i4", Int32Array.from(values)] : ["i8", wide(values)];
  return missing.includes(1) ? nullable(writer, "integer", bytes, kind, missing) : writer.array(bytes, kind, shape, ARRAY);
}

function nullable(writer: Hdf5Writer, type: string, values: Written, kind: WrittenKind, missing: Uint8Array): number {
  const shape = [missing.length];
  const found = new Map([["mask", writer.array(missing, "bool", shape, ARRAY)], ["values", writer.array(values, kind, shape, ARRAY)]]);
  return writer.encoded(found, [`nullable-${type}`, "0.1.0"]);
}

// Whole numbers as the bytes of such of 64 bits; missing ones as zero.
export function wide(values: ArrayLike<number>): Uint8Array {
  const halves = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] || 0;
    halves[2 * i] = value % 4294967296;
    halves[2 * i + 1] = Math.floor(value / 4294967296);
  }
  return new Uint8Array(halves.buffer);
}
