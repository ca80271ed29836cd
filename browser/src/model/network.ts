// A graph made ready to run: what doesn't depend on cells is worked out once, the rest for some cells at a time.

import type { Graph } from "./graph.ts";
import { BundleError } from "../base/errors.ts";
import { prepare } from "./operators.ts";
import type { Step } from "./operators.ts";
import { valuesOf } from "./tensors.ts";
import type { Tensor } from "./tensors.ts";

export class Network {
  // What is done in turn: from which values, to which.
  private readonly steps: { step: Step; from: string[]; to: string }[] = [];
  private readonly known = new Map<string, Tensor>();

  constructor(private readonly graph: Graph) {
    for (const tensor of graph.initializers) {
      const values = valuesOf(tensor);
      if (values === null) throw new BundleError("its weights aren't stored as those of exported networks are");
      this.known.set(tensor.name, values);
    }
    for (const node of graph.nodes) {
      const from = node.input.filter(Boolean), [to] = node.output;
      const inputs = node.input.map((name) => this.known.get(name) ?? null);
      const step = prepare(node, inputs);
      if (from.every((name) => this.known.has(name))) this.known.set(to, step(from.map((name) => this.known.get(name)!)));
      else this.steps.push({ step, from, to });
    }
  }

  // The outputs of the graph, from tensors by the names of its inputs.
  run(given: Iterable<[string, Tensor]>): Tensor[] {
    const values = new Map<string, Tensor>(given);
    const valueOf = (name: string): Tensor => {
      const value = values.get(name) ?? this.known.get(name);
      if (value === undefined) throw new BundleError(`nothing gives what it calls '${name.slice(0, 40)}'`);
      return value;
    };
    for (const { step, from, to } of this.steps) values.set(to, step(from.map(valueOf)));
    return this.graph.outputs.map(({ name }) => valueOf(name));
  }
}
