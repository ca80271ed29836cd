// Rows of numbers in single precision, one after another; the number of rows follows from the width.

import { joined } from "./joined.ts";

export interface Matrix {
  data: Float32Array;
  width: number;
}

export const zeros = (height: number, width: number): Matrix => ({ data: new Float32Array(height * width), width });

export const heightOf = (matrix: Matrix): number => (matrix.width ? matrix.data.length / matrix.width : 0);

// One row, without a copy.
export const rowOf = (matrix: Matrix, row: number): Float32Array => matrix.data.subarray(row * matrix.width, (row + 1) * matrix.width);

// Consecutive rows, without a copy.
export const slice = (matrix: Matrix, start: number, stop: number): Matrix => ({
  data: matrix.data.subarray(start * matrix.width, stop * matrix.width),
  width: matrix.width,
});

// Some rows, in the order in which they are asked for.
export function takeRows(matrix: Matrix, chosen: ArrayLike<number>): Matrix {
  const taken = zeros(chosen.length, matrix.width);
  for (let i = 0; i < chosen.length; i += 1) taken.data.set(rowOf(matrix, chosen[i]), i * matrix.width);
  return taken;
}

export const vstack = (parts: Matrix[], width = parts[0]?.width ?? 0): Matrix => ({ data: joined(Float32Array, parts.map(({ data }) => data)), width });
