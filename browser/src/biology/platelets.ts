// Platelets that stick to other cells: genes of theirs in a cell that is something else.
//
// They are told by their own genes: whole platelets are rare where blood was separated, so doublets can't be made of them.
// The list is short and written by hand, of genes that leukocytes lack (Raghavachari et al. 2007,
// https://doi.org/10.1161/CIRCULATIONAHA.106.655324, and common knowledge of platelets).

import type { Csr } from "../base/csr.ts";
import { programsShown, type Program } from "./programs.ts";
import type { Vocabulary } from "./vocabulary.ts";

export const GENES = ["PPBP", "PF4", "GNG11", "TUBB1", "CAVIN2", "GP9", "ITGA2B", "TREML1", "CLEC1B", "ACRBP", "PTCRA", "CMTM5"];
// Of these genes so many are seen in a cell with a platelet, and so many counts of them in 10,000: deep cells have some of
// what lysed platelets leave in every droplet.
export const FEW = 4, LEAST = 15.0;
export const PLATELETS: Program = { name: "platelets", state: "with a platelet", genes: GENES, least: LEAST, few: FEW };

// Which cells have the genes of platelets, platelets themselves among them. On a panel, and without many of these genes,
// no cell is told.
export function withPlatelets(countsNg: Csr, vocabulary: Vocabulary, measuredG: Uint8Array, totalN: ArrayLike<number>): Uint8Array {
  return programsShown(countsNg, vocabulary, measuredG, totalN, [PLATELETS]);
}
