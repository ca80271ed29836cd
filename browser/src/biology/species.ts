// Species: whose genes a list of names points to.
// Told by the kind of Ensembl id, by words of a reference before or behind the names (mm10_, _MOUSE), and by the way
// symbols are written: Cd3e in mouse, cd3e and gata1a in zebrafish.

import { isAlnum, isUpper, SIGN } from "../base/text.ts";
import type { Vocabulary } from "./vocabulary.ts";

export const FOREIGN_ID = /(?<![A-Z0-9])ENS([A-Z]{3,4})G\p{Nd}{11}(?!\p{Nd})/iu;

// Species by the letters in their Ensembl ids; "another species" where they aren't here.
const CODES = new Map([
  ["MUS", "mouse"], ["RNO", "rat"], ["DAR", "zebrafish"], ["MMU", "macaque"], ["SSC", "pig"], ["BTA", "cow"], ["CAF", "dog"],
  ["GAL", "chicken"],
]);

// Words of references, builds of genomes and suffixes of UniProt, in lower case, by species.
const REFERENCES = {
  "human": "grch37 grch38 hg19 hg38 hs37d5 b37 t2t chm13 human homo hsa",
  "mouse": "mm9 mm10 mm39 grcm38 grcm39 mouse mus mmu",
  "rat": "rn5 rn6 rn7 mratbn7 rat rattus rno",
  "zebrafish": "danrer10 danrer11 grcz10 grcz11 danio danre zebrafish",
  "macaque": "mmul rhemac8 rhemac10 macaca macmu macaque",
  "pig": "susscr11 sscrofa11 sus pig",
  "cow": "bostau9 bos bovin cow",
  "dog": "canfam3 canfam4 canlf canis dog",
  "chicken": "galgal6 gallus chick chicken",
  "fruit fly": "dm3 dm6 bdgp6 drosophila drome",
};

const SPECIES_OF_WORD = new Map(
  Object.entries(REFERENCES).flatMap(([species, words]) => words.split(" ").map((word): [string, string] => [word, species])),
);
const FOREIGN_WORDS = [...SPECIES_OF_WORD].filter(([, species]) => species !== "human").map(([word]) => word);
const FIRST_WORD = new RegExp(`^(?:${FOREIGN_WORDS.join("|")})(?=${SIGN})`, "iu");

// Species that words before or behind a name speak of; null if they speak of none.
export function affixSpecies(affix: string): string | null {
  const found = (affix.match(/[A-Za-z0-9]+/g) ?? []).map((word) => SPECIES_OF_WORD.get(word.toLowerCase()));
  return found.includes("human") ? "human" : found.find((species) => species !== undefined) ?? null;
}

function raise(counts: Map<string, number>, species: string, count: number): void {
  counts.set(species, Math.max(counts.get(species) ?? 0, count));
}

// How many names point to which other species; each is told in several ways, of which the one that finds most counts.
function foreignNames(names: readonly string[], affixes: readonly string[]): Map<string, number> {
  const foreign = new Map<string, number>(), marked = new Map<string, number>();
  for (const name of names) {
    const code = FOREIGN_ID.exec(name)?.[1].toUpperCase();
    if (code !== undefined) {
      const species = CODES.get(code) ?? "another species";
      foreign.set(species, (foreign.get(species) ?? 0) + 1);
    }
    const species = SPECIES_OF_WORD.get(FIRST_WORD.exec(name)?.[0].toLowerCase() ?? "");
    if (species !== undefined) marked.set(species, (marked.get(species) ?? 0) + 1);
  }
  for (const affix of affixes) {
    const species = affixSpecies(affix);
    if (species === null || species === "human") continue;
    raise(marked, species, names.filter((name) => name.startsWith(affix) || name.endsWith(affix)).length);
  }
  for (const [species, count] of marked) if (count > 0) raise(foreign, species, count);
  return foreign;
}

// Name the species that names point to: "human" unless there is good reason to think otherwise, also "human and mouse",
// and "another species" where only the kind of Ensembl id says so.
//   names    distinct names of genes, as they stand
//   words    the same without what they share
//   affixes  what they share
//   nFound   how many human genes the names lead to
export function speciesOf(
  names: readonly string[], words: Iterable<string>, affixes: readonly string[], vocabulary: Vocabulary, nFound: number,
): string {
  const bare = [...words];
  const foreign = foreignNames(names, affixes);
  raise(foreign, "mouse", nMouseSymbols(bare, vocabulary));
  let species = "", count = -1;
  for (const [one, many] of foreign) if (many > count) [species, count] = [one, many];
  if (count >= Math.max(10, nFound / 10) && nFound >= Math.max(10, count / 10)) return `human and ${species}`;
  if (count > Math.max(nFound, names.length / 20)) return species;
  const allLower = bare.every((word) => word === word.toLowerCase());
  return allLower && nFishSymbols(bare, vocabulary) > Math.floor(bare.length / 20) ? "zebrafish" : "human";
}

// Count names such as Cd3e that are no human symbols as they stand but would be in capitals.
function nMouseSymbols(names: readonly string[], vocabulary: Vocabulary): number {
  const known = vocabulary.bySymbol;
  const isOne = (name: string) => /^\p{Uppercase}/u.test(name) && !isUpper(name) && isAlnum(name) && known.has(name.toUpperCase());
  return names.filter(isOne).length;
}

// Count names such as si:ch211-1a and gata1a: fish have two copies of many a human gene.
function nFishSymbols(names: readonly string[], vocabulary: Vocabulary): number {
  const known = vocabulary.bySymbol;
  const isCopy = (name: string) => /[ab]$/.test(name) && known.has(name.slice(0, -1).toUpperCase()) && !known.has(name.toUpperCase());
  return names.filter((name) => /^(?:si|zgc|wu|im):/.test(name) || isCopy(name)).length;
}
