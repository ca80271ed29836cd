// The largest eigenvalues of a symmetric matrix that is never formed: Lanczos' method, every step made orthogonal to all before.

const MOST_STEPS = 600;
// Steps between two looks at whether the directions stand.
const LOOK = 30;
const CLOSE = 1e-11;
// Where there are no more directions than this, as many steps are taken at least: then not even equal eigenvalues are missed.
const SMALL = 240;
// Share of the largest eigenvalue below which others are none.
const NONE = 1e-13;

export interface Wanted {
  numbers: number;
  // Directions that have an eigenvalue, at most.
  most: number;
  start: Float64Array;
}

// Directions of the largest eigenvalues, the largest first; zeros where there is none. `times` writes the product of the
// matrix, of so many sides, and a vector.
export function largestDirections(times: (vector: Float64Array, product: Float64Array) => void, side: number, { numbers, most, start }: Wanted): Float64Array[] {
  const fewest = most <= SMALL ? most : 0, steps = Math.min(side, most <= SMALL ? most + LOOK : MOST_STEPS);
  const basis: Float64Array[] = [unit(start) ?? other([], side)!];
  const diagonal: number[] = [], beside: number[] = [];
  for (;;) {
    const last = basis[basis.length - 1], next = new Float64Array(side);
    times(last, next);
    diagonal.push(dot(last, next));
    orthogonal(next, basis);
    const left = Math.sqrt(dot(next, next)), done = diagonal.length;
    if (done === steps || (done >= fewest && (fewest || done % LOOK === 0) && stands(diagonal, beside, left, numbers))) {
      return combined(basis, diagonal, beside, numbers, side);
    }
    const goesOn = left > NONE * Math.max(...diagonal.map(Math.abs));
    // where the steps have left nothing to go on with, they go on with anything else
    const going = goesOn ? next.map((value) => value / left) : other(basis, side);
    if (going === null) return combined(basis, diagonal, beside, numbers, side);
    beside.push(goesOn ? left : 0);
    basis.push(going);
  }
}

function stands(diagonal: number[], beside: number[], left: number, numbers: number): boolean {
  if (diagonal.length <= numbers) return false;
  const { values, vectors, order } = tridiagonal(diagonal, beside);
  const n = diagonal.length, largest = Math.abs(values[order[0]]);
  for (let k = 0; k < numbers; k += 1) if (left * Math.abs(vectors[(n - 1) * n + order[k]]) > CLOSE * largest) return false;
  return true;
}

function combined(basis: Float64Array[], diagonal: number[], beside: number[], numbers: number, side: number): Float64Array[] {
  const { values, vectors, order } = tridiagonal(diagonal, beside), n = diagonal.length;
  return Array.from({ length: numbers }, (_, k) => {
    const direction = new Float64Array(side);
    if (k >= n || values[order[k]] <= NONE * values[order[0]]) return direction;
    for (let j = 0; j < n; j += 1) {
      const share = vectors[j * n + order[k]], own = basis[j];
      for (let i = 0; i < side; i += 1) direction[i] += share * own[i];
    }
    return direction;
  });
}

// Twice, as once leaves what rounding did.
function orthogonal(vector: Float64Array, basis: Float64Array[]): void {
  for (let round = 0; round < 2; round += 1) {
    for (const one of basis) {
      const share = dot(vector, one);
      for (let i = 0; i < vector.length; i += 1) vector[i] -= share * one[i];
    }
  }
}

function other(basis: Float64Array[], side: number): Float64Array | null {
  for (let step = 0; step < side; step += 1) {
    const vector = new Float64Array(side);
    vector[(basis.length + step) % side] = 1;
    orthogonal(vector, basis);
    if (dot(vector, vector) > 1e-6) return unit(vector);
  }
  return null;
}

function unit(vector: Float64Array): Float64Array | null {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((value) => value / length) : null;
}

function dot(one: Float64Array, two: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i += 1) sum += one[i] * two[i];
  return sum;
}

interface Eigen {
  values: Float64Array;
  // Row by row; a column is a vector.
  vectors: Float64Array;
  // Columns by their values, the largest first.
  order: number[];
}

// Eigenvalues and vectors of a tridiagonal matrix, by implicit QL (Press et al., Numerical Recipes, tqli).
function tridiagonal(diagonal: number[], beside: number[]): Eigen {
  const n = diagonal.length, values = Float64Array.from(diagonal), off = new Float64Array(n);
  for (let i = 0; i + 1 < n; i += 1) off[i] = beside[i];
  const vectors = new Float64Array(n * n), none = Number.EPSILON * Math.max(...diagonal.map(Math.abs));
  for (let i = 0; i < n; i += 1) vectors[i * n + i] = 1;
  for (let l = 0; l < n; l += 1) {
    for (let round = 0; round < 200; round += 1) {
      let m = l;
      for (; m < n - 1; m += 1) {
        // eigenvalues that are none have nothing beside them either
        const size = Math.max(Math.abs(values[m]) + Math.abs(values[m + 1]), none);
        if (Math.abs(off[m]) <= Number.EPSILON * size) break;
      }
      if (m === l) break;
      turn(values, off, vectors, l, m);
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b);
  return { values, vectors, order };
}

function turn(values: Float64Array, off: Float64Array, vectors: Float64Array, l: number, m: number): void {
  const n = values.length;
  let g = (values[l + 1] - values[l]) / (2 * off[l]), r = Math.hypot(g, 1);
  g = values[m] - values[l] + off[l] / (g + (g >= 0 ? r : -r));
  let s = 1, c = 1, p = 0, i = m - 1;
  for (; i >= l; i -= 1) {
    const f = s * off[i], b = c * off[i];
    r = Math.hypot(f, g);
    off[i + 1] = r;
    if (r === 0) { values[i + 1] -= p; off[m] = 0; break; }
    s = f / r;
    c = g / r;
    g = values[i + 1] - p;
    r = (values[i] - g) * s + 2 * c * b;
    p = s * r;
    values[i + 1] = g + p;
    g = c * r - b;
    for (let k = 0; k < n; k += 1) {
      const one = vectors[k * n + i + 1], two = vectors[k * n + i];
      vectors[k * n + i + 1] = s * two + c * one;
      vectors[k * n + i] = c * two - s * one;
    }
  }
  if (r === 0 && i >= l) return;
  values[l] -= p;
  off[l] = g;
  off[m] = 0;
}
