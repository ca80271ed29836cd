// What SciPy's stats has and this engine needs: tails of the normal and of Student's t distribution, adjusted p-values.

// What standard deviations a share of the normal distribution lies below: norm.ppf(0.975).
export const NORMAL_975 = 1.959963984540054;

// Upper tail of the normal distribution: norm.sf(z).
export const normalTail = (z: number): number => 0.5 * erfc(z / Math.SQRT2);

// The complement of the error function, small values too: series near zero, continued fraction far from it.
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) {
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
      if (term === 0) break;
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n -= 1) fraction = (n / 2) / (x + fraction);
  return Math.exp(-x * x) / ((x + fraction) * Math.sqrt(Math.PI));
}

// p-values adjusted for their number after Benjamini and Hochberg: false_discovery_control.
export function falseDiscovery(p: ArrayLike<number>): Float64Array {
  const n = p.length, order = Array.from({ length: n }, (_, i) => i).sort((a, b) => p[a] - p[b]), q = new Float64Array(n);
  let least = 1;
  for (let rank = n; rank > 0; rank -= 1) {
    least = Math.min(least, p[order[rank - 1]] * (n / rank));
    q[order[rank - 1]] = least;
  }
  return q;
}

// Both tails of Student's t distribution beyond a value.
export const studentTails = (t: number, freedom: number): number => (Number.isFinite(t) ? betaShare(freedom / (freedom + t * t), freedom / 2, 0.5) : t === t ? 0 : NaN);

// The value beyond which, in both tails, a share of Student's t distribution lies.
export function studentBound(share: number, freedom: number): number {
  let low = 0, high = 1;
  while (studentTails(high, freedom) > share) high *= 2;
  for (let round = 0; round < 200 && low < high; round += 1) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentTails(middle, freedom) > share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

// The regularised incomplete beta function (Press et al., Numerical Recipes, betai).
function betaShare(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

function fraction(x: number, a: number, b: number): number {
  const least = 1e-300, away = (value: number) => (Math.abs(value) < least ? least : value);
  let c = 1, d = 1 / away(1 - ((a + b) * x) / (a + 1)), found = d;
  for (let m = 1; m < 1000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    found *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    found *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return found;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i += 1) sum += LANCZOS[i] / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
