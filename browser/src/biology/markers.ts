// Which genes are known to mark which types, as a table says that someone else has made.
// Axis: g genes of the vocabulary.

import { strip } from "../base/text.ts";
import { readName } from "./everyday.ts";
import { DOINGS, loadOntology, TOO_GENERAL } from "./ontology.ts";
import type { Vocabulary } from "./vocabulary.ts";

// Directions of genes that the type has more of than others; a gene that it lacks is no marker here.
export const UP: ReadonlySet<string> = new Set(["", "up", "+", "positive"]);

// The markers of types.
export class Markers {
  constructor(
    // For each term the positions of its markers.
    readonly genesOf: ReadonlyMap<string, ReadonlySet<number>>,
    // What the table calls types, or genes, that weren't understood.
    readonly unread: string[],
  ) {}

  // Which genes mark a type: markers of its term, of a subtype, or of a term above it that says something. Nothing marks
  // "unknown".
  known(term: string, genes: number[]): boolean[] {
    const ontology = loadOntology(), marks = new Set<number>();
    const above = new Set(ontology.has(term) ? [...ontology.ancestors(term)].filter((one) => !TOO_GENERAL.has(one) && !DOINGS.has(one)) : []);
    for (const [marked, own] of this.genesOf) {
      if (above.has(marked) || (above.size && ontology.ancestors(marked).has(term))) for (const gene of own) marks.add(gene);
    }
    return genes.map((gene) => marks.has(gene));
  }
}

// Markers of the rows of a table: type, by id or name; gene, by symbol, id or another name of one gene alone; and
// direction, which may be empty.
export function markersOf(rows: Iterable<[string, string, string]>, vocabulary: Vocabulary): Markers {
  const genesOf = new Map<string, Set<number>>(), unread = new Set<string>();
  for (const [kind, name, direction] of rows) {
    if (!UP.has(strip(direction).toLowerCase())) continue;
    const term = readName(kind), gene = geneOf(strip(name), vocabulary);
    if (term === null || gene === null) unread.add(term !== null ? name : kind);
    else genesOf.set(term, (genesOf.get(term) ?? new Set()).add(gene));
  }
  return new Markers(genesOf, [...unread]);
}

function geneOf(name: string, vocabulary: Vocabulary): number | null {
  const found = vocabulary.exact.get(name), others = vocabulary.aliases.get(name) ?? [];
  return found ?? (others.length === 1 && others[0] >= 0 ? others[0] : null);
}
