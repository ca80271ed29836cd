// Pictures of single cells and of types on the gene grid, with the numbers behind each pixel.
//
// A picture travels as its levels, one byte a pixel row by row, then the numbers of the pixels that shine, little-endian
// float32 in the same order.
// Axes: n cells, g the bundle's genes, t types in the order of the summary, p pixels.

import { levelPicture, SEEN } from "../report/picture.ts";
import type { Results } from "./results.ts";

const DEPTH = 1e4;

// A cell's picture, which goes with the root of its counts, and its counts.
export function skyOfCell(results: Results, n: number): Uint8Array {
  const countsG = results.counts.cell(n);
  return sent(results, levels(countsG, results), countsG);
}

// A type's mean picture and the mean log-normalised count of each gene.
export function skyOfType(results: Results, t: number): Uint8Array {
  const meanG = typeMeans(results)[t];
  return sent(results, meanLevels(meanG, results), meanG);
}

// The levels of all types' mean pictures, one after the other.
export function skiesOfTypes(results: Results): Uint8Array {
  const pixels = results.bundle.manifest.grid ** 2, means = typeMeans(results), all = new Uint8Array(pixels * means.length);
  means.forEach((meanG, t) => all.set(meanLevels(meanG, results), t * pixels));
  return all;
}

// The mean log-normalised counts of each type's cells, kept once worked out.
function typeMeans(results: Results): Float32Array[] {
  if (results.means !== null) return results.means;
  const { typesN } = results.shown, sums = results.shown.nodes.map(() => new Float32Array(results.bundle.manifest.nGenes));
  const cells = new Int32Array(sums.length);
  for (const { first, counts } of results.counts.each()) {
    for (let n = 0; n < counts.height; n += 1) {
      const type = typesN[first + n];
      if (type >= sums.length) continue;
      cells[type] += 1;
      const sum = sums[type];
      let total = 0;
      for (let e = counts.indptr[n]; e < counts.indptr[n + 1]; e += 1) total += counts.data[e];
      for (let e = counts.indptr[n]; e < counts.indptr[n + 1]; e += 1) {
        sum[counts.indices[e]] += Math.log1p((DEPTH * Math.max(counts.data[e], 0)) / Math.max(total, 1e-9));
      }
    }
  }
  results.means = sums.map((sum, t) => sum.map((value) => value / Math.max(cells[t], 1)));
  return results.means;
}

const levels = (valuesG: Float32Array, { bundle, left }: Results): Uint8Array => levelPicture(valuesG, bundle.pixelG, left.measuredG, bundle.manifest.grid);

// the brightness of a picture is the root of what it is given
const meanLevels = (meanG: Float32Array, results: Results): Uint8Array => levels(meanG.map((mean) => mean * mean), results);

function sent({ bundle }: Results, levelP: Uint8Array, valuesG: Float32Array): Uint8Array {
  const valueP = new Float32Array(levelP.length), shining: number[] = [];
  for (let g = 0; g < valuesG.length; g += 1) valueP[bundle.pixelG[g]] = valuesG[g];
  for (let p = 0; p < levelP.length; p += 1) if (levelP[p] >= SEEN) shining.push(valueP[p]);
  const bytes = new Uint8Array(levelP.length + 4 * shining.length);
  bytes.set(levelP);
  bytes.set(new Uint8Array(Float32Array.from(shining).buffer), levelP.length);
  return bytes;
}
