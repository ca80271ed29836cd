// Short names of types of cell, as papers have them: "CD4 Tcm", "AT2", "Kupffer".
//
// Those of the terms that the packaged model can answer stand in short_names.tsv, which was written by hand. Any other
// term has the ontology's name with what people leave out of it taken off. No two terms of the ontology share a short
// name, whatever the case, so that a plot's legend can be read alone.

import { cached, packagedText } from "../base/packaged.ts";
import { BLANK, strip } from "../base/text.ts";
import { rowsOf } from "../base/tsv.ts";
import { loadOntology } from "./ontology.ts";
import { singular } from "./wording.ts";

// What the ontology writes out and people don't, and what they write in its place.
const SHORTER: [RegExp, string][] = [
  [/(?<!double)-positive,?/g, "+"],
  [/-negative,?/g, "-"],
  [/,? (?:mature )?alpha-beta /g, " "],
  [/\bthymus-derived /g, ""],
  [/\bnatural killer cell\b/g, "NK cell"],
  [/, human$/g, ""],
];

const GAP = new RegExp(`[${BLANK}_]+`);

// The short name of a Cell Ontology term; anything else is given back as it is.
export const shortName = (term: string): string => byTerm().get(term) ?? term;

// Whether the table has a short name for a term, as it has for all that the packaged model can answer.
export const hasShortName = (term: string): boolean => table().has(term);

// The term that a short name of the table is of, whatever its case and number; null if it is of none.
export function termOfShort(text: string): string | null {
  const spelling = spelled(text);
  return byShort().get(spelling) ?? byShort().get(spelling.replace(/ cell$/, "")) ?? null;
}

// Signs stay: "CD14+CD16- mono" is another cell than "CD14+CD16+ mono".
const spelled = (text: string): string => strip(text).toLowerCase().split(GAP).map(singular).join(" ");

const table = (): Map<string, string> =>
  cached("short names", () => new Map(rowsOf(packagedText("short_names.tsv")).map((row) => [row.cell_type_ontology_term_id, row.short_name])));

const byShort = (): Map<string, string> => cached("terms of short names", () => new Map([...table()].map(([term, short]) => [spelled(short), term])));

const byTerm = (): Map<string, string> =>
  cached("short names of all terms", () => {
    const ontology = loadOntology(), often = new Map<string, number>(), given = table();
    const names = new Map(ontology.terms.filter((term) => !given.has(term)).map((term) => [term, shortened(ontology.name(term))]));
    for (const name of [...names.values(), ...given.values(), ...[...names.keys()].map((term) => ontology.name(term))]) {
      often.set(name.toLowerCase(), (often.get(name.toLowerCase()) ?? 0) + 1);
    }
    const all = new Map(given);
    for (const [term, name] of names) {
      const long = ontology.name(term);
      // counted once as itself where nothing was taken off, and once as the ontology's name
      all.set(term, often.get(name.toLowerCase()) === 1 + Number(name === long) ? name : long);
    }
    return all;
  });

const shortened = (name: string): string => SHORTER.reduce((left, [long, short]) => left.replace(long, short), name);
