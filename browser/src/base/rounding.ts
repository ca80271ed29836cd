// Rounding as NumPy does it: of two whole numbers that are as near, the even one.

// Added to a number and taken off again, this leaves no room for what comes after the point.
const ROOM = 1.5 * 2 ** 52;

// np.rint
export function rint(value: number): number {
  return value < 2 ** 51 && value > -(2 ** 51) ? value + ROOM - ROOM : value;
}

// np.round(value, digits)
export function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return rint(value * scale) / scale;
}
