// Why cells of a run are called what they are called: the genes that speak for it and against it.
// Axes: s cells that are asked, g the bundle's genes.

import { argsort } from "../base/arrays.ts";
import { cached } from "../base/packaged.ts";
import { fixed } from "../base/words.ts";
import { ruleOf } from "../biology/answer_rule.ts";
import { logNormalised } from "../biology/group_genes.ts";
import { loadOntology } from "../biology/ontology.ts";
import { UNKNOWN } from "../keys.ts";
import { IntegratedGradients, throughWeights } from "../model/reasons.ts";
import { Refusal } from "./refusal.ts";
import { round4, type Results } from "./results.ts";
import { drawn, keptMembers } from "./selection.ts";

// Genes for and against that are named, and genes that a picture shows.
const NAMED = 10, SHOWN = 400;
const NO_WEIGHTS = "This model brings no weights that can be followed, so the page can't say why. The command line can, more slowly: spoticell explain.";

// Which cells are asked about which node, and whether it is their answer, the second best, or another.
interface Question {
  node: number;
  about: "answer" | "second" | "other";
  cells: number;
  cellS: Int32Array;
}

// Why a cell is called what it is called; `term` asks about this type instead.
export function whyCell(results: Results, n: number, term: string | null): Record<string, unknown> {
  const answer = results.answers()[n], about = term !== null ? "other" : answer >= 0 ? "answer" : "second";
  const node = term !== null ? nodeOf(results, term) : answer >= 0 ? answer : likeliest(results, n);
  return told(results, { node, about, cells: 1, cellS: Int32Array.of(n) });
}

// Why cells of a type, or of several together, are called what they are called; `term` is what they are together.
export function whyTypes(results: Results, types: number[], term: string | null, keptN: Uint8Array): Record<string, unknown> {
  const { nodes } = results.shown;
  if (types.some((number) => number >= nodes.length)) throw new Refusal(404, "There is no type of that number in the summary.");
  if (term === null && new Set(types).size !== 1) throw new Refusal(422, "Say with a term what several types are together.");
  const node = term === null ? nodes[types[0]] : nodeOf(results, term);
  return told(results, asking(node, "answer", keptMembers(results, { types, group: null, cells: null }, keptN)));
}

// Why a group is called what it is called; of an unknown one, what speaks for what is likeliest.
export function whyGroup(results: Results, group: number, term: string | null, keptN: Uint8Array): Record<string, unknown> {
  const memberN = keptMembers(results, { types: null, group, cells: null }, keptN), named = results.shown.summary.groups![group];
  const about = term !== null ? "other" : named.term !== UNKNOWN ? "answer" : "second";
  const asked = term ?? (named.term !== UNKNOWN ? named.term : (named.second as { term: string }).term);
  return told(results, asking(nodeOf(results, asked), about, memberN));
}

function asking(node: number, about: Question["about"], memberN: Uint8Array): Question {
  const own: number[] = [];
  memberN.forEach((isMember, n) => { if (isMember) own.push(n); });
  return { node, about, cells: own.length, cellS: drawn(Int32Array.from(own), IntegratedGradients.most) };
}

function nodeOf(results: Results, term: string): number {
  const node = results.bundle.nodes.indexOf(term);
  if (node < 0) throw new Refusal(404, "The model has no type of that term.");
  return node;
}

function likeliest(results: Results, n: number): number {
  const [likely] = ruleOf(results.bundle.nodes, loadOntology()).alternatives(results.probabilities([n]).data, null, 1);
  if (likely === undefined) throw new Refusal(404, "The cell is like no type, so there is nothing to explain.");
  return likely;
}

function told(results: Results, { node, about, cells, cellS }: Question): Record<string, unknown> {
  const { bundle } = results, way = cached(`way through ${bundle.path}`, () => throughWeights(bundle));
  if (way === null) throw new Refusal(404, NO_WEIGHTS);
  const counts = results.counts.rows(cellS), spoken = way.of(counts, node), answerN = results.answers(), { singleN } = results.shown;
  const contributionG = meanOf(spoken.contributionNg), meanG = meanOf(logNormalised(counts)), order = argsort(contributionG.map((one) => -one));
  const voice = (g: number): Record<string, unknown> => ({
    symbol: bundle.vocabulary.symbols[g],
    id: bundle.vocabulary.ids[g],
    pixel: [Math.floor(bundle.pixelG[g] / bundle.manifest.grid), bundle.pixelG[g] % bundle.manifest.grid],
    contribution: Number(fixed(contributionG[g], 5)),
    mean: round4(meanG[g]),
  });
  const shown = Array.from(argsort(contributionG.map((one) => -Math.abs(one))).subarray(0, SHOWN)).filter((g) => contributionG[g] !== 0);
  return {
    term: bundle.nodes[node],
    type: bundle.nodeNames[node],
    asked_about: about,
    cells,
    asked: cellS.length,
    changed: singleN === null ? 0 : cellS.filter((n) => singleN[n] !== answerN[n]).length,
    probability: round4(Math.min(spoken.probabilityN.reduce((sum, one) => sum + one, 0) / cellS.length, 1)),
    without: round4(spoken.without),
    method: IntegratedGradients.method,
    speak_for: Array.from(order.subarray(0, NAMED)).filter((g) => contributionG[g] > 0).map(voice),
    against: Array.from(order.slice(-NAMED)).reverse().filter((g) => contributionG[g] < 0).map(voice),
    pixels: shown.map((g) => bundle.pixelG[g]),
    contributions: shown.map((g) => Number(fixed(contributionG[g], 5))),
  };
}

// The mean of the rows.
function meanOf({ data, indices, height, width }: { data: Float32Array; indices: Int32Array; height: number; width: number }): Float32Array {
  const sumG = new Float64Array(width);
  for (let e = 0; e < data.length; e += 1) sumG[indices[e]] += data[e];
  return Float32Array.from(sumG, (sum) => sum / height);
}
