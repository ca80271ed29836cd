// Differences between two conditions over samples of several files, by the cells of each type in each sample.

import { Composition, together } from "../annotation/composition.ts";
import { differences } from "../annotation/differences.ts";
import { repr } from "../base/words.ts";
import { loadOntology } from "../biology/ontology.ts";
import { colorsOf } from "../biology/palette.ts";
import { UNKNOWN } from "../keys.ts";
import { Refusal } from "./refusal.ts";
import { toldDifferences } from "./summary.ts";

// A sample: its condition, and the cells of its types by their terms.
export interface SampleCounts {
  name: string;
  condition: string;
  cells: Map<string, number>;
}

// Compares the shares of types between the samples of two conditions, as a run does with those of one file. `condition` is
// what the conditions are called together, such as the name of a column.
export function across(condition: string, samples: SampleCounts[]): Record<string, unknown> {
  const found = differences(together(samples.map(composition))), colors = colorsOf(found.table.map(({ term }) => term));
  return toldDifferences(found, condition, (term) => colors.get(term)!);
}

function composition({ name, condition, cells }: SampleCounts): Composition {
  const ontology = loadOntology(), known = [...cells.keys()].filter((term) => term !== UNKNOWN);
  const strange = known.find((term) => !ontology.has(term));
  if (strange !== undefined) throw new Refusal(422, `${repr(strange)} is no term of the Cell Ontology. Give one such as 'CL:0000084', or 'unknown'.`);
  const terms = [...known, UNKNOWN], cellsT = Int32Array.from(terms, (term) => cells.get(term) ?? 0);
  if (!cellsT.some(Boolean)) throw new Refusal(422, `The sample ${repr(name)} has no cells. Leave it out.`);
  return new Composition([name], [condition], terms, [...known.map((term) => ontology.name(term)), UNKNOWN], cellsT);
}
