// Counts for tests, the same in every run: depths and genes vary as they do in real cells, many values are zero.

import { Csr } from "../src/base/csr.ts";

// Random numbers from 0 to 1 (mulberry32).
export function chance(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

export function poisson(random: () => number, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  let count = -1;
  for (let left = 1, least = Math.exp(-mean); left > least; left *= random()) count += 1;
  return count;
}

const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export function cellsLikeRealOnes({ n, v, depth, seed = 5 }: { n: number; v: number; depth: number; seed?: number }): Csr {
  const random = chance(seed), geneV = Array.from({ length: v }, () => Math.exp(2.2 * normal(random)));
  const total = geneV.reduce((sum, gene) => sum + gene, 0);
  const rows = Array.from({ length: n }, () => {
    const cell = (depth * Math.exp(0.4 * normal(random))) / total;
    return geneV.map((gene) => poisson(random, cell * gene * Math.exp(0.7 * normal(random) - 0.25)));
  });
  return Csr.dense(rows, v);
}
