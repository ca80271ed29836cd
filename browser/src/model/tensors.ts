// Numbers of a network: as they are stored in its file, and as the network works with them.

import { fromHalf } from "../base/halves.ts";
import type { Message } from "./protobuf.ts";

// Always in single precision: whole numbers are axes and the like, and small.
export interface Tensor {
  data: Float32Array;
  dims: number[];
}

// A tensor as its file has it.
export interface Stored {
  name: string;
  dims: number[];
  dataType: number;
  rawData: Uint8Array;
  // Whether its numbers lie in another file.
  isElsewhere: boolean;
}

const FLOAT = 1, INT32 = 6, INT64 = 7, BOOL = 9, HALF = 10;

// Bytes of a number of each type that weights and constants may have, by ONNX's numbers for these.
export const TYPES: ReadonlyMap<number, number> = new Map([[FLOAT, 4], [INT32, 4], [INT64, 8], [BOOL, 1], [HALF, 2]]);

export function storedOf(message: Message): Stored {
  return {
    name: message.text(8),
    dims: message.wholes(1),
    dataType: message.number(2),
    rawData: message.raw(9) ?? new Uint8Array(0),
    isElsewhere: message.has(13) || message.number(14) !== 0,
  };
}

export const sizeOf = (dims: number[]): number => dims.reduce((size, side) => size * side, 1);

const read = new WeakMap<Stored, Tensor>();

// The numbers of a tensor; null where they aren't stored as those of exported networks are.
export function valuesOf(stored: Stored): Tensor | null {
  const { dims, dataType, rawData } = stored, bytes = TYPES.get(dataType);
  if (bytes === undefined || rawData.length !== sizeOf(dims) * bytes) return null;
  let values = read.get(stored);
  if (values === undefined) read.set(stored, (values = { data: numbersOf(rawData, dataType), dims: [...dims] }));
  return values;
}

function numbersOf(rawData: Uint8Array, dataType: number): Float32Array {
  if (dataType === HALF) return halves(rawData);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength), bytes = TYPES.get(dataType)!;
  return Float32Array.from({ length: rawData.length / bytes }, (_, i) => {
    if (dataType === FLOAT) return view.getFloat32(4 * i, true);
    if (dataType === INT32) return view.getInt32(4 * i, true);
    if (dataType === INT64) return view.getInt32(8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true);
    return rawData[i] ? 1 : 0;
  });
}

let halfByBits: Float32Array | null = null;

// Numbers of half precision: most weights are, so what each can be is worked out once.
function halves(rawData: Uint8Array): Float32Array {
  const valueOf = (halfByBits ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => fromHalf(bits)));
  const data = new Float32Array(rawData.length / 2);
  for (let i = 0; i < data.length; i += 1) data[i] = valueOf[rawData[2 * i] | (rawData[2 * i + 1] << 8)];
  return data;
}
