// Programmes that a cell of any type can switch on: genes that rise together, and hide what the cell is.
//
// The lists are short, written by hand, and leave out genes that some types always have (ISG15, LY6E, HSPB1).
// Interferon: targets that rose in Kang et al. 2018 (https://doi.org/10.1038/nbt.4042) and are known as such (Schoggins et
// al. 2011, https://doi.org/10.1038/nature09907). Heat shock: inducible chaperones and their helpers, which also rise
// when tissue is digested warm (van den Brink et al. 2017, https://doi.org/10.1038/nmeth.4437).
// Axes: n cells, g the bundle's genes, p programmes.

import { sum } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import type { Vocabulary } from "./vocabulary.ts";

// Counts of a cell in which those of a programme are told.
export const PER = 10_000;
// Share of a programme's genes that may be missing: with fewer genes measured it isn't looked for.
export const MOST_MISSING = 0.4;
// Known genes from which a share of the counts can be compared with that of other samples; a panel favours its own.
export const WHOLE = 5000;

// Genes that rise together.
export interface Program {
  name: string;
  // What a cell that shows it is in.
  state: string;
  genes: readonly string[];
  // Counts of these genes in 10,000 of a cell from which the cell shows the programme strongly.
  least: number;
  // Of its genes so many must be seen in the cell: one alone may be high for reasons of its own.
  few: number;
}

export const PROGRAMS: readonly Program[] = [
  {
    name: "interferon",
    state: "interferon response",
    genes: [
      "IFI6", "IFIT1", "IFIT2", "IFIT3", "MX1", "OAS1", "OAS2", "OAS3", "OASL", "IFI44", "IFI44L", "RSAD2",
      "HERC5", "CMPK2", "EPSTI1", "XAF1", "USP18",
    ],
    least: 80,
    few: 4,
  },
  {
    name: "heat shock",
    state: "heat shock",
    genes: ["HSPA1A", "HSPA1B", "HSPA6", "HSPH1", "DNAJB1", "DNAJA4", "BAG3", "SERPINH1", "HSPE1", "HSPD1"],
    least: 200,
    few: 4,
  },
];

// Which cells show which programmes strongly, (n, p): of cells with so many counts each in all genes. On a panel, and
// without many of its genes, no cell shows a programme. No gene is of two programmes.
export function programsShown(
  countsNg: Csr, vocabulary: Vocabulary, measuredG: Uint8Array, totalN: ArrayLike<number>, programs: readonly Program[] = PROGRAMS,
): Uint8Array {
  const n = countsNg.height, p = programs.length, shownNp = new Uint8Array(n * p);
  if (sum(measuredG) < WHOLE) return shownNp;
  const ofGeneG = new Uint8Array(countsNg.width), place = vocabulary.bySymbol;
  programs.forEach((program, number) => {
    const known = program.genes.flatMap((gene) => (place.has(gene) && measuredG[place.get(gene)!] ? [place.get(gene)!] : []));
    if (known.length >= (1 - MOST_MISSING) * program.genes.length) for (const gene of known) ofGeneG[gene] = number + 1;
  });
  const { data, indices, indptr } = countsNg, sums = new Float64Array(p + 1), seen = new Int32Array(p + 1);
  for (let i = 0; i < n; i += 1) {
    sums.fill(0);
    seen.fill(0);
    for (let e = indptr[i]; e < indptr[i + 1]; e += 1) {
      const number = ofGeneG[indices[e]];
      if (number) { sums[number] += data[e]; seen[number] += 1; }
    }
    for (let j = 0; j < p; j += 1) {
      const share = (PER * sums[j + 1]) / Math.max(totalN[i], Math.fround(1e-9));
      if (share >= programs[j].least && seen[j + 1] >= programs[j].few) shownNp[i * p + j] = 1;
    }
  }
  return shownNp;
}
