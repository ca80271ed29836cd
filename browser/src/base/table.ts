// Sums of a table's rows, each times its value: what a cell's numbers times a matrix are. In single precision, four
// numbers at once.

import { COLUMNS, Kernels } from "./kernels.ts";

export class Table {
  // Of each row that is added up its value; written by whoever asks for a sum.
  readonly values: Float32Array;
  private readonly kernels: Kernels;
  private readonly size: number;
  private readonly placesAt: number;
  private readonly madeAt: number;
  private readonly rowPlaces: Int32Array;

  // A table of so many rows and columns; `number` gives what stands in it.
  constructor(readonly height: number, readonly width: number, number: (row: number, column: number) => number) {
    const blocks = Math.ceil(width / COLUMNS), valuesAt = blocks * height * COLUMNS;
    // of 32 columns all rows, then of the next 32
    this.size = height * COLUMNS;
    this.placesAt = valuesAt + height;
    this.madeAt = this.placesAt + height;
    this.kernels = new Kernels(this.madeAt + COLUMNS);
    this.values = this.kernels.numbers.subarray(valuesAt, valuesAt + height);
    this.rowPlaces = new Int32Array(height);
    for (let column = 0; column < width; column += 1) {
      const from = Math.floor(column / COLUMNS) * this.size + (column % COLUMNS);
      for (let row = 0; row < height; row += 1) this.kernels.numbers[from + row * COLUMNS] = number(row, column);
    }
  }

  // Chooses the rows that are added up, each at most once.
  choose(rows: ArrayLike<number>, from: number, count: number): void {
    for (let e = 0; e < count; e += 1) this.rowPlaces[e] = rows[from + e] * COLUMNS;
    this.kernels.setPlaces(this.placesAt, this.rowPlaces, count);
  }

  // Writes the sum of the first so many of the chosen rows.
  add(count: number, made: Float32Array, at: number): void {
    const { kernels, madeAt, placesAt, size, values, width } = this;
    for (let column = 0; column < width; column += COLUMNS) {
      kernels.sums((column / COLUMNS) * size, placesAt, values.byteOffset / 4, count, madeAt);
      for (let k = 0; k < COLUMNS && column + k < width; k += 1) made[at + column + k] = kernels.numbers[madeAt + k];
    }
  }
}
