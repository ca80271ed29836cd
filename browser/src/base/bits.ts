// Whole numbers of 64 bits as two of 32: many times quicker than BigInt. Keys of cells are made of them.

export class U64Array {
  readonly high: Uint32Array;
  readonly low: Uint32Array;

  constructor(n: number) {
    this.high = new Uint32Array(n);
    this.low = new Uint32Array(n);
  }

  get length(): number {
    return this.low.length;
  }

  take(places: ArrayLike<number>): U64Array {
    const taken = new U64Array(places.length);
    for (let i = 0; i < places.length; i += 1) {
      taken.high[i] = this.high[places[i]];
      taken.low[i] = this.low[places[i]];
    }
    return taken;
  }

  static concat(parts: U64Array[]): U64Array {
    const all = new U64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.high.set(part.high, at);
      all.low.set(part.low, at);
      at += part.length;
    }
    return all;
  }

  // Negative, zero or positive as the number at one place is less than, equal to or more than that at the other.
  compare(one: number, other: number): number {
    return this.high[one] - this.high[other] || this.low[one] - this.low[other];
  }

  // Places in rising order; of equal numbers the first place comes first.
  argsort(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i).sort((a, b) => this.compare(a, b) || a - b);
  }
}

// The result of the last operation: two numbers can't be returned without an object for them.
export let high = 0;
export let low = 0;

// a * b modulo 2**64
export function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const a0 = aLow & 0xffff, a1 = aLow >>> 16, b0 = bLow & 0xffff, b1 = bLow >>> 16;
  const p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  low = ((middle << 16) | (p00 & 0xffff)) >>> 0;
  const carried = a1 * b1 + Math.floor(p01 / 65536) + Math.floor(p10 / 65536) + Math.floor(middle / 65536);
  high = ((carried >>> 0) + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) >>> 0;
}

// a + b modulo 2**64
export function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = aLow + bLow;
  low = sum >>> 0;
  high = (aHigh + bHigh + (sum > 0xffffffff ? 1 : 0)) >>> 0;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

// The bits of a number in double precision.
export function bitsOf(value: number): void {
  double[0] = value;
  low = halves[0];
  high = halves[1];
}
