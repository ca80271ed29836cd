// Sums as NumPy has them, to the last digit: it adds in pairs of halves, eight numbers side by side.

import type { Numbers } from "./arrays.ts";

const AT_ONCE = 128;

// np.sum of values from one place up to another, in double precision.
export function pairwise(values: Numbers, from: number, to: number): number {
  const n = to - from;
  if (n > AT_ONCE) {
    const half = Math.floor(n / 2), middle = from + half - (half % 8);
    return pairwise(values, from, middle) + pairwise(values, middle, to);
  }
  let sum = 0, i = from;
  if (n >= 8) {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (const last = to - (n % 8); i < last; i += 8) {
      r0 += values[i];
      r1 += values[i + 1];
      r2 += values[i + 2];
      r3 += values[i + 3];
      r4 += values[i + 4];
      r5 += values[i + 5];
      r6 += values[i + 6];
      r7 += values[i + 7];
    }
    sum = r0 + r1 + (r2 + r3) + (r4 + r5 + (r6 + r7));
  }
  for (; i < to; i += 1) sum += values[i];
  return sum;
}

// The same in single precision.
export function pairwiseSingle(values: Numbers, from: number, to: number): number {
  const n = to - from, single = Math.fround;
  if (n > AT_ONCE) {
    const half = Math.floor(n / 2), middle = from + half - (half % 8);
    return single(pairwiseSingle(values, from, middle) + pairwiseSingle(values, middle, to));
  }
  let sum = 0, i = from;
  if (n >= 8) {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (const last = to - (n % 8); i < last; i += 8) {
      r0 = single(r0 + values[i]);
      r1 = single(r1 + values[i + 1]);
      r2 = single(r2 + values[i + 2]);
      r3 = single(r3 + values[i + 3]);
      r4 = single(r4 + values[i + 4]);
      r5 = single(r5 + values[i + 5]);
      r6 = single(r6 + values[i + 6]);
      r7 = single(r7 + values[i + 7]);
    }
    sum = single(single(single(r0 + r1) + single(r2 + r3)) + single(single(r4 + r5) + single(r6 + r7)));
  }
  for (; i < to; i += 1) sum = single(sum + values[i]);
  return sum;
}

// One stretch of np.add.reduceat, which takes the first value apart; 0 for none.
export function reduced(values: Numbers, from: number, to: number): number {
  return to > from ? values[from] + pairwise(values, from + 1, to) : 0;
}

export function reducedSingle(values: Numbers, from: number, to: number): number {
  return to > from ? Math.fround(values[from] + pairwiseSingle(values, from + 1, to)) : 0;
}
