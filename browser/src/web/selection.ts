// A set of the cells of a run, and the genes that set it apart from the others.
// Axes: n cells, s cells that are compared, g the bundle's genes.

import { drawnPlaces } from "../base/drawn.ts";
import { comma } from "../base/words.ts";
import { groupGenes, telling } from "../biology/group_genes.ts";
import { MISSING } from "./columns.ts";
import { Refusal } from "./refusal.ts";
import { round4, type Results } from "./results.ts";

// Cells of a set, and as many of the others, that are compared; of more, so many are drawn, each as likely.
const MOST_COMPARED = 1000;
export const NONE_LEFT = "The filters leave none of these cells.";
const NO_GROUPS = "This run was asked for no groups.";

// A set of cells, said in one of three ways: numbers of types in the summary; the place of a group; a bit for each cell.
export interface Chosen {
  types: number[] | null;
  group: number | null;
  cells: string | null;
}

// Of each cell whether it is in a set; refuses one that can't be.
export function members(results: Results, { types, group, cells }: Chosen): Uint8Array {
  if ([types, group, cells].filter((way) => way !== null).length !== 1) throw new Refusal(422, "Say which cells are meant in one way: types, group or cells.");
  const memberN = types !== null ? ofTypes(results, types) : group !== null ? ofGroup(results, group) : unpackedBits(cells!, results.nCells);
  if (!memberN.includes(1)) throw new Refusal(422, "No cell is chosen.");
  return memberN;
}

// Of each cell whether it is in a set and a reader's filters keep it; refuses where none is.
export function keptMembers(results: Results, chosen: Chosen, keptN: Uint8Array): Uint8Array {
  const memberN = members(results, chosen).map((isMember, n) => isMember & keptN[n]);
  if (!memberN.includes(1)) throw new Refusal(422, NONE_LEFT);
  return memberN;
}

export function ofTypes(results: Results, types: number[]): Uint8Array {
  const isOne = new Uint8Array(65536);
  for (const type of types) isOne[type] = 1;
  return Uint8Array.from(results.shown.typesN, (type) => isOne[type]);
}

function ofGroup(results: Results, group: number): Uint8Array {
  const { groupN } = results.left;
  if (groupN === null) throw new Refusal(422, NO_GROUPS);
  return Uint8Array.from(groupN, (code) => Number(code === group && code !== MISSING));
}

// A bit for each cell, eight a byte, the first cell the lowest bit of the first byte; in base64.
export function unpackedBits(text: string, nCells: number): Uint8Array {
  let packed: string;
  try {
    // atob passes over spaces, and does without the signs at the end
    if (/\s/.test(text) || text.length % 4) throw new Error("no base64");
    packed = atob(text);
  } catch {
    throw new Refusal(422, "The cells can't be read: they are no base64.");
  }
  const bytes = Math.floor((nCells + 7) / 8);
  if (packed.length !== bytes) throw new Refusal(422, `The cells can't be read: ${comma(nCells)} cells take ${comma(bytes)} bytes.`);
  return Uint8Array.from({ length: nCells }, (_, n) => (packed.charCodeAt(n >> 3) >> (n & 7)) & 1);
}

// Some of the cells, in their order, always the same.
export const drawn = (cells: Int32Array, most: number): Int32Array =>
  cells.length <= most ? cells : drawnPlaces(cells.length, most).map((place) => cells[place]);

// The genes that set cells apart from the others that are kept, with the share of cells that have them.
//
// The statistic is that of the groups: the AUC of log-normalised counts, genes of mitochondria and ribosomes left out.
export function apart(results: Results, memberN: Uint8Array, keptN: Uint8Array): Record<string, unknown> {
  const own: number[] = [], others: number[] = [];
  for (let n = 0; n < memberN.length; n += 1) if (keptN[n]) (memberN[n] ? own : others).push(n);
  const ownS = drawn(Int32Array.from(own), MOST_COMPARED), otherS = drawn(Int32Array.from(others), MOST_COMPARED);
  const cellS = Int32Array.from([...ownS, ...otherS]).sort(), counts = results.counts.rows(cellS), { vocabulary } = results.bundle;
  const codeS = Int32Array.from(cellS, (n) => (memberN[n] ? 0 : -1)), [found] = groupGenes(counts, codeS, 1, telling(vocabulary));
  const seen = new Map(found.map(({ gene }) => [gene, { own: 0, others: 0 }]));
  for (let s = 0; s < cellS.length; s += 1) {
    for (let e = counts.indptr[s]; e < counts.indptr[s + 1]; e += 1) {
      const cells = seen.get(counts.indices[e]);
      if (cells !== undefined && counts.data[e] > 0) cells[codeS[s] === 0 ? "own" : "others"] += 1;
    }
  }
  return {
    cells: own.length,
    compared: ownS.length,
    others: otherS.length,
    genes: found.map(({ gene, auc }) => ({
      symbol: vocabulary.symbols[gene],
      id: vocabulary.ids[gene],
      auc: round4(auc),
      share: round4(seen.get(gene)!.own / ownS.length),
      elsewhere: round4(seen.get(gene)!.others / otherS.length),
      known: null,
    })),
  };
}
