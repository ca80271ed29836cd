// What a network may be made of, looked at before it is run: only the operators and types that exported networks hold.
//
// None of them loops, and none calls other graphs or files. Axes: c labels, m nodes.

import { BundleError } from "../base/errors.ts";
import { comma, repr } from "../base/words.ts";
import { loadOntology, reachMatrix } from "../biology/ontology.ts";
import { MODEL } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { Message } from "./protobuf.ts";
import { storedOf, TYPES, valuesOf } from "./tensors.ts";
import type { Stored } from "./tensors.ts";

// What exported networks are made of, and what exporters of other releases write in its stead.
export const OPERATORS: ReadonlySet<string> = new Set([
  "Add", "BatchNormalization", "Cast", "CastLike", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "Div",
  "Einsum", "Erf", "Exp", "Expand", "Gather", "Gelu", "Gemm", "Identity", "LayerNormalization", "Log",
  "MatMul", "Max", "Min", "Mul", "Neg", "Pad", "Pow", "Reciprocal", "ReduceL2", "ReduceLogSumExp", "ReduceMax",
  "ReduceMean", "ReduceSum", "Relu", "Reshape", "ScatterND", "Shape", "Slice", "Softmax",
  "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
]);
// Nodes of a graph; the largest network has some 400.
export const MOST_NODES = 10_000;
// Numbers in one tensor of a graph, a gigabyte.
export const MOST_NUMBERS = 250_000_000;

export interface Attribute {
  float: number;
  whole: number;
  text: string;
  wholes: number[];
  tensor: Stored | null;
}

export interface GraphNode {
  input: string[];
  output: string[];
  opType: string;
  attributes: Map<string, Attribute>;
}

// What goes in or comes out, and its shape; null where a side may have any length.
export interface Value {
  name: string;
  dims: (number | null)[];
}

export interface Graph {
  nodes: GraphNode[];
  initializers: Stored[];
  inputs: Value[];
  outputs: Value[];
}

// A network's graph, refused if it holds more than exported ones do, or sums up other labels than its manifest says.
export function checkGraph(contents: Uint8Array, manifest: Manifest, where: string): Graph {
  let graph: Graph | string;
  try {
    graph = readGraph(contents);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    graph = `it is no ONNX graph (${error.message})`;
  }
  if (typeof graph === "string") throw new BundleError(`can't load ${MODEL} of ${where}: ${graph}. Export the bundle again.`);
  if (manifest.ontologyVersion === loadOntology().version && !sumsUp(graph, manifest)) {
    throw new BundleError(
      `the network of the bundle ${where} has other labels, or in another order, than its manifest says; ` +
        "export the bundle again.",
    );
  }
  return graph;
}

// The graph, or what is wrong with it.
function readGraph(contents: Uint8Array): Graph | string {
  const model = new Message(contents), graph = model.message(7), nodes = graph?.messages(1) ?? [];
  if (graph === null || !nodes.length) return "it is no ONNX graph";
  if (model.has(25) || graph.has(15) || nodes.length > MOST_NODES) {
    return `it has functions, sparse weights or more than ${comma(MOST_NODES)} operators, unlike exported networks`;
  }
  const read: Graph = { nodes: [], initializers: graph.messages(5).map(storedOf), inputs: graph.messages(11).map(valueOf), outputs: graph.messages(12).map(valueOf) };
  const tensors = [...read.initializers];
  for (const node of nodes) {
    const kind = node.text(4), attributes = node.messages(5);
    if (!OPERATORS.has(kind) || !["", "ai.onnx"].includes(node.text(7))) {
      return `it has the operator ${repr(kind.slice(0, 40))}, unlike exported networks`;
    }
    if (attributes.some((part) => part.has(6) || part.has(11) || part.has(22) || part.has(23))) {
      return `its operator ${repr(kind)} holds a graph or sparse weights, unlike exported networks`;
    }
    for (const part of attributes) tensors.push(...part.messages(10).map(storedOf), ...part.messages(5).map(storedOf));
    read.nodes.push({ input: node.texts(1), output: node.texts(2), opType: kind, attributes: new Map(attributes.map((part) => [part.text(1), attributeOf(part)])) });
  }
  for (const tensor of tensors) {
    const fault = tensorFault(tensor);
    if (fault !== null) return fault;
  }
  return read;
}

function attributeOf(part: Message): Attribute {
  const tensor = part.message(5);
  return { float: part.number(2), whole: part.number(3), text: part.text(4), wholes: part.wholes(8), tensor: tensor && storedOf(tensor) };
}

function valueOf(message: Message): Value {
  const sides = message.message(2)?.message(1)?.message(2)?.messages(1) ?? [];
  return { name: message.text(1), dims: sides.map((side) => (side.has(1) ? side.number(1) : null)) };
}

function tensorFault(tensor: Stored): string | null {
  if (tensor.isElsewhere) return "its weights lie in another file";
  if (!TYPES.has(tensor.dataType)) return `it has weights of ONNX's type ${tensor.dataType}, unlike exported networks`;
  let nNumbers = 1;
  for (const side of tensor.dims) {
    if (side < 0 || (nNumbers *= side) > MOST_NUMBERS) {
      return `it has weights of ${tensor.dims.slice(0, 6).join(" x ")} numbers, which can't be`;
    }
  }
  return null;
}

// Whether the matrix that sums labels up the ontology is that of the labels; true where none is found.
function sumsUp(graph: Graph, manifest: Manifest): boolean {
  const height = manifest.labels.length, width = manifest.nodes.length;
  const told = graph.initializers
    .filter(({ dims, rawData }) => dims.length === 2 && dims[0] === height && dims[1] === width && rawData.length)
    .map((tensor) => valuesOf(tensor)?.data)
    .filter((values) => values !== undefined && values.every((value) => value === 0 || value === 1));
  if (!told.length) return true;
  const [nodes, reachCm] = reachMatrix(manifest.labels, loadOntology());
  const place = new Map(nodes.map((node, m) => [node, m])), orderM = manifest.nodes.map((node) => place.get(node)!);
  return told.some((values) => values!.every((value, e) => value === reachCm[e - (e % width) + orderM[e % width]]));
}
