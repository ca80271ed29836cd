// Numbers read from bytes of text, in single precision, many times quicker than through strings.

const POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const MOST_DIGITS = 22;
// How far a sum of digits may be from the number that it stands for.
const ERROR = 4e-15;
const ZERO = 48, POINT = 46, COMMA = 44, MINUS = 45, PLUS = 43, BIG_E = 69, SMALL_E = 101;

// Where the number ends that was read last.
export let end = 0;

// The number that begins at a place, as float32 has it; NaN where it isn't plainly written, or its last digit is doubtful.
export function plainNumber(bytes: Uint8Array, start: number, stop: number, decimalComma: boolean): number {
  let at = start, sum = 0, decimals = 0, digits = 0;
  const negative = bytes[at] === MINUS;
  if (negative || bytes[at] === PLUS) at += 1;
  const first = at;
  for (; at < stop; at += 1) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) break;
    sum = sum * 10 + digit;
  }
  digits = at - first;
  if (at < stop && (bytes[at] === POINT || (decimalComma && bytes[at] === COMMA))) {
    const point = at;
    for (at += 1; at < stop; at += 1) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) break;
      sum = sum * 10 + digit;
    }
    decimals = at - point - 1;
    digits += decimals;
  }
  if (digits === 0 || digits > MOST_DIGITS) return NaN;
  let power = -decimals;
  if (at < stop && (bytes[at] === SMALL_E || bytes[at] === BIG_E)) {
    at += 1;
    const down = bytes[at] === MINUS;
    if (down || bytes[at] === PLUS) at += 1;
    const begin = at;
    let exponent = 0;
    for (; at < stop && at - begin < 4; at += 1) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) break;
      exponent = exponent * 10 + digit;
    }
    if (at === begin) return NaN;
    power += down ? -exponent : exponent;
  }
  if (power > 22 || power < -22) return NaN;
  end = at;
  const value = power < 0 ? sum / POWERS[-power] : sum * POWERS[power];
  const rounded = Math.fround(value);
  if (digits > 15 && Math.fround(value * (1 - ERROR)) !== Math.fround(value * (1 + ERROR))) return NaN;
  return negative ? -rounded : rounded;
}
