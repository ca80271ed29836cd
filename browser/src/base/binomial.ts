// How many of some trials succeed, drawn as NumPy's generators draw it.
//
// Few are drawn by adding up chances, many by rejection: Kachitvichyanukul & Schmeiser 1988, Binomial random variate
// generation, https://doi.org/10.1145/42372.42381.

// Expected successes, or failures, up to which chances are added up.
const FEW = 30;

// `random` gives numbers in [0, 1).
export function binomial(random: () => number, trials: number, chance: number): number {
  if (trials === 0 || chance === 0) return 0;
  const rarer = chance <= 0.5 ? chance : 1 - chance;
  const found = rarer * trials <= FEW ? added(random, trials, rarer) : rejected(random, trials, rarer);
  return chance <= 0.5 ? found : trials - found;
}

function added(random: () => number, n: number, p: number): number {
  const q = 1 - p, none = Math.exp(n * Math.log1p(-p)), most = Math.trunc(Math.min(n, n * p + 10 * Math.sqrt(n * p * q + 1)));
  for (;;) {
    let left = random(), own = none, found = 0;
    while (left > own && found <= most) {
      found += 1;
      left -= own;
      own = ((n - found + 1) * p * own) / (found * q);
    }
    if (found <= most) return found;
  }
}

// The hat over the distribution: a triangle in the middle, parallelograms at its sides, exponential tails.
interface Hat {
  r: number;
  q: number;
  middle: number;
  half: number;
  left: number;
  right: number;
  slant: number;
  decayLeft: number;
  decayRight: number;
}

function hatOf(n: number, r: number): Hat {
  const q = 1 - r, mode = n * r + r, middle = Math.floor(mode);
  const half = Math.floor(2.195 * Math.sqrt(n * r * q) - 4.6 * q) + 0.5, left = middle + 0.5 - half, right = middle + 0.5 + half;
  const decay = (a: number) => a * (1 + a / 2), slant = 0.134 + 20.5 / (15.3 + middle);
  return { r, q, middle, half, left, right, slant, decayLeft: decay((mode - left) / (mode - left * r)), decayRight: decay((right - mode) / (right * q)) };
}

function rejected(random: () => number, n: number, p: number): number {
  const hat = hatOf(n, p), { middle, half, left, right, slant, decayLeft, decayRight } = hat;
  const beside = half * (1 + 2 * slant), leftTail = beside + slant / decayLeft, all = leftTail + slant / decayRight;
  for (;;) {
    const u = random() * all;
    let v = random(), y = 0;
    if (u <= half) return Math.floor(middle + 0.5 - half * v + u);
    if (u <= beside) {
      const x = left + (u - half) / slant;
      v = v * slant + 1 - Math.abs(middle - x + 0.5) / half;
      if (v > 1) continue;
      y = Math.floor(x);
    } else if (u <= leftTail) {
      y = Math.floor(left + Math.log(v) / decayLeft);
      if (y < 0 || v === 0) continue;
      v *= (u - beside) * decayLeft;
    } else {
      y = Math.floor(right - Math.log(v) / decayRight);
      if (y > n || v === 0) continue;
      v *= (u - leftTail) * decayRight;
    }
    if (isBelow(v, y, n, hat)) return y;
  }
}

// Whether a point under the hat is under the distribution too.
function isBelow(v: number, y: number, n: number, { r, q, middle }: Hat): boolean {
  const spread = n * r * q, away = Math.abs(y - middle);
  if (away <= 20 || away >= spread / 2 - 1) {
    const odds = r / q, a = odds * (n + 1);
    let height = 1;
    for (let i = middle + 1; i <= y; i += 1) height *= a / i - odds;
    for (let i = y + 1; i <= middle; i += 1) height /= a / i - odds;
    return v <= height;
  }
  const slack = (away / spread) * ((away * (away / 3 + 0.625) + 1 / 6) / spread + 0.5), bell = (-away * away) / (2 * spread), log = Math.log(v);
  if (log < bell - slack) return true;
  if (log > bell + slack) return false;
  const x = y + 1, f = middle + 1, z = n + 1 - middle, w = n - y + 1;
  const exact = (middle + 0.5) * Math.log(f / x) + (n - middle + 0.5) * Math.log(z / w) + (y - middle) * Math.log((w * r) / (x * q));
  return log <= exact + stirling(f) + stirling(z) + stirling(x) + stirling(w);
}

// What Stirling's formula leaves out.
function stirling(value: number): number {
  const square = value * value;
  return (13680 - (462 - (132 - (99 - 140 / square) / square) / square) / square) / value / 166320;
}
