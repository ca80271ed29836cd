// One cell, or one gene in all cells, of a run that is done.
// Axes: n cells, g the bundle's genes, m ontology nodes, t types in the order of the summary.

import type { Options } from "../annotation/options.ts";
import type { SampleTissues } from "../annotation/sample_tissue.ts";
import type { Samples } from "../annotation/samples.ts";
import type { Marks } from "../annotation/mixed.ts";
import { argsort, bincount, quantile } from "../base/arrays.ts";
import { base64 } from "../base/base64.ts";
import { rounded } from "../base/halves.ts";
import type { Matrix } from "../base/matrix.ts";
import { strip } from "../base/text.ts";
import { fixed } from "../base/words.ts";
import { ruleOf } from "../biology/answer_rule.ts";
import { BROAD, loadOntology } from "../biology/ontology.ts";
import type { Relatives } from "../biology/relatives.ts";
import type { Findings } from "../io/findings.ts";
import { UNKNOWN } from "../keys.ts";
import type { Bundle } from "../model/bundle.ts";
import { levelPicture, levelColors, mostItsOwn } from "../report/picture.ts";
import { type Counts, logNormalised, NOT_KEPT } from "./arrays.ts";
import type { KeptColumns } from "./columns.ts";
import type { Edit } from "./curated.ts";
import type { GroundsWriter } from "./grounds.ts";
import { findGenes, findTypes } from "./lookup.ts";
import { palettePng } from "../base/png.ts";
import { Refusal } from "./refusal.ts";
import { namedTerms, type Summary, UNKNOWN_TYPE } from "./summary.ts";
import type { Rows } from "./weights.ts";

// Genes that are named of a cell, and that a search gives at most.
const NAMED = 8, OFFERED = 20;
// Finer types, and types that exclude the answer, that are shown of a cell at most.
const BELOW = 3, OTHERS = 4;
// Smallest probability that is shown.
const WORTH_A_WORD = 0.005;
// Share of the cells with a gene whose values are told apart.
const CLIPPED = 0.99;

// What a run left and nothing that is asked for changes.
export interface Left {
  name: string;
  bundle: Bundle;
  options: Options;
  findings: Findings;
  names: string[];
  nCountsN: Float32Array;
  nGenesN: Int32Array;
  measuredG: Uint8Array;
  counts: Counts | null;
  // Counts of the surest cells of some types, and the position of each one's answer in the nodes.
  examples: Float32Array[];
  exampleTypes: number[];
  // Places on the map, from 0 to 1; NaN for cells without counts.
  x: Float32Array;
  y: Float32Array;
  // Of each cell the place of its group, 65535 for none; null where none were asked for.
  groupN: Uint16Array | null;
  groupNames: string[];
  // The tissues that the cells show; null where the run was told a tissue and nobody has looked yet.
  tissues: SampleTissues | null;
  fingerprints: Matrix;
  // Null where the model's probabilities are no sums of labels' weights, which `probabilities` then holds.
  weights: Rows | null;
  weightsAlone: Rows | null;
  probabilities: Rows | null;
  samples: Samples | null;
  mixed: Marks | null;
  programsNp: Uint8Array;
  commands: { shell: string; python: string };
}

// What is shown of it, which follows threshold and tissue.
export interface Shown {
  typesN: Uint16Array;
  nodes: number[];
  scoreN: Float32Array;
  singleN: Int32Array | null;
  singleScoreN: Float32Array | null;
  barredN: Uint8Array;
  doubtedN: Uint8Array;
  // Sum of each node's probability over each group's cells, row by row.
  groupSums: Float64Array | null;
  grounds: GroundsWriter | null;
  groundsAlone: GroundsWriter | null;
  // What gives the weight of types that the sample can't hold to others.
  relatives: Relatives | null;
  columns: KeptColumns;
  summary: Summary;
}

type Chances = Float64Array;
interface Entry { term: string; name: string; probability: number; role: string }

// round(value, 4) of Python
export const round4 = (value: number): number => Number(fixed(value, 4));

export class Results {
  edits: Edit[] = [];
  // Mean pictures of the types, once worked out.
  means: Float32Array[] | null = null;
  private byName: Map<string, number> | null = null;

  constructor(readonly left: Left, public shown: Shown) {}

  get bundle(): Bundle {
    return this.left.bundle;
  }

  get nCells(): number {
    return this.shown.typesN.length;
  }

  get nTypes(): number {
    return this.shown.nodes.length;
  }

  get counts(): Counts {
    if (this.left.counts === null) throw new Refusal(409, NOT_KEPT);
    return this.left.counts;
  }

  // Each cell's answer as a position in the bundle's nodes, -1 for unknown.
  answers(): Int32Array {
    const { nodes, typesN } = this.shown;
    return Int32Array.from(typesN, (type) => (type === UNKNOWN_TYPE ? -1 : nodes[type]));
  }

  // The term at a position in the nodes, and its name; -1 is unknown.
  term(node: number): string {
    return node < 0 ? UNKNOWN : this.bundle.nodes[node];
  }

  nodeName(node: number): string {
    return node < 0 ? UNKNOWN : this.bundle.nodeNames[node];
  }

  // Probabilities of the nodes for some cells.
  exactProbabilities(cellS: ArrayLike<number>): Matrix {
    const { weights, weightsAlone, probabilities } = this.left;
    if (probabilities !== null) return probabilities.take(cellS);
    const rows = (weights ?? weightsAlone)!.take(cellS), told = (this.shown.grounds ?? this.shown.groundsAlone)!.counts;
    const found = (this.shown.relatives ?? this.bundle.labelWeights).summed(rows), { data, width } = found;
    for (let s = 0; s < cellS.length; s += 1) if (told[cellS[s]] === 0) data.fill(0, s * width, (s + 1) * width);
    return found;
  }

  // The same with half precision, as a server keeps them.
  probabilities(cellS: ArrayLike<number>): Matrix {
    const found = this.exactProbabilities(cellS);
    for (let at = 0; at < found.data.length; at += 1) if (found.data[at]) found.data[at] = rounded(found.data[at]);
    return found;
  }

  // The genes that a text may mean, with the number of cells that have a count; likeliest first.
  findGenes(text: string): { symbol: string; id: string; cells: number }[] {
    const { vocabulary } = this.bundle, counts = this.left.counts, cellsWith = (g: number): number => counts?.cellsWith(g) ?? 0;
    const found = findGenes(text, vocabulary, this.left.measuredG, cellsWith, OFFERED);
    return found.map((g) => ({ symbol: vocabulary.symbols[g], id: vocabulary.ids[g], cells: cellsWith(g) }));
  }

  // The types that an everyday name means, with the cells that are of them or of their subtypes.
  findTypes(text: string): { term: string; name: string; short: string; types: number[]; cells: number }[] {
    const cellsT = bincount(this.shown.typesN.filter((type) => type !== UNKNOWN_TYPE), this.nTypes), ontology = loadOntology();
    return findTypes(text, this.shown.nodes.map((m) => this.bundle.nodes[m])).map(({ term, own }) => ({
      ...namedTerms([term], ontology)[0], types: own, cells: own.reduce((sum, t) => sum + cellsT[t], 0),
    }));
  }

  // Position of the gene that a text names exactly, null where none is measured.
  gene(text: string): number | null {
    const g = this.exactly(text);
    return g !== null && this.left.measuredG[g] ? g : null;
  }

  private exactly(text: string): number | null {
    const { exact, aliases } = this.bundle.vocabulary, word = strip(text).toUpperCase();
    const g = exact.get(word) ?? exact.get(strip(text));
    if (g !== undefined) return g;
    const places = aliases.get(word) ?? [];
    return places.length === 1 && places[0] >= 0 ? places[0] : null;
  }

  // Log-normalised counts of a gene in all cells.
  levelsOf(g: number): Float64Array {
    return logNormalised(this.counts.gene(g), this.left.nCountsN);
  }

  // A gene's level in all cells from 0 to 255, and the log-normalised value of level 255: that which nearly all of the
  // cells with a count don't exceed, so that single cells with very many counts don't leave all others pale.
  geneLevels(g: number): { levelN: Uint8Array; most: number } {
    const valueN = this.levelsOf(g), some = valueN.filter((value) => value > 0), most = some.length ? quantile(some, CLIPPED) : 0;
    const scale = Math.max(most, 1e-30);
    return { levelN: Uint8Array.from(valueN, (value) => Math.ceil(255 * Math.min(value / scale, 1))), most };
  }

  // Place of the cell that a text means: a place, or else the name of a cell.
  findCell(text: string): number | null {
    if (/^[0-9]+$/.test(text) && Number(text) < this.nCells) return Number(text);
    if (this.byName === null) {
      this.byName = new Map();
      for (let n = this.nCells - 1; n >= 0; n -= 1) this.byName.set(this.left.names[n], n);
    }
    return text ? this.byName.get(text) ?? null : null;
  }

  // What is known of one cell.
  cell(n: number): Record<string, unknown> {
    const node = this.node(n), score = this.shown.scoreN[n], chanceM = this.chances(n, node, score);
    const countsG = this.left.counts === null ? null : this.left.counts.cell(n);
    return {
      position: n,
      name: this.left.names[n],
      term: this.term(node),
      type: this.nodeName(node),
      score,
      alone: this.alone(n),
      n_counts: this.left.nCountsN[n],
      n_genes: this.left.nGenesN[n],
      path: this.path(node, chanceM),
      alternatives: this.alternatives(node, chanceM),
      genes: countsG === null ? [] : this.ownGenes(countsG, node),
      grid: this.bundle.manifest.grid,
      neighbours: null,
      match: null,
    };
  }

  // A cell on the gene grid, as PNG with a palette, a pixel for each gene.
  picture(n: number): Uint8Array {
    const { pixelG, manifest } = this.bundle;
    return palettePng(levelPicture(this.counts.cell(n), pixelG, this.left.measuredG, manifest.grid), manifest.grid, levelColors());
  }

  // The same as an address that holds the picture itself.
  pictureUrl(n: number): string {
    return `data:image/png;base64,${base64(this.picture(n))}`;
  }

  // What a cell would be called alone, where that is something else.
  alone(n: number): { term: string; type: string; score: number } | null {
    const { singleN, singleScoreN } = this.shown;
    if (singleN === null || singleScoreN === null || singleN[n] === this.node(n)) return null;
    return { term: this.term(singleN[n]), type: this.nodeName(singleN[n]), score: singleScoreN[n] };
  }

  private node(n: number): number {
    const type = this.shown.typesN[n];
    return type === UNKNOWN_TYPE ? -1 : this.shown.nodes[type];
  }

  // The probabilities as they stand beside a score: that of the answer is the score, the types above are at least as
  // likely, those below have their share of it, and those that exclude it have no more than what is left.
  private chances(n: number, node: number, score: number): Chances {
    const chanceM = Float64Array.from(this.probabilities([n]).data);
    if (node < 0) return chanceM;
    const own = Math.max(chanceM[node], 1e-9), [aboveM, belowM, apartM] = ruleOf(this.bundle.nodes, loadOntology()).relations(node);
    const rest = Math.min((1 - score) / Math.max(1 - own, 1e-9), 1);
    for (let m = 0; m < chanceM.length; m += 1) {
      if (aboveM[m]) chanceM[m] = Math.max(chanceM[m], score);
      if (belowM[m]) chanceM[m] *= score / own;
      if (apartM[m]) chanceM[m] *= rest;
    }
    chanceM[node] = score;
    return chanceM;
  }

  // The way from the broad type to the answer and its likeliest finer types.
  private path(node: number, chanceM: Chances): Entry[] {
    const ontology = loadOntology(), { nodes } = this.bundle, position = new Map(nodes.map((term, m) => [term, m]));
    const placed = (terms: readonly string[]): number[] => terms.flatMap((term) => position.get(term) ?? []);
    if (node < 0) {
      const broad = placed(BROAD);
      if (!broad.length) return [];
      return [this.entry(broad.reduce((best, m) => (chanceM[m] > chanceM[best] ? m : best)), chanceM, "above")];
    }
    const rows = placed(ontology.path(nodes[node])).map((m) => this.entry(m, chanceM, m === node ? "answer" : "above"));
    const below = nodes.flatMap((term, m) => (ontology.parents(term).includes(nodes[node]) ? m : []));
    below.sort((a, b) => chanceM[b] - chanceM[a] || a - b);
    return rows.concat(below.slice(0, BELOW).filter((m) => chanceM[m] >= WORTH_A_WORD).map((m) => this.entry(m, chanceM, "below")));
  }

  // The answer and what the cell could be instead: types that exclude each other, and the rest; sum 1.
  private alternatives(node: number, chanceM: Chances): Entry[] {
    const found = ruleOf(this.bundle.nodes, loadOntology()).alternatives(chanceM, node < 0 ? null : node, OTHERS);
    const rows = node < 0 ? [] : [this.entry(node, chanceM, "answer")];
    for (const m of found) if (chanceM[m] >= WORTH_A_WORD) rows.push(this.entry(m, chanceM, "instead"));
    if (node >= 0 && rows.length > 1) rows[1].role = "second";
    const rest = round4(Math.max(1 - rows.reduce((sum, row) => sum + row.probability, 0), 0));
    return rest ? [...rows, { term: "", name: "other types", probability: rest, role: "rest" }] : rows;
  }

  private entry(m: number, chanceM: Chances, role: string): Entry {
    return { term: this.bundle.nodes[m], name: this.bundle.nodeNames[m], probability: round4(chanceM[m]), role };
  }

  // The genes that stand out in a cell from the surest cells of other types.
  private ownGenes(countsG: Float32Array, node: number): Record<string, unknown>[] {
    const others = this.left.examples.filter((_, o) => this.left.exampleTypes[o] !== node), { vocabulary, pixelG, manifest } = this.bundle;
    return mostItsOwn(countsG, others, NAMED).map((g) => ({
      symbol: vocabulary.symbols[g],
      id: vocabulary.ids[g],
      pixel: [Math.floor(pixelG[g] / manifest.grid), pixelG[g] % manifest.grid],
      counts: Number(fixed(countsG[g], 3)),
    }));
  }
}

// Places of the cells with the highest scores, first to last.
export const surest = (results: Results, ownS: ArrayLike<number>, most: number): number[] => {
  const { scoreN } = results.shown, order = argsort(Float32Array.from(ownS, (n) => -scoreN[n]));
  return Array.from(order.subarray(0, most), (s) => ownS[s]);
};
