// Groups that are found in a sample: its neighbour graph cut into many small communities.
//
// There are rather too many groups than too few: two of one type get the same name, while a group of two types can only
// get one that is coarse.
// Axes: n cells, l landmarks, k neighbours.

import type { U64Array } from "../base/bits.ts";
import { louvain, type Graph } from "../base/louvain.ts";
import type { Neighbours } from "../biology/neighbours.ts";
import { AUTO, type Grouping } from "./groups.ts";

// Of modularity: with 1, which is usual for clustering, rarer cousins share a group more often.
export const RESOLUTION = 2.0;
// Cells of a group; fewer are in none.
export const FEWEST = 3;

// Finds groups of cells that are close to each other: "1", "2" and so on, the largest first.
//
// The landmarks are parted by the Louvain algorithm (Blondel et al. 2008,
// https://doi.org/10.1088/1742-5468/2008/10/P10008) on how close they are; any other cell goes with its closest landmark.
// A cell that is close to hardly any is in no group. Keys tell the cells apart whatever their order, as given to
// `findNeighbours`: the same cells in another order get the same groups, as long as they have the same neighbours.
export function autoGroups(neighbours: Neighbours, keyN: U64Array | null = null): Grouping {
  const { landmarkL } = neighbours;
  const orderL = keyN === null ? Int32Array.from(landmarkL, (_, l) => l) : keyN.take(landmarkL).argsort();
  const graph = closeness(neighbours, orderL), partL = new Int32Array(landmarkL.length).fill(-1);
  if (graph.data.length) {
    const found = louvain(graph, RESOLUTION);
    // one that is close to none is in no part
    for (let place = 0; place < orderL.length; place += 1) if (graph.indptr[place + 1] > graph.indptr[place]) partL[orderL[place]] = found[place];
  }
  const [codeN, groups] = largestFirst(withClosest(neighbours, partL), orderL, landmarkL);
  return { column: AUTO, codeN, names: Array.from({ length: groups }, (_, number) => String(number + 1)) };
}

// How close landmarks are to each other, in the order of their keys: the mean of both directions. Of each the others come
// in the order of the cells.
function closeness({ landmarkL, indexNk, closenessNk, width }: Neighbours, orderL: Int32Array): Graph {
  const size = landmarkL.length, sums: Map<number, number>[] = Array.from({ length: size }, () => new Map());
  for (let l = 0; l < size; l += 1) {
    for (let e = landmarkL[l] * width; e < (landmarkL[l] + 1) * width; e += 1) {
      const other = indexNk[e], half = closenessNk[e] / 2;
      if (other < 0 || half === 0) continue;
      sums[l].set(other, (sums[l].get(other) ?? 0) + half);
      sums[other].set(l, (sums[other].get(l) ?? 0) + half);
    }
  }
  const placeL = new Int32Array(size), indptr = new Int32Array(size + 1), indices: number[] = [], data: number[] = [];
  orderL.forEach((l, place) => { placeL[l] = place; });
  for (let place = 0; place < size; place += 1) {
    const own = sums[orderL[place]];
    for (const other of [...own.keys()].sort((a, b) => a - b)) { indices.push(placeL[other]); data.push(own.get(other)!); }
    indptr[place + 1] = indices.length;
  }
  return { indptr, indices: Int32Array.from(indices), data: Float64Array.from(data) };
}

// Each cell in the part of its closest landmark, and each landmark in its own.
function withClosest({ landmarkL, indexNk, closenessNk, width, n }: Neighbours, partL: Int32Array): Int32Array {
  const codeN = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i += 1) {
    let best = 0, near = -1;
    for (let e = i * width; e < (i + 1) * width; e += 1) if (indexNk[e] >= 0 && closenessNk[e] > best) { best = closenessNk[e]; near = indexNk[e]; }
    if (near >= 0) codeN[i] = partL[near];
  }
  landmarkL.forEach((cell, l) => { codeN[cell] = partL[l]; });
  return codeN;
}

// Numbers by size; of two as large the one with the first landmark by key comes first.
function largestFirst(codeN: Int32Array, orderL: Int32Array, landmarkL: Int32Array): [Int32Array, number] {
  const size = new Map<number, number>(), first = new Map<number, number>();
  for (const code of codeN) if (code >= 0) size.set(code, (size.get(code) ?? 0) + 1);
  orderL.forEach((l, place) => {
    const code = codeN[landmarkL[l]];
    if (code >= 0 && !first.has(code)) first.set(code, place);
  });
  const at = (code: number) => first.get(code) ?? landmarkL.length;
  const order = [...size.keys()].filter((code) => size.get(code)! >= FEWEST).sort((a, b) => size.get(b)! - size.get(a)! || at(a) - at(b) || a - b);
  const rank = new Map(order.map((code, place) => [code, place]));
  return [codeN.map((code) => rank.get(code) ?? -1), order.length];
}
