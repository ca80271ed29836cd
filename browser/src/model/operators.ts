// What the operators of exported networks do, as loops over rows in single precision.
//
// Each is made ready once: `prepare` gives what is done with the tensors that come later. What an operator could do and
// no exported network asks for is refused in words.

import { BundleError } from "../base/errors.ts";
import { erf } from "../base/erf.ts";
import type { GraphNode } from "./graph.ts";
import { sizeOf, valuesOf } from "./tensors.ts";
import type { Tensor } from "./tensors.ts";

// Where a constant goes in it is known beforehand.
export type Inputs = (Tensor | null)[];
export type Step = (inputs: Tensor[]) => Tensor;

type Prepare = (node: GraphNode, known: Inputs) => Step;

const unusual = (node: GraphNode): BundleError => new BundleError(`its operator '${node.opType}' is used as in no exported network`);

export function prepare(node: GraphNode, known: Inputs): Step {
  const how = node.output.length === 1 ? OPERATIONS.get(node.opType) : undefined;
  if (how === undefined) throw new BundleError(`it has the operator '${node.opType}', which can't be run in the browser`);
  return how(node, known);
}

const whole = (node: GraphNode, name: string, otherwise: number): number => node.attributes.get(name)?.whole ?? otherwise;
const float = (node: GraphNode, name: string, otherwise: number): number => node.attributes.get(name)?.float ?? otherwise;
const same = (): Step => ([given]) => given;

// Each number by itself.
const each = (of: (value: number) => number): Prepare => () => ([{ data, dims }]) => {
  const made = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 1) made[i] = of(data[i]);
  return { data: made, dims };
};

// Two tensors number by number; what one of them lacks of the other's shape is repeated.
const pairs = (of: (one: number, other: number) => number): Prepare => () => ([one, other]) => broadcast(one, other, of);

function broadcast(one: Tensor, other: Tensor, of: (one: number, other: number) => number): Tensor {
  const rank = Math.max(one.dims.length, other.dims.length);
  const [a, b] = [one, other].map(({ dims }) => [...Array<number>(rank - dims.length).fill(1), ...dims]);
  const dims = a.map((side, at) => (side === 1 ? b[at] : side));
  if (dims.some((side, at) => b[at] !== 1 && b[at] !== side)) throw new BundleError(`it puts ${a.join(" x ")} and ${b.join(" x ")} numbers together`);
  const data = new Float32Array(sizeOf(dims));
  // rows are the last axis; a row of one tensor may stand for several of the other
  const width = rank ? dims[rank - 1] : 1, rows = width ? data.length / width : 0;
  const stepA = rank && a[rank - 1] > 1 ? 1 : 0, stepB = rank && b[rank - 1] > 1 ? 1 : 0;
  for (let row = 0; row < rows; row += 1) {
    let [atA, atB] = [startOf(row, dims, a), startOf(row, dims, b)];
    for (let i = row * width; i < (row + 1) * width; i += 1, atA += stepA, atB += stepB) data[i] = of(one.data[atA], other.data[atB]);
  }
  return { data, dims };
}

// Where the row of a tensor begins that belongs to a row of what is made of it.
function startOf(row: number, dims: number[], own: number[]): number {
  let at = 0, scale = own.at(-1) ?? 1, left = row;
  for (let axis = dims.length - 2; axis >= 0; axis -= 1) {
    const place = left % dims[axis];
    left = (left - place) / dims[axis];
    if (own[axis] > 1) at += place * scale;
    scale *= own[axis];
  }
  return at;
}

// The last axis, all numbers of a row becoming one.
const reduce = (of: (data: Float32Array, from: number, to: number) => number): Prepare => (node, known) => {
  const keepdims = whole(node, "keepdims", 1), axes = node.attributes.get("axes")?.wholes ?? Array.from(known[1]?.data ?? []);
  if (axes.length !== 1 || (node.input[1] && known[1] === null)) throw unusual(node);
  return ([{ data, dims }]) => {
    const width = dims.at(-1) ?? 1, made = new Float32Array(width ? data.length / width : 0);
    if (axes[0] !== -1 && axes[0] !== dims.length - 1) throw unusual(node);
    for (let row = 0; row < made.length; row += 1) made[row] = of(data, row * width, (row + 1) * width);
    return { data: made, dims: [...dims.slice(0, -1), ...(keepdims ? [1] : [])] };
  };
};

function sumOf(data: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += data[i];
  return sum;
}

function lengthOf(data: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += data[i] * data[i];
  return Math.sqrt(sum);
}

function mostOf(data: Float32Array, from: number, to: number): number {
  let most = -Infinity;
  for (let i = from; i < to; i += 1) if (!(data[i] <= most)) most = data[i];
  return most;
}

function logSumExp(data: Float32Array, from: number, to: number): number {
  const most = mostOf(data, from, to);
  let sum = 0;
  for (let i = from; i < to; i += 1) sum += Math.exp(data[i] - most);
  return Math.log(sum) + most;
}

const softmax: Prepare = (node) => {
  const axis = whole(node, "axis", -1);
  return ([{ data, dims }]) => {
    if (axis !== -1 && axis !== dims.length - 1) throw unusual(node);
    const width = dims.at(-1) ?? 1, made = new Float32Array(data.length);
    for (let from = 0; from < data.length; from += width) {
      const most = mostOf(data, from, from + width);
      let sum = 0;
      for (let i = from; i < from + width; i += 1) sum += made[i] = Math.exp(data[i] - most);
      for (let i = from; i < from + width; i += 1) made[i] /= sum;
    }
    return { data: made, dims };
  };
};

// Rows times a matrix that is known beforehand, kept with its axes changed so that both are read from left to right.
function product(node: GraphNode, weight: Tensor | null, isTurned: boolean, alpha: number, bias: Tensor | null): Step {
  if (weight?.dims.length !== 2) throw unusual(node);
  const [height, width] = isTurned ? weight.dims : [weight.dims[1], weight.dims[0]];
  const rows = isTurned ? weight.data.map((value) => alpha * value) : new Float32Array(weight.data.length);
  if (!isTurned) for (let i = 0; i < height; i += 1) for (let j = 0; j < width; j += 1) rows[i * width + j] = alpha * weight.data[j * height + i];
  const added = bias === null ? new Float32Array(height) : broadcast({ data: new Float32Array(height), dims: [height] }, bias, (_, value) => value).data;
  if (added.length !== height) throw unusual(node);
  return ([{ data, dims }]) => {
    if (dims.length !== 2 || dims[1] !== width) throw unusual(node);
    const made = new Float32Array(dims[0] * height);
    for (let n = 0; n < dims[0]; n += 1) multiply(data, n * width, width, rows, added, made, n * height);
    return { data: made, dims: [dims[0], height] };
  };
}

// One row of a product; four sums at once, so that the row is fetched less often.
function multiply(data: Float32Array, from: number, width: number, rows: Float32Array, bias: Float32Array, made: Float32Array, at: number): void {
  const height = bias.length;
  let i = 0;
  for (; i + 3 < height; i += 4) {
    let one = bias[i], two = bias[i + 1], three = bias[i + 2], four = bias[i + 3];
    const a = i * width, b = a + width, c = b + width, d = c + width;
    for (let j = 0; j < width; j += 1) {
      const value = data[from + j];
      one += value * rows[a + j];
      two += value * rows[b + j];
      three += value * rows[c + j];
      four += value * rows[d + j];
    }
    made[at + i] = one;
    made[at + i + 1] = two;
    made[at + i + 2] = three;
    made[at + i + 3] = four;
  }
  for (; i < height; i += 1) {
    let sum = bias[i];
    for (let j = 0; j < width; j += 1) sum += data[from + j] * rows[i * width + j];
    made[at + i] = sum;
  }
}

const gemm: Prepare = (node, known) => {
  const beta = float(node, "beta", 1), bias = known[2] ?? null;
  if (whole(node, "transA", 0) || (node.input[2] && bias === null) || beta !== 1) throw unusual(node);
  return product(node, known[1], whole(node, "transB", 0) === 1, float(node, "alpha", 1), bias);
};

const batchNormalization: Prepare = (node, known) => {
  const [scale, bias, mean, variance] = known.slice(1).map((tensor) => tensor?.data), epsilon = float(node, "epsilon", 1e-5);
  if (!scale || !bias || !mean || !variance) throw unusual(node);
  const times = Float64Array.from(scale, (value, k) => value / Math.sqrt(variance[k] + epsilon));
  const plus = Float64Array.from(bias, (value, k) => value - mean[k] * times[k]);
  return ([{ data, dims }]) => {
    const width = times.length, made = new Float32Array(data.length);
    if (dims.length !== 2 || dims[1] !== width) throw unusual(node);
    for (let from = 0; from < data.length; from += width) {
      for (let k = 0; k < width; k += 1) made[from + k] = data[from + k] * times[k] + plus[k];
    }
    return { data: made, dims };
  };
};

const gelu: Prepare = (node, known) => {
  if ((node.attributes.get("approximate")?.text || "none") !== "none") throw unusual(node);
  return each((value) => 0.5 * value * (1 + erf(value * Math.SQRT1_2)))(node, known);
};

// The smaller or larger of the number and a bound that may be left out.
const clip: Prepare = (node) => ([given, ...bounds]) => {
  const at = (input: number) => (node.input[input] ? bounds[node.input.slice(1, input).filter(Boolean).length] : null);
  const least = at(1)?.data[0] ?? -Infinity, most = at(2)?.data[0] ?? Infinity;
  const data = new Float32Array(given.data.length);
  for (let i = 0; i < data.length; i += 1) data[i] = Math.min(Math.max(given.data[i], least), most);
  return { data, dims: given.dims };
};

const power: Prepare = () => ([base, exponent]) =>
  broadcast(base, exponent, exponent.data.length === 1 && exponent.data[0] === 2 ? (value) => value * value : Math.pow);

const constant: Prepare = (node) => {
  const held = node.attributes.get("value")?.tensor, wholes = node.attributes.get("value_ints")?.wholes;
  const values = wholes === undefined ? held && valuesOf(held) : { data: Float32Array.from(wholes), dims: [wholes.length] };
  if (!values) throw unusual(node);
  return () => values;
};

const unsqueeze: Prepare = (node, known) => {
  const axes = node.attributes.get("axes")?.wholes ?? Array.from(known[1]?.data ?? []);
  if (axes.length !== 1) throw unusual(node);
  return ([{ data, dims }]) => {
    const at = axes[0] < 0 ? dims.length + 1 + axes[0] : axes[0];
    return { data, dims: [...dims.slice(0, at), 1, ...dims.slice(at)] };
  };
};

// Rows become columns.
const transpose: Prepare = (node) => {
  const order = node.attributes.get("perm")?.wholes ?? [1, 0];
  return ([{ data, dims }]) => {
    if (dims.length !== 2 || order.length !== 2 || order[0] !== 1 || order[1] !== 0) throw unusual(node);
    const [rows, width] = dims, made = new Float32Array(data.length);
    for (let n = 0; n < rows; n += 1) for (let k = 0; k < width; k += 1) made[k * rows + n] = data[n * width + k];
    return { data: made, dims: [width, rows] };
  };
};

// The same numbers in rows of another length, which is told beforehand.
const reshape: Prepare = (node, known) => {
  const shape = Array.from(known[1]?.data ?? []);
  if (shape.length !== 2 || shape[0] !== -1 || !(shape[1] > 0)) throw unusual(node);
  return ([{ data }]) => ({ data, dims: [data.length / shape[1], shape[1]] });
};

// Rows side by side; a single row where there is but one axis.
const concat: Prepare = (node) => (inputs) => {
  const axis = whole(node, "axis", 0);
  if (axis === 0 && inputs.every(({ dims }) => dims.length === 1)) {
    const data = inputs.flatMap((input) => Array.from(input.data));
    return { data: Float32Array.from(data), dims: [data.length] };
  }
  const rows = inputs[0].dims[0], widths = inputs.map(({ dims }) => dims[1]);
  if (inputs.some(({ dims }) => dims.length !== 2 || dims[0] !== rows) || (axis !== 1 && axis !== -1)) throw unusual(node);
  const width = widths.reduce((sum, one) => sum + one, 0), data = new Float32Array(rows * width);
  for (let n = 0; n < rows; n += 1) {
    let at = n * width;
    inputs.forEach((input, i) => {
      data.set(input.data.subarray(n * widths[i], (n + 1) * widths[i]), at);
      at += widths[i];
    });
  }
  return { data, dims: [rows, width] };
};

const OPERATIONS: ReadonlyMap<string, Prepare> = new Map([
  ["Add", pairs((one, other) => one + other)],
  ["BatchNormalization", batchNormalization],
  // all numbers are in single precision here
  ["Cast", same],
  ["CastLike", same],
  ["Clip", clip],
  ["Concat", concat],
  ["Constant", constant],
  ["Div", pairs((one, other) => one / other)],
  ["Exp", each(Math.exp)],
  ["Gelu", gelu],
  ["Gemm", gemm],
  ["Identity", same],
  ["Log", each(Math.log)],
  ["MatMul", (node, known) => product(node, known[1], false, 1, null)],
  ["Max", pairs(Math.max)],
  ["Min", pairs(Math.min)],
  ["Mul", pairs((one, other) => one * other)],
  ["Neg", each((value) => -value)],
  ["Pow", power],
  ["Reciprocal", each((value) => 1 / value)],
  ["ReduceL2", reduce(lengthOf)],
  ["ReduceLogSumExp", reduce(logSumExp)],
  ["ReduceMax", reduce(mostOf)],
  ["ReduceMean", reduce((data, from, to) => sumOf(data, from, to) / (to - from))],
  ["ReduceSum", reduce(sumOf)],
  ["Relu", each((value) => (value > 0 ? value : 0))],
  ["Reshape", reshape],
  ["Softmax", softmax],
  ["Sqrt", each(Math.sqrt)],
  ["Sub", pairs((one, other) => one - other)],
  ["Transpose", transpose],
  ["Unsqueeze", unsqueeze],
]);
