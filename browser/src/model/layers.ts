// The layers between the summary of all genes and the labels, forwards and backwards.
//
// Where a network reads the summary alone, these few layers are all that is between genes and labels, and how the end
// changes with the beginning is worked out here.
// Axes: k numbers of the summary, d fingerprint, c labels.

import { erf } from "../base/erf.ts";
import type { Matrix } from "../base/matrix.ts";
import { MODEL } from "./manifest.ts";
import { checkGraph, type Graph } from "./graph.ts";
import type { Bundle } from "./bundle.ts";
import { type FirstLayer, partGraph } from "./first_layer.ts";
import { OUTPUTS } from "./runtime.ts";
import { valuesOf } from "./tensors.ts";

// What is run after the first layer of such a network, but for what only names or casts.
const CHAIN = /^BatchNormalization Gelu (Gemm BatchNormalization Gelu )+Gemm (Concat Reshape )?Pow ReduceSum Sqrt Clip Div (Concat Reshape Mul )?Gemm Mul Div Softmax MatMul$/;
const PASSING = new Set(["Cast", "CastLike", "Constant", "Identity"]);

// Length below which a vector isn't scaled to 1.
export const SHORTEST = 1e-6;

// Numbers of each output, row by row the weights of the inputs, and what is added.
interface Layer {
  weights: Matrix;
  bias: Float32Array;
}

// What norms do to each number.
interface Norm {
  scale: Float32Array;
  shift: Float32Array;
}

export interface Chain {
  first: FirstLayer;
  // Of the first layer's numbers, which are scaled and shifted once more after it.
  spread: Float32Array;
  mean: Float32Array;
  gain: Norm;
  layers: Layer[];
  // Networks side by side, each with its share of the fingerprint, which adds as much to it as the others'.
  members: number;
  labels: Layer;
}

// The layers of a bundle's network; null where it is made otherwise.
export function readChain(bundle: Bundle): Chain | null {
  const graph = checkGraph(bundle.read(MODEL), bundle.manifest, bundle.path), parted = partGraph(graph, bundle.manifest.nGenes, [OUTPUTS[1]], null);
  if (parted === null) return null;
  const nodes = parted.rest.nodes.filter(({ opType }) => !PASSING.has(opType));
  if (!CHAIN.test(nodes.map(({ opType }) => opType).join(" "))) return null;
  const values = reader(parted.rest), norms = nodes.filter(({ opType }) => opType === "BatchNormalization"), gemms = nodes.filter(({ opType }) => opType === "Gemm");
  const [gain, shift, mean, variance] = norms[0].input.slice(1).map(values), epsilon = norms.map((node) => node.attributes.get("epsilon")!.float);
  const linear = (at: number): Layer => ({ weights: { data: values(gemms[at].input[1]), width: widthOf(values, gemms[at].input) }, bias: values(gemms[at].input[2]) });
  const folded = norms.slice(1).map((norm, at) => fold(linear(at), norm.input.slice(1).map(values), epsilon[at + 1]));
  const labels = linear(gemms.length - 1), last = nodes.findLast(({ opType }) => opType === "Mul")!, scalar = last.input.map(values).find(({ length }) => length === 1)!;
  const apart = nodes.find(({ opType }) => opType === "Concat"), members = apart === undefined ? 1 : labels.weights.width / values(apart.input[1])[0];
  const sharpness = scalar[0] / bundle.manifest.temperature;
  return {
    first: parted.first,
    spread: variance.map((one) => Math.sqrt(one + epsilon[0])),
    mean,
    gain: { scale: gain, shift },
    layers: [...folded, linear(gemms.length - 2)],
    members,
    labels: { weights: { data: labels.weights.data.map((one) => one * sharpness), width: labels.weights.width }, bias: labels.bias.map((one) => one * sharpness) },
  };
}

type Values = (name: string) => Float32Array;

// Gives the numbers under a name, also where they are stored in another precision; none for what is worked out.
function reader(graph: Graph): Values {
  const stored = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  for (const { opType, input, output } of graph.nodes) if (opType === "Cast" && stored.has(input[0])) stored.set(output[0], stored.get(input[0])!);
  const wholes = new Map(graph.nodes.map(({ output, attributes }) => [output[0], attributes.get("value_ints")?.wholes]));
  return (name) => {
    const stated = wholes.get(name);
    if (stated !== undefined) return Float32Array.from(stated);
    const tensor = stored.get(name), found = tensor === undefined ? null : valuesOf(tensor);
    return found === null ? new Float32Array(0) : found.data;
  };
}

const widthOf = (values: Values, [, weights, bias]: string[]): number => values(weights).length / Math.max(values(bias).length, 1);

// A layer with the norm that follows it.
function fold({ weights, bias }: Layer, [gain, shift, mean, variance]: Float32Array[], epsilon: number): Layer {
  const { width } = weights, scale = gain.map((one, row) => one / Math.sqrt(variance[row] + epsilon));
  return {
    weights: { data: weights.data.map((one, at) => one * scale[Math.floor(at / width)]), width },
    bias: bias.map((one, row) => (one - mean[row]) * scale[row] + shift[row]),
  };
}

// Layers that are asked for the probability of some labels together, and for how it changes with the summary.
export class Layers {
  probability = 0;
  readonly slopeK: Float64Array;
  private readonly values: Float64Array[];
  private readonly bends: Float64Array[];
  private readonly weightC: Float64Array;

  constructor(private readonly chain: Chain) {
    const heights = [chain.spread.length, ...chain.layers.map(({ bias }) => bias.length)];
    this.values = heights.map((height) => new Float64Array(height));
    this.bends = heights.map((height) => new Float64Array(height));
    this.weightC = new Float64Array(chain.labels.bias.length);
    this.slopeK = new Float64Array(heights[0]);
  }

  // `summaryK` is before its norm's scale and shift; `memberC` says which labels are meant.
  look(summaryK: ArrayLike<number>, memberC: ArrayLike<number>): void {
    const lengths = this.forwards(summaryK), fingerprint = this.values[this.values.length - 1], slope = this.ofLabels(fingerprint, memberC);
    lengths.forEach((length, member) => {
      const [from, to] = this.shareOf(member);
      let along = 0;
      for (let d = from; d < to; d += 1) along += fingerprint[d] * slope[d];
      // what goes along a member's share doesn't move it
      for (let d = from; d < to; d += 1) slope[d] = (slope[d] - fingerprint[d] * along * lengths.length) / length;
    });
    this.slopeK.set(this.backwards(slope));
  }

  // Where a member's share of the fingerprint begins and ends.
  private shareOf(member: number): [number, number] {
    const size = this.chain.labels.weights.width / this.chain.members;
    return [member * size, (member + 1) * size];
  }

  // Leaves the fingerprint, of length 1, and gives what each member's share of it was divided by.
  private forwards(summaryK: ArrayLike<number>): number[] {
    const { gain, layers, members } = this.chain, { values, bends } = this;
    for (let k = 0; k < values[0].length; k += 1) {
      bend(summaryK[k] * gain.scale[k] + gain.shift[k], values[0], bends[0], k);
      bends[0][k] *= gain.scale[k];
    }
    layers.forEach(({ weights: { data, width }, bias }, at) => {
      const [from, to] = [values[at], values[at + 1]], isLast = at === layers.length - 1;
      for (let row = 0; row < to.length; row += 1) {
        let sum = bias[row];
        for (let i = 0; i < width; i += 1) sum += data[row * width + i] * from[i];
        if (isLast) to[row] = sum;
        else bend(sum, to, bends[at + 1], row);
      }
    });
    const fingerprint = values[values.length - 1];
    return Array.from({ length: members }, (_, member) => {
      const own = fingerprint.subarray(...this.shareOf(member));
      const length = Math.max(Math.sqrt(own.reduce((sum, one) => sum + one * one, 0)), SHORTEST) * Math.sqrt(members);
      for (let d = 0; d < own.length; d += 1) own[d] /= length;
      return length;
    });
  }

  // How the probability changes with the fingerprint.
  private ofLabels(fingerprint: Float64Array, memberC: ArrayLike<number>): Float64Array {
    const { weights: { data, width }, bias } = this.chain.labels, { weightC } = this, slope = new Float64Array(width);
    let most = -Infinity, total = 0;
    for (let c = 0; c < weightC.length; c += 1) {
      let sum = bias[c];
      for (let d = 0; d < width; d += 1) sum += data[c * width + d] * fingerprint[d];
      weightC[c] = sum;
      most = Math.max(most, sum);
    }
    for (let c = 0; c < weightC.length; c += 1) total += weightC[c] = Math.exp(weightC[c] - most);
    this.probability = 0;
    for (let c = 0; c < weightC.length; c += 1) {
      weightC[c] /= total;
      if (memberC[c]) this.probability += weightC[c];
    }
    for (let c = 0; c < weightC.length; c += 1) {
      const pull = weightC[c] * ((memberC[c] ? 1 : 0) - this.probability);
      for (let d = 0; d < width; d += 1) slope[d] += pull * data[c * width + d];
    }
    return slope;
  }

  private backwards(slope: Float64Array): Float64Array {
    const { layers } = this.chain;
    for (let at = layers.length - 1; at >= 0; at -= 1) {
      const { weights: { data, width } } = layers[at], before = new Float64Array(width);
      for (let row = 0; row < slope.length; row += 1) for (let i = 0; i < width; i += 1) before[i] += slope[row] * data[row * width + i];
      for (let i = 0; i < width; i += 1) before[i] *= this.bends[at][i];
      slope = before;
    }
    return slope;
  }
}

// Gelu and its slope.
function bend(value: number, values: Float64Array, bends: Float64Array, at: number): void {
  const share = 0.5 * (1 + erf(value / Math.SQRT2));
  values[at] = value * share;
  bends[at] = share + (value * Math.exp(-0.5 * value * value)) / Math.sqrt(2 * Math.PI);
}
