// Tissues: what each is called, and which types of cell are found in some of them only.
//
// The tables are written from common knowledge of human anatomy and histology, and lean towards leaving a type possible:
// what neighbouring organs, cuts of tissue and common metaplasia bring along is in. Types that tissue_types.tsv doesn't
// name are possible in every tissue: leukocytes, endothelial, stromal and general epithelial cells, nerve sheaths.

import { ConfigError } from "../base/errors.ts";
import { cached, packagedText } from "../base/packaged.ts";
import { head, split } from "../base/text.ts";
import { rowsOf } from "../base/tsv.ts";
import { repr } from "../base/words.ts";
import type { Ontology } from "./ontology.ts";

// An organ or tissue that cells are taken from.
export interface Tissue {
  name: string;
  // In the UBERON ontology.
  term: string;
  // Other names, names of parts, and the parts' UBERON terms.
  also: string[];
  // Cell Ontology terms at or below which all its cells are; empty where this can't be said.
  only: ReadonlySet<string>;
  // Terms at or below which none of its cells are, besides those that are specific to other tissues.
  never: ReadonlySet<string>;
}

// The packaged tissues, in alphabetical order.
export const loadTissues = (): Tissue[] =>
  cached("tissues", () =>
    rowsOf(packagedText("tissues.tsv")).map(({ tissue, term, also, only, never }) => ({
      name: tissue,
      term,
      also: several(also),
      only: new Set(several(only)),
      never: new Set(several(never)),
    })),
  );

// The terms of types that are found in some tissues only, with these tissues.
//
// A term stands for all below it, but for those that have, or lie below, a line of their own. Types of the early embryo
// are found in none of the tissues.
export const loadSpecific = (): Map<string, ReadonlySet<string>> =>
  cached("tissue types", () => new Map(rowsOf(packagedText("tissue_types.tsv")).map(({ term, tissues }) => [term, new Set(several(tissues))])));

// The terms at or below which an organ's own types are forms of what all or many organs have: mesangial cells are the
// pericytes of the kidney. A network that doesn't know those of another organ takes them for these, so that such types
// show no organ beside others.
export const loadCommonForms = (): ReadonlySet<string> => cached("common forms", () => new Set(rowsOf(packagedText("common_forms.tsv")).map(({ term }) => term)));

// Names of the tissues, in alphabetical order.
export const tissueNames = (): string[] => loadTissues().map(({ name }) => name);

// The tissue that a text names: by name, another name, a part, or the UBERON term of one of these.
export function findTissue(text: string): Tissue {
  const words = split(text.toLowerCase().replaceAll("_", " ")).join(" ").replaceAll("uberon ", "uberon:");
  const found = loadTissues().find(({ name, term, also }) => [name, term.toLowerCase(), ...also.map((one) => one.toLowerCase())].includes(words));
  if (found !== undefined) return found;
  throw new ConfigError(
    `there is no tissue ${repr(head(text, 40))}; there are ${tissueNames().join(", ")}. Give one of these, 'any', or none.`,
  );
}

// Which labels may be cells of a tissue.
export function possibleLabels(labels: readonly string[], tissue: Tissue, ontology: Ontology): boolean[] {
  return labels.map((label) => {
    const above = ontology.ancestors(label);
    if (meets(above, tissue.never) || (tissue.only.size && !meets(above, tissue.only))) return false;
    return placesOf(above, ontology)?.has(tissue.name) ?? true;
  });
}

// For each label the tissues that have it; null where it is specific to none.
export function tissuesOf(labels: readonly string[], ontology: Ontology): (ReadonlySet<string> | null)[] {
  return labels.map((label) => placesOf(ontology.ancestors(label), ontology));
}

// The tissues that have a term, by all that are it or above it.
function placesOf(above: ReadonlySet<string>, ontology: Ontology): ReadonlySet<string> | null {
  const specific = loadSpecific(), lines = [...above].filter((term) => specific.has(term));
  const passed = new Set(lines.flatMap((term) => [...ontology.ancestors(term)].filter((one) => one !== term)));
  const places = lines.filter((term) => !passed.has(term)).map((term) => specific.get(term)!);
  if (!places.length) return null;
  return new Set([...places[0]].filter((tissue) => places.every((one) => one.has(tissue))));
}

const meets = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean => [...other].some((term) => one.has(term));

const several = (cell: string): string[] => (cell ? cell.split("|") : []);
