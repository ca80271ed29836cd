// A cell as a picture on the gene grid: how brightly each pixel shines, and which genes are worth naming on it.
// Axes: g the bundle's genes, o other cells.

import { quantile } from "../base/arrays.ts";
import { rint } from "../base/rounding.ts";
import { oklch } from "../biology/palette.ts";

// Levels of a pixel: no gene lives there; its gene wasn't measured; was measured but not seen; was seen, and above.
export const NO_GENE = 0, UNMEASURED = 1, UNSEEN = 2, SEEN = 3;
// Levels of a gene that was seen.
export const SHADES = 48;
// Share of a cell's seen genes from which on a pixel is white, so that one gene doesn't put out all others.
export const DAZZLING = 0.99;

type Numbers = ArrayLike<number>;

// Levels row by row: the brightness of a gene goes with the square root of its counts.
export function levelPicture(countsG: Numbers, pixelG: Numbers, measuredG: ArrayLike<number | boolean> | null, grid: number): Uint8Array {
  const seen: number[] = [];
  for (let g = 0; g < countsG.length; g += 1) if (countsG[g] > 0) seen.push(countsG[g]);
  const white = Math.fround(seen.length ? quantile(seen, DAZZLING) : 1);
  const picture = new Uint8Array(grid * grid).fill(NO_GENE);
  for (let g = 0; g < countsG.length; g += 1) {
    let level = UNSEEN;
    if (measuredG !== null && !measuredG[g]) level = UNMEASURED;
    else if (countsG[g] > 0) {
      const brightness = Math.fround(Math.sqrt(Math.min(Math.fround(countsG[g] / white), 1)));
      level = SEEN + rint(Math.fround(brightness * (SHADES - 1)));
    }
    picture[pixelG[g]] = level;
  }
  return picture;
}

// #rrggbb of each level: a night sky with stars from deep blue to white.
export function levelColors(): string[] {
  const stars = Array.from({ length: SHADES }, (_, shade) => {
    const b = shade / (SHADES - 1);
    // The faintest star stands out from the sky, or single counts, which most of a cell is, would be lost.
    return oklch(256 - 70 * b, 0.46 + 0.52 * b, 0.02 + 0.12 * (1 - b ** 4));
  });
  return [oklch(262, 0.18, 0.025), oklch(262, 0.165, 0.02), oklch(262, 0.235, 0.04), ...stars];
}

// Up to k places with the most, most first; none without any.
export function strongest(strengthG: Numbers, k: number): number[] {
  const there: number[] = [];
  for (let g = 0; g < strengthG.length; g += 1) if (strengthG[g] > 0) there.push(g);
  return there.sort((a, b) => strengthG[b] - strengthG[a] || a - b).slice(0, k);
}

// Up to k genes that stand out in a cell from other cells, most striking first: how far the square root of a gene's
// share lies above its mean in the others, measured by how much it varies there.
export function mostItsOwn(countsG: Numbers, others: Numbers[], k: number): number[] {
  if (others.length === 0) return strongest(countsG, k);
  const n = countsG.length, mean = new Float64Array(n), spread = new Float64Array(n);
  const roots = others.map(rootShare), own = rootShare(countsG);
  for (const root of roots) for (let g = 0; g < n; g += 1) mean[g] += root[g];
  for (let g = 0; g < n; g += 1) mean[g] /= roots.length;
  for (const root of roots) for (let g = 0; g < n; g += 1) spread[g] += (root[g] - mean[g]) ** 2;
  const strength = new Float64Array(n);
  for (let g = 0; g < n; g += 1) {
    // the root of the share of four counts in 1,500: smaller differences are mostly chance
    if (countsG[g] > 0) strength[g] = (own[g] - mean[g]) / (Math.sqrt(spread[g] / roots.length) + 0.05);
  }
  return strongest(strength, k);
}

function rootShare(countsG: Numbers): Float64Array {
  let total = 0;
  for (let g = 0; g < countsG.length; g += 1) if (countsG[g] > 0) total += countsG[g];
  const root = new Float64Array(countsG.length);
  for (let g = 0; g < countsG.length; g += 1) if (countsG[g] > 0) root[g] = Math.sqrt(countsG[g] / Math.max(total, 1e-30));
  return root;
}
