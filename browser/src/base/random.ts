// Random numbers as NumPy's default_rng(seed) gives them: PCG64 (XSL-RR), seeded by SeedSequence.

import { high, low, multiply } from "./bits.ts";

const INIT_A = 0x43b0d7e5, MULT_A = 0x931e8875, INIT_B = 0x8b51f9dd, MULT_B = 0x58f38ded;
const MIX_L = 0xca01f9dd, MIX_R = 0x4973f715;
const POOL = 4;

// The multiplier of the generator, 16 bits a place, lowest first.
const MULTIPLIER = [0xf645, 0x9fcc, 0xdf64, 0x4385, 0x5da4, 0x1fc6, 0xed05, 0x2360];

// Eight words of 32 bits of a seed below 2**32, as SeedSequence(seed).generate_state(4) has them.
function seeded(seed: number): Uint32Array {
  let constant = INIT_A;
  const hashed = (value: number) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, MULT_A) >>> 0;
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: POOL }, (_, i) => hashed(i === 0 ? seed : 0));
  for (let from = 0; from < POOL; from += 1) {
    for (let to = 0; to < POOL; to += 1) {
      if (from === to) continue;
      const mixed = (Math.imul(MIX_L, pool[to]) - Math.imul(MIX_R, hashed(pool[from]))) >>> 0;
      pool[to] = (mixed ^ (mixed >>> 16)) >>> 0;
    }
  }
  constant = INIT_B;
  return Uint32Array.from({ length: 8 }, (_, i) => {
    let value = (pool[i % POOL] ^ constant) >>> 0;
    constant = Math.imul(constant, MULT_B) >>> 0;
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  });
}

export class Generator {
  // 128 bits each, 16 a place, lowest first; doubles hold what is carried.
  private readonly state = new Float64Array(8);
  private readonly step = new Float64Array(8);
  private readonly next = new Float64Array(8);
  // The upper half of the last 64 bits, where only the lower one was asked for.
  private kept = -1;
  // The last 64 bits.
  high = 0;
  low = 0;

  constructor(seed = 0) {
    const words = seeded(seed);
    // the four words of 64 bits: the state's upper and lower, then the step's
    const places = [words[2], words[3], words[0], words[1]], steps = [words[6], words[7], words[4], words[5]];
    for (let i = 0; i < 4; i += 1) {
      const shifted = ((steps[i] << 1) | (i === 0 ? 1 : steps[i - 1] >>> 31)) >>> 0;
      this.step[2 * i] = shifted & 0xffff;
      this.step[2 * i + 1] = shifted >>> 16;
    }
    this.advance();
    let carried = 0;
    for (let i = 0; i < 8; i += 1) {
      carried += this.state[i] + (i % 2 ? places[i >> 1] >>> 16 : places[i >> 1] & 0xffff);
      this.state[i] = carried & 0xffff;
      carried = carried > 0xffff ? 1 : 0;
    }
    this.advance();
  }

  private advance(): void {
    const { state, step, next } = this;
    let carried = 0;
    for (let i = 0; i < 8; i += 1) {
      let sum = step[i] + carried;
      for (let j = 0; j <= i; j += 1) sum += state[j] * MULTIPLIER[i - j];
      carried = Math.floor(sum / 65536);
      next[i] = sum - carried * 65536;
    }
    state.set(next);
  }

  // The next 64 bits, into high and low.
  next64(): void {
    this.advance();
    const s = this.state;
    const high = ((s[7] * 65536 + s[6]) ^ (s[3] * 65536 + s[2])) >>> 0, low = ((s[5] * 65536 + s[4]) ^ (s[1] * 65536 + s[0])) >>> 0;
    const turn = s[7] >>> 10, by = turn & 31;
    // turned to the right; by half or more the halves change places first
    const [one, other] = turn >= 32 ? [low, high] : [high, low];
    this.high = by ? ((one >>> by) | (other << (32 - by))) >>> 0 : one;
    this.low = by ? ((other >>> by) | (one << (32 - by))) >>> 0 : other;
  }

  next32(): number {
    if (this.kept >= 0) {
      const half = this.kept;
      this.kept = -1;
      return half;
    }
    this.next64();
    this.kept = this.high;
    return this.low;
  }

  // A number in [0, 1), of 53 bits.
  random(): number {
    this.next64();
    return (this.high * 2097152 + (this.low >>> 11)) / 9007199254740992;
  }

  // A whole number from 0 to most, which is below 2**32 - 1 (Lemire 2019, as NumPy does it).
  upTo(most: number): number {
    if (most === 0) return 0;
    const many = most + 1;
    multiply(0, many, 0, this.next32());
    if (low < many) {
      const least = (4294967295 - most) % many;
      while (low < least) multiply(0, many, 0, this.next32());
    }
    return high;
  }

  // The same by throwing away what is too large, as NumPy shuffles.
  private masked(most: number): number {
    const mask = 4294967295 >>> Math.clz32(most);
    for (;;) {
      const drawn = (this.next32() & mask) >>> 0;
      if (drawn <= most) return drawn;
    }
  }

  // The numbers from 0 on in any order.
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i -= 1) {
      const j = this.masked(i), held = order[i];
      order[i] = order[j];
      order[j] = held;
    }
    return order;
  }
}
