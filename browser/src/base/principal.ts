// Principal components of points with some dozens of numbers: the eigenvectors of their covariance, by Jacobi's way.

const SWEEPS = 12;

export interface Components {
  mean: Float64Array;
  // Row by row, that of most variance first.
  vectors: Float64Array;
  variances: Float64Array;
}

export function components(points: Float32Array, width: number): Components {
  const n = points.length / width, mean = new Float64Array(width), covariance = new Float64Array(width * width);
  for (let i = 0; i < points.length; i += 1) mean[i % width] += points[i] / n;
  const own = new Float64Array(width);
  for (let i = 0; i < n; i += 1) {
    for (let d = 0; d < width; d += 1) own[d] = points[i * width + d] - mean[d];
    for (let d = 0; d < width; d += 1) for (let e = 0; e <= d; e += 1) covariance[d * width + e] += own[d] * own[e];
  }
  for (let d = 0; d < width; d += 1) for (let e = 0; e < d; e += 1) covariance[e * width + d] = covariance[d * width + e];
  const vectors = turned(covariance, width), variance = (d: number): number => covariance[d * width + d] / Math.max(n - 1, 1);
  const order = Array.from({ length: width }, (_, d) => d).sort((a, b) => variance(b) - variance(a) || a - b);
  const sorted = new Float64Array(width * width);
  order.forEach((from, to) => sorted.set(vectors.subarray(from * width, (from + 1) * width), to * width));
  return { mean, vectors: sorted, variances: Float64Array.from(order, variance) };
}

// Turns a symmetric matrix until nothing is left beside its diagonal, and gives the turns together, row by row.
function turned(matrix: Float64Array, width: number): Float64Array {
  const vectors = new Float64Array(width * width);
  for (let d = 0; d < width; d += 1) vectors[d * width + d] = 1;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let beside = 0, diagonal = 0;
    for (let d = 0; d < width; d += 1) for (let e = 0; e < width; e += 1) if (d === e) diagonal += matrix[d * width + d] ** 2; else beside += matrix[d * width + e] ** 2;
    if (beside <= 1e-22 * diagonal) break;
    for (let p = 0; p < width; p += 1) for (let q = p + 1; q < width; q += 1) turn(matrix, vectors, width, p, q);
  }
  return vectors;
}

function turn(matrix: Float64Array, vectors: Float64Array, width: number, p: number, q: number): void {
  const between = matrix[p * width + q];
  if (between === 0) return;
  const theta = (matrix[q * width + q] - matrix[p * width + p]) / (2 * between);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1)), c = 1 / Math.sqrt(t * t + 1), s = t * c;
  for (let d = 0; d < width; d += 1) {
    const one = matrix[d * width + p], other = matrix[d * width + q];
    matrix[d * width + p] = c * one - s * other;
    matrix[d * width + q] = s * one + c * other;
  }
  for (let d = 0; d < width; d += 1) {
    const one = matrix[p * width + d], other = matrix[q * width + d];
    matrix[p * width + d] = c * one - s * other;
    matrix[q * width + d] = s * one + c * other;
    const mine = vectors[p * width + d], theirs = vectors[q * width + d];
    vectors[p * width + d] = c * mine - s * theirs;
    vectors[q * width + d] = s * mine + c * theirs;
  }
}

// Where points are along some components, row by row.
export function along(points: Float32Array, width: number, found: Components, many = width): Float32Array {
  const n = points.length / width, places = new Float32Array(n * many), own = new Float64Array(width);
  for (let i = 0; i < n; i += 1) {
    for (let d = 0; d < width; d += 1) own[d] = points[i * width + d] - found.mean[d];
    for (let k = 0; k < many; k += 1) {
      let sum = 0;
      for (let d = 0; d < width; d += 1) sum += own[d] * found.vectors[k * width + d];
      places[i * many + k] = sum;
    }
  }
  return places;
}
