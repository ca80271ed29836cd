// Which side of a table holds genes: told by the names, never by the shape.

import { strip } from "../../base/text.ts";
import { HUMAN_ID, findReading, geneShare as shareOfGenes } from "../../biology/affixes.ts";
import { loadVocabulary } from "../../biology/genes.ts";
import { FOREIGN_ID } from "../../biology/species.ts";

// A smaller share of gene names than this is chance.
export const FEW = 0.02;
// Names that are looked at.
export const ENOUGH = 2000;

// Whether a name is a gene's: a symbol in any case, an alias, or an Ensembl id of any species.
export function isGene(name: string): boolean {
  const vocabulary = loadVocabulary();
  const bare = strip(strip(name), '"');
  if (vocabulary.aliases.has(bare) || HUMAN_ID.test(bare) || FOREIGN_ID.test(bare)) return true;
  return vocabulary.exact.has(bare) || vocabulary.exact.has(bare.toUpperCase());
}

// Share of names that are genes', in [0, 1], each gene counted once; 0 for no names.
// Names are taken as they stand or without what nearly all of them share, whichever gives more genes.
export function geneShare(names: readonly string[]): number {
  const step = 1 + Math.floor(names.length / ENOUGH);
  const some = names.filter((_, place) => place % step === 0);
  const distinct = [...new Set(some)];
  const reading = findReading(distinct, loadVocabulary());
  const words = reading.takesOff ? distinct.flatMap((name) => reading.words(name)) : [];
  const asTheyStand = distinct.filter(isGene).length / Math.max(some.length, 1);
  return Math.max(asTheyStand, shareOfGenes(words, loadVocabulary(), Math.max(some.length, 1)));
}

// Whether the first of two lists of names holds the genes; null if the names don't tell.
export function genesLieFirst(first: readonly string[], second: readonly string[]): boolean | null {
  const one = geneShare(first), other = geneShare(second);
  if (Math.max(one, other) < FEW || Math.max(one, other) < 3 * Math.min(one, other)) return null;
  return one > other;
}
