// One page about an annotation, for the person who ran it: a single file without scripts that loads nothing from
// anywhere. What stands on it is counted in sections/, its words and its look are the Python package's templates.

import type { Annotation } from "../annotation/result.ts";
import { fill } from "./html.ts";
import { compose, typeTable } from "./sections/composition.ts";
import { exampleCards } from "./sections/examples.ts";
import { found, repeat } from "./sections/facts.ts";
import { groupTable } from "./sections/groups.ts";
import { head } from "./sections/head.ts";
import { reasons } from "./sections/reasons.ts";
import { sampleView } from "./sections/samples.ts";
import { fingerprintMap } from "./sections/scatter.ts";
import { scores } from "./sections/scores.ts";

// Of the sections, in their order; what needs an index of references isn't here.
const TITLES = {
  found: "What was found in the file",
  types: "Types",
  samples: "Samples",
  groups: "Groups",
  map: "Map of the fingerprints",
  scores: "How sure the answers are",
  cells: "Cells on the gene grid",
  reasons: "Genes that speak for the types",
  repeat: "How to repeat the run",
};

// The page as text. `command` repeats the run, `version` is Spoticell's, `places` are those of all cells on the map.
export function render(annotation: Annotation, { command, version, places }: { command: string; version: string; places: { x: Float32Array; y: Float32Array } }): string {
  const lineages = compose(annotation);
  const values: Record<keyof typeof TITLES, object | null> = {
    found: found(annotation),
    types: typeTable(lineages, annotation),
    samples: sampleView(annotation, lineages),
    groups: groupTable(annotation),
    map: fingerprintMap(annotation, lineages, places),
    scores: scores(annotation),
    cells: exampleCards(annotation.examples, annotation),
    reasons: reasons(annotation.examples, annotation),
    repeat: repeat(annotation, command, version),
  };
  const sections = Object.entries(TITLES).filter(([place]) => values[place as keyof typeof TITLES] !== null);
  const { source } = annotation.findings;
  return fill("report.html", { source, title: [...source].slice(0, 120).join(""), head: head(annotation, lineages), sections, ...values });
}
