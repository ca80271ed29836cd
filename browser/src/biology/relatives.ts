// Where the weight of types that can't be goes: to their nearest relatives among those that can.
//
// Axes: n cells, c labels, m nodes, r nodes that take in the weight of labels that can't be.

import { heightOf, zeros } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { atMostOne, Few } from "./label_weights.ts";
import type { LabelWeights } from "./label_weights.ts";
import { TOO_GENERAL } from "./ontology.ts";
import type { Ontology } from "./ontology.ts";

// Node probabilities as they are when some nodes can't be, nothing of their weight being lost.
//
// The weight of a label that can't be goes to the narrowest term above it that can: the one with fewest terms below it
// in the whole ontology. The more weight the possible labels below this term had already, the more of it they share
// among themselves; the rest stays with the term: a cell for which nothing else speaks becomes of a coarser type, not
// of another one.
export class Relatives {
  private readonly possibleC: Uint8Array;
  // From labels to the nodes that take in their weight, from possible labels below these to them and back, and from
  // these nodes to all above them.
  private readonly gives: Few;
  private readonly own: Few;
  private readonly back: Few;
  private readonly above: Few;
  private readonly takers: number;

  constructor(private readonly weights: LabelWeights, nodes: readonly string[], ontology: Ontology, possibleM: ArrayLike<number | boolean>) {
    const { labelC, reachCm } = weights;
    const place = new Map(nodes.map((node, m) => [node, m])), belowM = ontology.descendants(nodes);
    const c = labelC.length, m = nodes.length;
    this.possibleC = Uint8Array.from(labelC, (node) => (possibleM[node] ? 1 : 0));
    const takers = new Map<number, number[]>();
    for (let label = 0; label < c; label += 1) {
      if (this.possibleC[label]) continue;
      const near = narrowest(nodes[labelC[label]], nodes, ontology, place, belowM, possibleM);
      if (!takers.has(near)) takers.set(near, []);
      takers.get(near)!.push(label);
    }
    const r = (this.takers = takers.size);
    const gives = new Uint8Array(c * r), below = new Uint8Array(c * r), turned = new Uint8Array(r * c), above = new Uint8Array(r * m);
    [...takers].forEach(([node, given], taker) => {
      for (const label of given) gives[label * r + taker] = 1;
      for (const term of ontology.ancestors(nodes[node])) above[taker * m + place.get(term)!] = 1;
      // what has nothing above it but what all cells are has no relatives
      if (TOO_GENERAL.has(nodes[node])) return;
      for (let label = 0; label < c; label += 1) {
        if (reachCm[label * m + node] && this.possibleC[label]) below[label * r + taker] = turned[taker * c + label] = 1;
      }
    });
    [this.gives, this.own, this.back, this.above] = [Few.of(gives, c, r), Few.of(below, c, r), Few.of(turned, r, c), Few.of(above, r, m)];
  }

  // The probabilities among the possible nodes, from those of each node for each cell: sums of labels' weights.
  // A parent is never less probable than its child.
  apply(probabilitiesNm: Matrix): Matrix {
    return this.summed(this.weights.of(probabilitiesNm));
  }

  // The same from the weight of each label, (n, c).
  summed(weightNc: Matrix): Matrix {
    const n = heightOf(weightNc), m = this.weights.width, c = weightNc.width;
    const probabilityNm = zeros(n, m);
    const given = new Float32Array(this.takers), own = new Float32Array(this.takers), part = new Float32Array(this.takers);
    const shared = new Float32Array(c), more = new Float32Array(m);
    for (let i = 0; i < n; i += 1) {
      given.fill(0);
      own.fill(0);
      shared.fill(0);
      more.fill(0);
      this.gives.add(weightNc.data, i * c, given, 0);
      this.own.add(weightNc.data, i * c, own, 0);
      for (let r = 0; r < given.length; r += 1) {
        const all = Math.fround(given[r] + own[r]);
        part[r] = all > 0 ? given[r] / all : 0;
      }
      this.back.add(part, 0, shared, 0);
      for (let j = 0; j < c; j += 1) shared[j] = this.possibleC[j] ? weightNc.data[i * c + j] * Math.fround(1 + shared[j]) : 0;
      for (let r = 0; r < given.length; r += 1) part[r] *= given[r];
      this.weights.reach.add(shared, 0, probabilityNm.data, i * m);
      this.above.add(part, 0, more, 0);
      for (let j = 0; j < m; j += 1) probabilityNm.data[i * m + j] += more[j];
    }
    return atMostOne(probabilityNm);
  }
}

// Place of the narrowest node above a term that takes its weight.
function narrowest(
  term: string,
  nodes: readonly string[],
  ontology: Ontology,
  place: ReadonlyMap<string, number>,
  belowM: number[],
  possibleM: ArrayLike<number | boolean>,
): number {
  let near = -1;
  for (const above of ontology.ancestors(term)) {
    const m = place.get(above)!;
    if (!possibleM[m] && !TOO_GENERAL.has(nodes[m])) continue;
    if (near < 0 || belowM[m] < belowM[near] || (belowM[m] === belowM[near] && m > near)) near = m;
  }
  return near;
}
