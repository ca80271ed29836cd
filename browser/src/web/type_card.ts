// What is known of a type in a run: what it is, what it is confused with, and its surest cells.
// Axes: n cells, s cells of the type that are looked at.

import { ruleOf } from "../biology/answer_rule.ts";
import { definition } from "../biology/definitions.ts";
import { loadOntology } from "../biology/ontology.ts";
import { shortName } from "../biology/short_names.ts";
import { Refusal } from "./refusal.ts";
import { type Results, surest } from "./results.ts";
import { drawn, NONE_LEFT, ofTypes } from "./selection.ts";
import { namedTerms, UNKNOWN_TYPE } from "./summary.ts";

// Cells whose second best types are counted, and whose probabilities are in memory at a time.
const MOST_LOOKED_AT = 5000, BLOCK = 1024;
// Second best types, surest cells and other names that are shown.
const CONFUSED = 5, TYPICAL = 6, SYNONYMS = 6;

// Describes a type, or several together, by their numbers in the summary, over the cells that are kept.
export function about(results: Results, types: number[], keptN: Uint8Array): Record<string, unknown> {
  const isOwn = ofTypes(results, types), { typesN, nodes, scoreN } = results.shown, own: number[] = [];
  if (!isOwn.includes(1)) throw new Refusal(404, "There is no such type in this result.");
  for (let n = 0; n < isOwn.length; n += 1) if (isOwn[n] && keptN[n]) own.push(n);
  if (!own.length) throw new Refusal(422, NONE_LEFT);
  const ontology = loadOntology(), different = new Set(types), known = [...different].filter((number) => number < nodes.length);
  const term = known.length === 1 && different.size === 1 ? results.bundle.nodes[nodes[known[0]]] : null;
  const looked = drawn(Int32Array.from(own.filter((n) => typesN[n] !== UNKNOWN_TYPE)), MOST_LOOKED_AT);
  return {
    cells: own.length,
    share: own.length / keptN.reduce((sum, isKept) => sum + isKept, 0),
    definition: term === null ? "" : definition(term),
    synonyms: term === null ? [] : [...ontology.synonyms(term)].slice(0, SYNONYMS),
    path: term === null ? [] : namedTerms(ontology.path(term), ontology),
    looked_at: looked.length,
    confused: confused(results, looked),
    typical: surest(results, own, TYPICAL).map((n) => ({ position: n, score: scoreN[n], picture: results.pictureUrl(n) })),
  };
}

// Counts the types that cells would be if they weren't their answers.
function confused(results: Results, lookedS: Int32Array): Record<string, unknown>[] {
  const { nodes, nodeNames } = results.bundle, cellsOf = new Map<number, number>(), { typesN, nodes: nodesT } = results.shown;
  for (let start = 0; start < lookedS.length; start += BLOCK) {
    const some = lookedS.subarray(start, start + BLOCK);
    const [secondS] = ruleOf(nodes, loadOntology()).secondBest(results.probabilities(some), some.map((n) => nodesT[typesN[n]]));
    for (const second of secondS) if (second >= 0) cellsOf.set(second, (cellsOf.get(second) ?? 0) + 1);
  }
  const common = [...cellsOf].sort(([, one], [, other]) => other - one).slice(0, CONFUSED);
  return common.map(([m, cells]) => ({ term: nodes[m], name: nodeNames[m], short: shortName(nodes[m]), cells }));
}
