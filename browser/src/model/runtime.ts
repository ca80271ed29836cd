// Running a bundle's network: aligned counts in, fingerprints, node probabilities and familiarity out.
//
// Normalisation, layout and temperature are inside the network, so this module only cuts cells into batches. Where it can
// be, the first layer is worked out on sparse counts, see `first_layer`. Which probability becomes an answer is decided
// in annotation/decision.
// Axes: n cells, g the bundle's genes, d fingerprint, c labels, m ontology nodes.

import { Csr } from "../base/csr.ts";
import { BundleError } from "../base/errors.ts";
import { takeRows, vstack } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import type { LabelWeights } from "../biology/label_weights.ts";
import type { Bundle } from "./bundle.ts";
import { partGraph } from "./first_layer.ts";
import type { Parted } from "./first_layer.ts";
import { checkGraph } from "./graph.ts";
import type { Graph } from "./graph.ts";
import { MODEL } from "./manifest.ts";
import { Network } from "./network.ts";
import type { Tensor } from "./tensors.ts";

// Cells that are dense at once.
export const BATCH = 64;
// Cells that go through what comes after a first layer on sparse counts at once.
export const REST_BATCH = 256;
// How far what a network says in two parts may be from what it says whole.
export const ALIKE = 1e-4;

export const INPUTS = ["counts_ng", "measured_g"] as const;
export const OUTPUTS = ["fingerprint_nd", "probabilities_nm"] as const;
// An output that bundles before format 1.2 lack.
export const FAMILIARITY = "familiarity_n";

type Measured = ArrayLike<number | boolean>;
type Says = (countsNg: Csr, measuredG: Measured) => Tensor[];

// What the network says of n cells.
export class Prediction {
  private saidNm: Matrix | null;

  constructor(
    readonly fingerprintNd: Matrix,
    // Probability of each node; given, or worked out from weightNc.
    probabilitiesNm: Matrix | null = null,
    // Logarithm of how much speaks for all labels together; null where the bundle doesn't say.
    readonly familiarityN: Float32Array | null = null,
    // Known genes that are measured in the cells.
    readonly nMeasured = 0,
    // Weight of each label, where the network says that.
    readonly weightNc: Matrix | null = null,
    private readonly weights: LabelWeights | null = null,
  ) {
    this.saidNm = probabilitiesNm;
    if (probabilitiesNm === null && (weightNc === null || weights === null)) {
      throw new Error("either the nodes' probabilities are needed or the labels' weights");
    }
  }

  // Probability of each node, (n, m).
  get probabilitiesNm(): Matrix {
    return (this.saidNm ??= this.weights!.summed(this.weightNc!));
  }
}

// A bundle's network, ready to run.
export class Runtime {
  private readonly says: Says;
  private readonly endsInWeights: boolean;

  constructor(readonly bundle: Bundle) {
    const graph = checkGraph(bundle.read(MODEL), bundle.manifest, bundle.path);
    checkShapes(graph, bundle);
    const outputs = [...OUTPUTS, FAMILIARITY].filter((name) => graph.outputs.some((value) => value.name === name));
    const network = made(graph, outputs, bundle);
    const whole: Says = (countsNg, measuredG) => wholly(network, countsNg, measuredG, bundle);
    const inParts = InParts.of(graph, bundle, outputs, whole);
    // where the parts will do, the whole isn't kept
    this.says = inParts === null ? whole : (countsNg, measuredG) => inParts.run(countsNg, measuredG);
    this.endsInWeights = inParts?.endsInWeights ?? false;
  }

  // Fingerprint, node probabilities and familiarity of each cell, from counts in the order of the bundle's genes, zero
  // where a gene wasn't measured, and which of the genes were measured at all. The fingerprint of a cell without counts
  // is zero.
  predict(countsNg: Csr, measuredG: Measured): Prediction {
    const { manifest, name } = this.bundle;
    if (countsNg.width !== manifest.nGenes) throw new Error(`counts have ${countsNg.width} genes; the bundle ${name} has ${manifest.nGenes}`);
    const isEmptyN = Array.from(countsNg.sums(), (sum) => sum === 0), firstEmpty = isEmptyN.indexOf(true);
    // most droplets of a run are empty, and the network says the same of each: the first stands for all
    const shown = Array.from(isEmptyN.keys()).filter((i) => !isEmptyN[i] || i === firstEmpty);
    const shownNg = firstEmpty < 0 ? countsNg : countsNg.rows(shown);
    let found = this.says(shownNg, measuredG).map(matrixOf);
    if (firstEmpty >= 0) {
      const placeOf = new Map(shown.map((cell, place) => [cell, place]));
      const placeN = isEmptyN.map((isEmpty, i) => placeOf.get(isEmpty ? firstEmpty : i)!);
      found = found.map((values) => takeRows(values, placeN));
    }
    if (!found.every(({ data }) => data.every(Number.isFinite))) {
      throw new BundleError(`the network of the bundle ${name} gives numbers that aren't finite; export it again.`);
    }
    const [fingerprintNd, said, known] = found;
    isEmptyN.forEach((isEmpty, i) => isEmpty && fingerprintNd.data.fill(0, i * fingerprintNd.width, (i + 1) * fingerprintNd.width));
    let nMeasured = 0;
    for (let g = 0; g < measuredG.length; g += 1) if (measuredG[g]) nMeasured += 1;
    const familiarityN = known?.data ?? null;
    if (!this.endsInWeights) return new Prediction(fingerprintNd, said, familiarityN, nMeasured);
    return new Prediction(fingerprintNd, null, familiarityN, nMeasured, said, this.bundle.labelWeights);
  }
}

// A network whose first layer is worked out on sparse counts.
class InParts {
  readonly endsInWeights: boolean;
  private readonly rest: Network;

  private constructor(private readonly parted: Parted, private readonly bundle: Bundle) {
    this.endsInWeights = parted.weights !== null;
    this.rest = new Network(parted.rest);
  }

  // A network in parts, if it can be parted and says in parts what it says whole.
  static of(graph: Graph, bundle: Bundle, outputs: string[], whole: Says): InParts | null {
    const { manifest } = bundle, sums = bundle.isOfThisOntology && manifest.calibration === null;
    const parted = partGraph(graph, manifest.nGenes, outputs, sums ? [manifest.labels.length, manifest.nodes.length] : null);
    if (parted === null) return null;
    const inParts = new InParts(parted, bundle), [countsNg, measuredG] = someCells(manifest.nGenes);
    const said = inParts.run(countsNg, measuredG).map(matrixOf), meant = whole(countsNg, measuredG);
    if (inParts.endsInWeights) said[1] = bundle.labelWeights.summed(said[1]);
    const alike = said.every(({ data }, k) => data.every((value, i) => Math.abs(value - meant[k].data[i]) <= ALIKE * (1 + Math.abs(meant[k].data[i]))));
    return alike ? inParts : null;
  }

  // What the network says of counts.
  run(countsNg: Csr, measuredG: Measured): Tensor[] {
    const { data, width } = this.parted.first.apply(countsNg, measuredG);
    return inBatches(countsNg.height, REST_BATCH, (start, stop) =>
      running(this.bundle, () => this.rest.run([[this.parted.inner, { data: data.subarray(start * width, stop * width), dims: [stop - start, width] }]])),
    );
  }
}

function made(graph: Graph, outputs: string[], bundle: Bundle): Network {
  return running(bundle, () => new Network({ ...graph, outputs: outputs.map((name) => ({ name, dims: [] })) }));
}

// What the whole network says of counts, some cells at a time.
function wholly(network: Network, countsNg: Csr, measuredG: Measured, bundle: Bundle): Tensor[] {
  const measured = Float32Array.from(measuredG, (is) => (is ? 1 : 0));
  return inBatches(countsNg.height, BATCH, (start, stop) => {
    const batch = { data: countsNg.slice(start, stop).toDense(), dims: [stop - start, countsNg.width] };
    return running(bundle, () => network.run([[INPUTS[0], batch], [INPUTS[1], { data: measured, dims: [measured.length] }]]));
  });
}

// Made cells, shallow and deep ones and one without counts, and genes of which most are measured.
function someCells(nGenes: number): [Csr, Uint8Array] {
  const measuredG = Uint8Array.from({ length: nGenes }, (_, g) => (g % 10 === 3 ? 0 : 1));
  const rows = [0, 997, 31, 3].map((step, depth) => Float32Array.from(measuredG, (is, g) => (is && step && (g * 7) % step === 0 ? 1 + ((g * 13) % (1 + depth * 8)) : 0)));
  return [Csr.dense(rows, nGenes), measuredG];
}

// Runs some cells at a time, and gives what is said of all.
function inBatches(nCells: number, size: number, run: (start: number, stop: number) => Tensor[]): Tensor[] {
  const parts: Tensor[][] = [];
  for (let start = 0; start < Math.max(nCells, 1); start += size) parts.push(run(start, Math.min(start + size, nCells)));
  if (parts.length === 1) return parts[0];
  return parts[0].map(({ dims }, k) => ({ data: vstack(parts.map((part) => matrixOf(part[k]))).data, dims: [nCells, ...dims.slice(1)] }));
}

const matrixOf = ({ data, dims }: Tensor): Matrix => ({ data, width: dims.slice(1).reduce((size, side) => size * side, 1) });

function running<T>(bundle: Bundle, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    throw new BundleError(`the network of the bundle ${bundle.name} can't be run (${error.message}); export it again.`);
  }
}

function checkShapes(graph: Graph, { manifest, path }: Bundle): void {
  const found = new Map([...graph.inputs, ...graph.outputs].map(({ name, dims }) => [name, dims]));
  const cells = found.get(INPUTS[0])?.[0] ?? null;
  if (cells !== null) {
    throw new BundleError(
      `the network of the bundle ${path} takes ${cells} cells at a time and no other number; export the bundle again.`,
    );
  }
  const needed: [string, number][] = [
    [INPUTS[0], manifest.nGenes], [INPUTS[1], manifest.nGenes], [OUTPUTS[0], manifest.fingerprintSize], [OUTPUTS[1], manifest.nodes.length],
  ];
  for (const [name, width] of needed) {
    const dims = found.get(name);
    if (dims?.at(-1) === width) continue;
    throw new BundleError(
      `the network of the bundle ${path} doesn't fit its manifest: ${name} should be ${width} wide ` +
        `and is ${dims ? shape(dims) : "missing"}; export the bundle again.`,
    );
  }
  const known = found.get(FAMILIARITY);
  if (manifest.trust !== null && known === undefined) {
    throw new BundleError(
      `the bundle ${path} weighs how familiar a cell looks, which its network doesn't say; export it again.`,
    );
  }
  if (known !== undefined && known.length !== 1) {
    throw new BundleError(`the network of the bundle ${path} should give one ${FAMILIARITY} a cell and gives ${shape(known)}; export it again.`);
  }
}

const shape = (dims: (number | null)[]): string => `[${dims.map((side) => side ?? "'n'").join(", ")}]`;
