// What NumPy has and JavaScript lacks, with NumPy's rules.

export type Numbers = ArrayLike<number>;

// Places in rising order of the values; of equal ones the first comes first. NaN is last, as in NumPy.
export function argsort(values: Numbers): Int32Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => {
    const [one, other] = [values[a], values[b]];
    if (one !== one || other !== other) return Number(one !== one) - Number(other !== other) || a - b;
    return one < other ? -1 : one > other ? 1 : a - b;
  });
}

// The mean of the two in the middle, in single precision where the values are; NaN for none, or with NaN among them.
export function median(values: Numbers): number {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  if (sorted.length === 0 || Number.isNaN(sorted[sorted.length - 1])) return NaN;
  if (sorted.length % 2 === 1) return sorted[middle];
  const sum = sorted[middle - 1] + sorted[middle];
  return values instanceof Float32Array ? Math.fround(sum) / 2 : sum / 2;
}

// By linear interpolation, NumPy's default; NaN for none, or with NaN among them.
export function quantile(values: Numbers, share: number): number {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  if (Number.isNaN(sorted[sorted.length - 1])) return NaN;
  const at = share * (sorted.length - 1), low = Math.floor(at), part = at - low;
  if (part === 0) return sorted[low];
  // as NumPy does it, so that the last digit is the same
  const step = sorted[low + 1] - sorted[low];
  return part >= 0.5 ? sorted[low + 1] - step * (1 - part) : sorted[low] + step * part;
}

// Where a value would be put among rising ones: before equal ones, or after them with right.
export function searchsorted(sorted: Numbers, value: number, right = false): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (right ? sorted[middle] <= value : sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function bincount(values: Numbers, least = 0): Int32Array {
  let most = least - 1;
  for (let i = 0; i < values.length; i += 1) if (values[i] > most) most = values[i];
  const count = new Int32Array(most + 1);
  for (let i = 0; i < values.length; i += 1) count[values[i]] += 1;
  return count;
}

// The different values, rising.
export function unique(values: Numbers): number[] {
  return [...new Set(Array.from(values))].sort((a, b) => a - b);
}

export function flatnonzero(values: ArrayLike<number | boolean>): Int32Array {
  const found: number[] = [];
  for (let i = 0; i < values.length; i += 1) if (values[i]) found.push(i);
  return Int32Array.from(found);
}

export function sum(values: Numbers): number {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) total += values[i];
  return total;
}

// Of the largest value the first place; -1 for none.
export function argmax(values: Numbers): number {
  let best = values.length ? 0 : -1;
  for (let i = 1; i < values.length; i += 1) if (values[i] > values[best]) best = i;
  return best;
}

export function cumsum(values: Numbers): Float64Array {
  const sums = new Float64Array(values.length);
  let total = 0;
  for (let i = 0; i < values.length; i += 1) sums[i] = total += values[i];
  return sums;
}
