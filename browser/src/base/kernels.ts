// What is done for each number of many cells, by WebAssembly: see kernels.wat. Browsers that know no SIMD do the same
// in plain loops, in single precision too.

import { KERNELS } from "./kernels_wasm.ts";

// Points that are compared at once, and rows that they are compared with.
export const GROUP = 8, ROWS = 4;
// Columns of a table that are added up at once.
export const COLUMNS = 32;

interface Made {
  products(rows: number, points: number, groups: number, width: number, made: number, tops: number): void;
  sums(table: number, places: number, values: number, count: number, made: number): void;
}

const single = Math.fround;
let compiled: WebAssembly.Module | null | undefined;

function module(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  try {
    compiled = new WebAssembly.Module(Uint8Array.from(atob(KERNELS), (letter) => letter.charCodeAt(0)));
  } catch {
    compiled = null;
  }
  return compiled;
}

// Memory with room for so many numbers, and what can be done in it. Places in it are counted in numbers.
export class Kernels {
  readonly numbers: Float32Array;
  private readonly places: Int32Array;
  private readonly made: Made;

  constructor(size: number) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * size) / 65536) + 1 });
    this.numbers = new Float32Array(memory.buffer);
    this.places = new Int32Array(memory.buffer);
    const found = module();
    this.made = found === null ? plain(this.numbers, this.places) : (new WebAssembly.Instance(found, { page: { memory } }).exports as unknown as Made);
  }

  // Products of four rows, one after another, with groups of eight points, number by number: of each group for each row
  // eight products, and the largest of these.
  products(rows: number, points: number, groups: number, width: number, made: number, tops: number): void {
    this.made.products(4 * rows, 4 * points, groups, width, 4 * made, 4 * tops);
  }

  // The sum of some rows of a table of 32 columns, each times its value; `places` says where each row begins in it.
  sums(table: number, places: number, values: number, count: number, made: number): void {
    this.made.sums(4 * table, 4 * places, 4 * values, count, 4 * made);
  }

  // Writes where rows of a table begin.
  setPlaces(at: number, places: ArrayLike<number>, count: number): void {
    for (let i = 0; i < count; i += 1) this.places[at + i] = 4 * places[i];
  }
}

const plain = (numbers: Float32Array, bytes: Int32Array): Made => ({
  products(rows, points, groups, width, made, tops) {
    const [from, first, to, top] = [rows / 4, points / 4, made / 4, tops / 4];
    for (let group = 0; group < groups; group += 1) {
      for (let row = 0; row < ROWS; row += 1) {
        let most = -Infinity;
        for (let point = 0; point < GROUP; point += 1) {
          let sum = 0;
          for (let d = 0; d < width; d += 1) sum += numbers[from + row * width + d] * numbers[first + (group * width + d) * GROUP + point];
          numbers[to + (group * ROWS + row) * GROUP + point] = sum;
          most = Math.max(most, sum);
        }
        numbers[top + group * ROWS + row] = most;
      }
    }
  },
  sums(table, places, values, count, made) {
    const to = made / 4;
    numbers.fill(0, to, to + COLUMNS);
    for (let i = 0; i < count; i += 1) {
      const value = numbers[values / 4 + i], row = (table + bytes[places / 4 + i]) / 4;
      for (let k = 0; k < COLUMNS; k += 1) numbers[to + k] += single(value * numbers[row + k]);
    }
  },
});
