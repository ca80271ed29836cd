// How much each gene of a cell speaks for a type, or against it.
//
// Of a network that reads the summary of all genes alone, the probability p of a type is followed from a cell without
// counts to the cell, which is scaled and weighted as the network does it, s:
//
//     contribution of a gene = s_g * mean over a of dp/ds_g at a s,   a from 0 to 1
//
// Together the contributions are p(cell) - p(no counts): integrated gradients, Sundararajan, Taly & Yan 2017,
// arXiv:1703.01365.
// Axes: n cells, g the bundle's genes, k numbers of the summary, c labels.

import { Csr } from "../base/csr.ts";
import type { Bundle } from "./bundle.ts";
import { type Chain, Layers, readChain, SHORTEST } from "./layers.ts";

// Points of the way from a cell without counts to the cell.
const STEPS = 64;

// What speaks for a type in some cells.
export interface Spoken {
  // How much each gene that a cell has adds to the probability; negative where it speaks against.
  contributionNg: Csr;
  // The network's probability of the type, each cell alone and before calibration.
  probabilityN: Float64Array;
  // The same of a cell without counts.
  without: number;
}

export class IntegratedGradients {
  static readonly method = "integrated gradients";
  // Cells of a type or group that are looked at, at most.
  static readonly most = 50;
  private readonly layers: Layers;
  // The summary of a cell without counts.
  private readonly startK: Float64Array;

  constructor(private readonly bundle: Bundle, private readonly chain: Chain) {
    this.layers = new Layers(chain);
    this.startK = Float64Array.from(chain.mean, (mean, k) => (chain.first.biasK[k] - mean) / chain.spread[k]);
  }

  // What speaks for a node in some cells.
  of(counts: Csr, node: number): Spoken {
    const { labelWeights } = this.bundle, memberC = Uint8Array.from(labelWeights.labelC, (_, c) => labelWeights.reachCm[c * labelWeights.width + node]);
    const found = this.scaled(counts), probabilityN = new Float64Array(counts.height), { data: loading, width } = this.chain.first.projectGk;
    const ahead = new Float64Array(width), at = new Float64Array(width), mean = new Float64Array(width);
    for (let n = 0; n < counts.height; n += 1) {
      this.summarise(found, n, ahead);
      mean.fill(0);
      for (let step = 0; step < STEPS; step += 1) {
        this.look(ahead, (step + 0.5) / STEPS, at, memberC);
        for (let k = 0; k < width; k += 1) mean[k] += this.layers.slopeK[k] / STEPS;
      }
      for (let e = found.indptr[n]; e < found.indptr[n + 1]; e += 1) {
        let sum = 0;
        for (let k = 0; k < width; k += 1) sum += (loading[found.indices[e] * width + k] / this.chain.spread[k]) * mean[k];
        found.data[e] *= sum * this.chain.first.length;
      }
      this.look(ahead, 1, at, memberC);
      probabilityN[n] = this.layers.probability;
    }
    this.look(ahead, 0, at, memberC);
    return { contributionNg: found, probabilityN, without: this.layers.probability };
  }

  // Cells of length 1, as the network weighs their genes.
  private scaled({ data, indices, indptr, width }: Csr): Csr {
    const scaled = data.map((count, e) => Math.fround(Math.sqrt(count)) * this.chain.first.weightG[indices[e]]);
    for (let n = 0; n + 1 < indptr.length; n += 1) {
      let square = 0;
      for (let e = indptr[n]; e < indptr[n + 1]; e += 1) square += scaled[e] * scaled[e];
      const length = Math.max(Math.sqrt(square), SHORTEST);
      for (let e = indptr[n]; e < indptr[n + 1]; e += 1) scaled[e] /= length;
    }
    return new Csr(scaled, indices, indptr, width);
  }

  // How far a cell's summary is from that of a cell without counts.
  private summarise(scaled: Csr, n: number, ahead: Float64Array): void {
    const { first: { projectGk: { data, width }, length }, spread } = this.chain;
    ahead.fill(0);
    for (let e = scaled.indptr[n]; e < scaled.indptr[n + 1]; e += 1) {
      const row = scaled.indices[e] * width;
      for (let k = 0; k < width; k += 1) ahead[k] += scaled.data[e] * data[row + k];
    }
    for (let k = 0; k < width; k += 1) ahead[k] *= length / spread[k];
  }

  private look(ahead: Float64Array, share: number, at: Float64Array, memberC: Uint8Array): void {
    for (let k = 0; k < at.length; k += 1) at[k] = this.startK[k] + share * ahead[k];
    this.layers.look(at, memberC);
  }
}

// The way through a bundle's network; null where it reads more than the summary of all genes.
export function throughWeights(bundle: Bundle): IntegratedGradients | null {
  const chain = bundle.isOfThisOntology ? readChain(bundle) : null;
  return chain === null ? null : new IntegratedGradients(bundle, chain);
}
