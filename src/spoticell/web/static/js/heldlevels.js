// Share and mean of genes in each type, reckoned from the levels of cells that a shared file holds.

// `genes`: {symbol, max, level}; `counts(i)` says whether cell i counts. Each gene has a value for each of `n` types, and
// for the unknown one more.
export function byType(genes, { n: cells, type }, n, counts) {
  const all = new Uint32Array(n + 1);
  const at = (i) => Math.min(type[i], n);
  for (let i = 0; i < cells; i += 1) if (counts(i)) all[at(i)] += 1;
  return genes.map(({ symbol, max, level }) => {
    const [share, mean] = [new Float64Array(n + 1), new Float64Array(n + 1)];
    for (let i = 0; i < cells; i += 1) {
      if (!level[i] || !counts(i)) continue;
      share[at(i)] += 1;
      mean[at(i)] += ((level[i] - 0.5) / 255) * max; // levels are rounded up
    }
    all.forEach((own, t) => { share[t] /= own || 1; mean[t] /= own || 1; });
    return { symbol, share, mean };
  });
}
