// From the probabilities of nodes back to the weights of labels, and from these to the probabilities.
//
// Axes: n cells, c labels, m nodes.

import { ConfigError } from "../base/errors.ts";
import { heightOf, zeros } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { reachMatrix } from "./ontology.ts";
import type { Ontology } from "./ontology.ts";

// The way between label weights and node probabilities, in the order of some nodes.
//
// A node's probability is the sum of the weights of the labels at or below it. Solved from the deepest label upwards,
// which is one multiplication with a matrix of whole numbers (Rota 1964, On the foundations of combinatorial theory I,
// https://doi.org/10.1007/BF00531932), this gives back the weights.
export class LabelWeights {
  // Position of each label among the nodes.
  readonly labelC: Int32Array;
  // (c, m): 1 where a label is a node or below it.
  readonly reachCm: Uint8Array;
  readonly width: number;
  // The same as what each label gives to.
  readonly reach: Few;
  private readonly inverse: Few;

  constructor(labels: readonly string[], nodes: readonly string[], ontology: Ontology) {
    const [known, reachCm] = reachMatrix(labels, ontology);
    const place = new Map(known.map((node, m) => [node, m]));
    if (nodes.length !== known.length || new Set(nodes).size !== known.length || !nodes.every((node) => place.has(node))) {
      throw new ConfigError("the nodes aren't the labels and the terms above them.");
    }
    const at = new Map(nodes.map((node, m) => [node, m]));
    this.width = nodes.length;
    this.labelC = Int32Array.from(labels, (label) => at.get(label)!);
    this.reachCm = new Uint8Array(reachCm.length);
    for (let c = 0; c < labels.length; c += 1) {
      nodes.forEach((node, m) => (this.reachCm[c * this.width + m] = reachCm[c * this.width + place.get(node)!]));
    }
    this.reach = Few.of(this.reachCm, labels.length, this.width);
    this.inverse = Few.of(this.inverted(nodes, ontology), labels.length, labels.length);
  }

  // The inverse of how labels reach each other. Each reaches itself and no two reach each other, so it is whole.
  private inverted(nodes: readonly string[], ontology: Ontology): Int32Array {
    const { labelC, reachCm, width } = this;
    const c = labelC.length;
    const depthC = Array.from(labelC, (m) => ontology.depth(nodes[m]));
    const deepestFirst = Array.from(labelC, (_, j) => j).sort((a, b) => depthC[b] - depthC[a]);
    const inverse = new Int32Array(c * c);
    for (let i = 0; i < c; i += 1) {
      const above = deepestFirst.filter((j) => reachCm[i * width + labelC[j]]);
      above.forEach((j, order) => {
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < order; k += 1) if (reachCm[above[k] * width + labelC[j]]) sum -= inverse[i * c + above[k]];
        inverse[i * c + j] = sum;
      });
    }
    return inverse;
  }

  // The weight of each label, (n, c), from the probability of each node.
  of(probabilitiesNm: Matrix): Matrix {
    const n = heightOf(probabilitiesNm), c = this.labelC.length;
    const said = zeros(n, c);
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j < c; j += 1) said.data[i * c + j] = probabilitiesNm.data[i * this.width + this.labelC[j]];
    }
    const weightNc = this.inverse.times(said);
    for (let e = 0; e < weightNc.data.length; e += 1) if (weightNc.data[e] < 0) weightNc.data[e] = 0;
    return weightNc;
  }

  // The probability of each node, (n, m): a parent's is never less than its child's.
  summed(weightNc: Matrix): Matrix {
    return atMostOne(this.reach.times(weightNc));
  }
}

export function atMostOne(probabilityNm: Matrix): Matrix {
  const { data } = probabilityNm;
  for (let e = 0; e < data.length; e += 1) if (data[e] > 1) data[e] = 1;
  return probabilityNm;
}

// Multiplication with a matrix of which few numbers aren't zero: those of the first row, then those of the second, ...
//
// Sums are in single precision and in the order of the rows, so they are to the last digit what they are in Python.
export class Few {
  private constructor(
    readonly indptr: Int32Array,
    readonly indices: Int32Array,
    readonly values: Float32Array,
    readonly width: number,
  ) {}

  static of(matrix: ArrayLike<number>, height: number, width: number): Few {
    const indptr = new Int32Array(height + 1), indices: number[] = [], values: number[] = [];
    for (let x = 0; x < height; x += 1) {
      for (let y = 0; y < width; y += 1) if (matrix[x * width + y]) { indices.push(y); values.push(matrix[x * width + y]); }
      indptr[x + 1] = indices.length;
    }
    return new Few(indptr, Int32Array.from(indices), Float32Array.from(values), width);
  }

  times(given: Matrix): Matrix {
    const n = heightOf(given), product = zeros(n, this.width);
    for (let i = 0; i < n; i += 1) this.add(given.data, i * given.width, product.data, i * this.width);
    return product;
  }

  // Adds a row's product to numbers that begin at a place.
  add(given: Float32Array, from: number, to: Float32Array, at: number): void {
    const { indptr, indices, values } = this;
    for (let x = 0; x + 1 < indptr.length; x += 1) {
      const value = given[from + x];
      // most labels have no weight
      if (value === 0) continue;
      for (let e = indptr[x]; e < indptr[x + 1]; e += 1) to[at + indices[e]] += Math.fround(value * values[e]);
    }
  }
}
