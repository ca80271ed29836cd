// The labels of a data set, as terms of the Cell Ontology.
//
// A label may be a term or a name of a type, as `everyday` reads it; what isn't understood is never guessed at.
// Axis: n cells.

import { counted, renamed } from "./columns.ts";
import type { Categorical } from "./columns.ts";
import { readName } from "./everyday.ts";

// What each cell is said to be.
export class Labels {
  constructor(
    // Where the labels stood.
    readonly column: string,
    // Cell Ontology term of each cell, missing where there is none.
    readonly terms: Categorical,
    // Cells whose label is empty or says nothing.
    readonly nUnlabelled: number,
    // Labels that aren't understood, with their cells; commonest first.
    readonly unresolved: ReadonlyMap<string, number>,
  ) {}

  // Cells whose label is understood.
  get nUnderstood(): number {
    return this.terms.codes.reduce((sum, code) => sum + Number(code >= 0), 0);
  }

  // Cell Ontology term of each cell, "" where there is none.
  get termN(): string[] {
    const { codes, categories } = this.terms;
    return Array.from(codes, (code) => categories[code] ?? "");
  }
}

// Finds the Cell Ontology term of each label; `labels` are from `words`, and `column` is where they stood.
export function harmonise(labels: Categorical, column: string): Labels {
  const termOf = new Map(labels.categories.map((label) => [label, readName(label)]));
  const cells = [...counted(labels, new Uint8Array(labels.codes.length).fill(1))];
  const unresolved = new Map(cells.filter(([label]) => termOf.get(label) === null));
  const labelled = cells.reduce((sum, [, many]) => sum + many, 0);
  return new Labels(column, renamed(labels, (label) => termOf.get(label) ?? ""), labels.codes.length - labelled, unresolved);
}
