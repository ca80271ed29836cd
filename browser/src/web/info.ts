// What is asked of no run: the gene grid, and terms that a text may mean.

import { strip } from "../base/text.ts";
import { closestNames } from "../biology/everyday.ts";
import { loadOntology } from "../biology/ontology.ts";
import { type Bundle, loadBundle } from "../model/bundle.ts";
import { levelColors } from "../report/picture.ts";
import { Refusal } from "./refusal.ts";
import { namedTerms } from "./summary.ts";

// Terms that are offered for a text.
const SUGGESTED = 8;

// The place of each gene on the grid of the model, and the colours of pictures.
export function grid(model: string): Record<string, unknown> {
  const { name, manifest, pixelG, vocabulary } = named(model);
  return {
    model: name,
    side: manifest.grid,
    colors: levelColors(),
    pixels: Array.from(pixelG),
    symbols: [...vocabulary.symbols],
    chromosomes: [...vocabulary.chromosomes],
  };
}

// The folder of the page holds none of the weights that an atlas is made of.
export function atlas(model: string): never {
  named(model);
  throw new Refusal(404, "This model brings no weights to look into, so it has no atlas.");
}

function named(model: string): Bundle {
  const bundle = loadBundle();
  if (model && model !== bundle.name) throw new Refusal(404, `There is no model of that name. There are: ${bundle.name}.`);
  return bundle;
}

// Terms of the Cell Ontology that a text may mean or be a part of.
export function terms(text: string): { terms: { term: string; name: string; short: string }[] } {
  const ontology = loadOntology(), word = strip(text).toLowerCase();
  if (!word) return { terms: [] };
  const holding: { term: string; letters: number }[] = [];
  for (const term of ontology.terms) {
    const name = ontology.name(term);
    if (name.toLowerCase().includes(word)) holding.push({ term, letters: [...name].length });
  }
  holding.sort((a, b) => a.letters - b.letters || (a.term < b.term ? -1 : 1));
  const meant = closestNames(text).map((name) => ontology.resolveLabel(name)).filter((term) => term !== null);
  return { terms: namedTerms([...new Set([...meant, ...holding.map(({ term }) => term)])].slice(0, SUGGESTED), ontology) };
}
