// Numbers of half precision, as NumPy's float16 holds them: what is stored of probabilities.

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

// The bits of the half that is nearest, the even one of two.
export function toHalf(value: number): number {
  single[0] = value;
  const all = bits[0], sign = (all >>> 16) & 0x8000, size = all & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size < 0x38800000) {
    // too small for an exponent: multiples of 2**-24
    const steps = Math.abs(single[0]) * 16777216, low = Math.floor(steps), part = steps - low;
    return sign | (part > 0.5 || (part === 0.5 && low & 1) ? low + 1 : low);
  }
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1, exponent = (half >>> 10) & 31, part = half & 1023;
  if (exponent === 0) return (sign * part) / 16777216;
  if (exponent === 31) return part ? NaN : sign * Infinity;
  return sign * (1 + part / 1024) * 2 ** (exponent - 15);
}

// A number as half precision holds it.
export const rounded = (value: number): number => fromHalf(toHalf(value));
