// The error function to some 1e-15, but 1 and -1 from 4 on: in single precision nothing else is left there.
// Cody 1969, Rational Chebyshev approximations for the error function, https://doi.org/10.1090/S0025-5718-1969-0247736-4.

export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) {
    const z = y * y;
    const over = (((0.185777706184603153 * z + 3.1611237438705656) * z + 113.864154151050156) * z + 377.485237685302021) * z + 3209.37758913846947;
    const under = (((z + 23.6012909523441209) * z + 244.024637934444173) * z + 1282.61652607737228) * z + 2844.23683343917062;
    return (x * over) / under;
  }
  if (y > 4) return x > 0 ? 1 : x < 0 ? -1 : NaN;
  let over = 2.15311535474403846e-8 * y + 0.564188496988670089, under = y + 15.7449261107098347;
  over = (((over * y + 8.88314979438837594) * y + 66.1191906371416295) * y + 298.635138197400131) * y + 881.95222124176909;
  over = ((over * y + 1712.04761263407058) * y + 2051.07837782607147) * y + 1230.33935479799725;
  under = (((under * y + 117.693950891312499) * y + 537.181101862009858) * y + 1621.38957456669019) * y + 3290.79923573345963;
  under = ((under * y + 4362.61909014324716) * y + 3439.36767414372164) * y + 1230.33935480374942;
  const left = (Math.exp(-y * y) * over) / under;
  return x > 0 ? 1 - left : left - 1;
}
