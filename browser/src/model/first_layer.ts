// The first layer of a network worked out on sparse counts, and the graph of what comes after it.
//
// Of the 20,000 genes of a cell some 2,000 have counts, and the first layer is most of a small network's work. So where a
// graph begins as exported networks of the default kind do,
//
//     v = weight * sqrt(measured * counts)
//     a = A (L v / |v|) + b
//
// this part is taken out of it and done here on the counts that are there. Whether both together say what the whole
// graph says is not taken on trust: `Runtime` tries them out on the same cells.
//
// Axes: n cells, g genes, k numbers that the first layer makes of a cell, c labels, m nodes.

import type { Csr } from "../base/csr.ts";
import { zeros } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { Table } from "../base/table.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { valuesOf } from "./tensors.ts";
import type { Stored, Tensor } from "./tensors.ts";

// No cell's length is taken to be less, as in the network.
export const SHORTEST = Math.fround(1e-6);

export class FirstLayer {
  // Made when cells come.
  private table: Table | null = null;

  constructor(
    // How much each gene counts.
    readonly weightG: Float32Array,
    // Length that every cell gets.
    readonly length: number,
    readonly projectGk: Matrix,
    readonly biasK: Float32Array,
  ) {}

  // What the layer makes of counts, (n, k), seen through the genes that are measured.
  apply(countsNg: Csr, measuredG: ArrayLike<number | boolean>): Matrix {
    const { data, indices, indptr } = countsNg, { projectGk: { data: projected, width: k } } = this;
    const n = countsNg.height, madeNk = zeros(n, k), table = (this.table ??= new Table(this.weightG.length, k, (g, j) => projected[g * k + j]));
    const weightG = this.weightG.map((weight, g) => (measuredG[g] ? weight : 0));
    for (let i = 0; i < n; i += 1) {
      const from = indptr[i], size = indptr[i + 1] - from;
      let square = 0;
      for (let e = 0; e < size; e += 1) {
        const root = Math.fround(Math.fround(Math.sqrt(data[from + e])) * weightG[indices[from + e]]);
        table.values[e] = root;
        square += root * root;
      }
      table.choose(indices, from, size);
      table.add(size, madeNk.data, i * k);
      const scale = Math.fround(this.length / Math.max(Math.fround(Math.sqrt(square)), SHORTEST));
      for (let j = 0; j < k; j += 1) madeNk.data[i * k + j] = Math.fround(madeNk.data[i * k + j] * scale) + this.biasK[j];
    }
    return madeNk;
  }
}

// A network in two parts.
export interface Parted {
  first: FirstLayer;
  // The graph of what comes after the first layer.
  rest: Graph;
  // How the rest calls what the first layer gives.
  inner: string;
  // How the rest calls the labels' weights, where it ends in them; null where it ends in the nodes' probabilities.
  weights: string | null;
}

// A graph parted behind its first layer; null where it begins otherwise, or the cell's picture is looked at too.
//
// `outputs` is what the graph gives: fingerprints, probabilities, and more. `reach` is the shape of the matrix that sums
// up the weights of labels; if it is given, the rest ends in these weights.
export function partGraph(graph: Graph, nGenes: number, outputs: readonly string[], reach: readonly [number, number] | null): Parted | null {
  const makers = new Makers(graph), found = makers.firstLayer(nGenes);
  if (found === null) return null;
  const [first, inner] = found;
  const weights = reach === null ? null : makers.beforeMatrix(outputs[1], reach);
  const wanted = outputs.map((name) => (name === outputs[1] && weights !== null ? weights : name));
  const nodes = makers.needed(wanted, inner);
  if (nodes === null) return null;
  const used = new Set(nodes.flatMap((node) => node.input));
  const value = (name: string) => ({ name, dims: [] });
  const rest = { nodes, initializers: graph.initializers.filter(({ name }) => used.has(name)), inputs: [value(inner)], outputs: wanted.map(value) };
  return { first, rest, inner, weights };
}

// A graph whose operators are found by what they make.
class Makers {
  private readonly maker = new Map<string, GraphNode>();
  private readonly stored: Map<string, Stored>;

  constructor(private readonly graph: Graph) {
    for (const node of graph.nodes) for (const name of node.output) this.maker.set(name, node);
    this.stored = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  }

  // The first layer and what it makes is called; null where the graph begins otherwise.
  firstLayer(nGenes: number): [FirstLayer, string] | null {
    for (const node of this.graph.nodes) {
      if (node.opType !== "Gemm" || node.input.length !== 3) continue;
      const [scaled, project, bias] = node.input;
      const length = this.lengthOf(scaled), weightG = length === null ? null : this.geneWeights(scaled, nGenes);
      const projectKg = this.matrix(project, nGenes), biasK = this.values(bias);
      if (projectKg === null || biasK === null || length === null || weightG === null) continue;
      return [new FirstLayer(weightG.data, length, turned(projectKg), biasK.data), node.output[0]];
    }
    return null;
  }

  // What is multiplied with a matrix of that shape to make something.
  beforeMatrix(name: string, shape: readonly number[]): string | null {
    const node = this.maker.get(name);
    return node?.opType === "MatMul" && sameShape(this.shape(node.input[1]), shape) ? node.input[0] : null;
  }

  // The operators between; null where anything else that is given is needed too.
  needed(wanted: readonly string[], given: string): GraphNode[] | null {
    const inputs = new Set(this.graph.inputs.map(({ name }) => name));
    const open = [...wanted], seen = new Set([given]), made = new Set<string>();
    while (open.length) {
      const name = open.pop()!;
      if (seen.has(name)) continue;
      seen.add(name);
      if (inputs.has(name)) return null;
      const node = this.maker.get(name);
      if (node === undefined) continue;
      made.add(name);
      open.push(...node.input.filter(Boolean));
    }
    return this.graph.nodes.filter((node) => node.output.some((name) => made.has(name)));
  }

  private matrix(name: string, width: number): Tensor | null {
    const shape = this.shape(name);
    return shape?.length === 2 && shape[1] === width ? this.values(name) : null;
  }

  // The number that cells of length one are multiplied with.
  private lengthOf(scaled: string): number | null {
    const node = this.maker.get(scaled);
    if (node?.opType !== "Mul") return null;
    const numbers = node.input.map((name) => this.values(name)).filter((values) => values?.data.length === 1);
    return numbers.length === 1 ? numbers[0]!.data[0] : null;
  }

  // The only weights of genes that what leads to scaled cells holds.
  private geneWeights(scaled: string, nGenes: number): Tensor | null {
    const open = [scaled], seen = new Set<string>(), found: Tensor[] = [];
    while (open.length) {
      const name = open.pop()!;
      if (seen.has(name)) continue;
      seen.add(name);
      const values = sameShape(this.shape(name), [nGenes]) ? this.values(name) : null;
      if (values !== null) found.push(values);
      else open.push(...(this.maker.get(name)?.input.filter(Boolean) ?? []));
    }
    return found.length === 1 ? found[0] : null;
  }

  private shape(name: string): number[] | null {
    return this.tensor(name)?.dims ?? null;
  }

  private values(name: string): Tensor | null {
    const tensor = this.tensor(name);
    return tensor && valuesOf(tensor);
  }

  // What is stored under a name, or in another precision, or as a constant.
  private tensor(name: string): Stored | null {
    const stored = this.stored.get(name);
    if (stored !== undefined) return stored;
    const node = this.maker.get(name);
    if (node?.opType === "Cast") return this.stored.get(node.input[0]) ?? null;
    const held = node?.opType === "Constant" ? [...node.attributes.values()].flatMap(({ tensor }) => tensor ?? []) : [];
    return held.length === 1 ? held[0] : null;
  }
}

const sameShape = (found: number[] | null, shape: readonly number[]): boolean => found?.length === shape.length && shape.every((side, at) => found[at] === side);

function turned({ data, dims: [height, width] }: Tensor): Matrix {
  const other = zeros(width, height);
  for (let i = 0; i < height; i += 1) for (let j = 0; j < width; j += 1) other.data[j * height + i] = data[i * width + j];
  return other;
}
