// What a text in the search box may mean: genes, and types that cells of a sample have.
// Axes: g the bundle's genes, t the types that cells have.

import { natural } from "../annotation/samples.ts";
import { strip } from "../base/text.ts";
import { meaningsOf } from "../biology/everyday.ts";
import { loadOntology } from "../biology/ontology.ts";
import type { Vocabulary } from "../biology/vocabulary.ts";
import { inOrder } from "./order.ts";

// Letters from which on a text may be the beginning of an id.
const ID_FROM = 5;

// The genes that a text may mean, likeliest first: the gene of that symbol or id; then all that the text is another name
// of, those of most cells first; then the members of a family, whose symbols go on with letters where the text ends in a
// number (CD3D for CD3); then other symbols and ids that begin so. Genes that no cell has are behind the others.
export function findGenes(
  text: string, vocabulary: Vocabulary, measuredG: ArrayLike<number>, cellsWith: (g: number) => number, most: number,
): number[] {
  const word = strip(text).toUpperCase();
  if (!word) return [];
  const { symbols, ids } = vocabulary, same = vocabulary.exact.get(word) ?? vocabulary.exact.get(strip(text));
  const meant = [...(vocabulary.aliases.get(word) ?? [])].filter((g) => g >= 0)
    .map((g) => ({ g, key: [-cellsWith(g), natural(symbols[g])] })).sort(inOrder);
  const begun: number[] = [];
  symbols.forEach((symbol, g) => { if (symbol.toUpperCase().startsWith(word)) begun.push(g); });
  if (word.length >= ID_FROM) ids.forEach((id, g) => { if (id.startsWith(word)) begun.push(g); });
  const ranked = begun.filter((g) => measuredG[g])
    .map((g) => ({ g, key: [isLongerNumber(word, symbols[g]), cellsWith(g) === 0, natural(symbols[g].toUpperCase())] })).sort(inOrder);
  const found = new Set([...(same === undefined ? [] : [same]), ...meant.map(({ g }) => g), ...ranked.map(({ g }) => g)]);
  return [...found].filter((g) => measuredG[g]).slice(0, most);
}

// Whether a symbol goes on with a digit where the text ends in one: CD33 is no CD3.
const isLongerNumber = (word: string, symbol: string): boolean =>
  /\d$/.test(word) && /^\d/.test(symbol.slice(word.length));

// The terms that an everyday name may mean, each with the types of the sample that are it or lie below it.
export function findTypes(text: string, termsT: string[]): { term: string; own: number[] }[] {
  const ontology = loadOntology(), word = strip(text), found: { term: string; own: number[] }[] = [];
  // one small letter means no type to people who write labels, but it does to people who type
  for (const term of meaningsOf(word.length === 1 ? word.toUpperCase() : word)) {
    const own = [...termsT.keys()].filter((t) => ontology.ancestors(termsT[t]).has(term));
    if (own.length) found.push({ term, own });
  }
  return found;
}
