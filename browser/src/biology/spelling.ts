// Spelling: reading the gene names that data sets really carry.
// Names come with versions, genome prefixes and suffixes against repeats, in lower case, with dots where R wanted them, as
// dates.  A repair is made only where it leads to a known name and the name as it stands doesn't.  Case is never changed in
// a list that mixes cases: that is how a mouse gene would become a human one.  What all names of a list share is found in
// affixes.ts.
// Axes: v genes of the data set.

import { isAscii, len, strip } from "../base/text.ts";
import { findReading, HUMAN_ID, type Reading } from "./affixes.ts";
import type { Vocabulary } from "./vocabulary.ts";

export type How = "exact" | "repaired" | "renamed" | "ambiguous" | "unmatched";
export type Hit = readonly [number, How];
// A name, how it was found, and Ensembl id and symbol of the gene; of an ambiguous one those of all it may be.
export type OddName = [name: string, how: How, geneId: string, symbol: string];
const NONE: Hit = [-1, "unmatched"];

const LONGEST_NAME = 500;
const LONGEST_SYMBOL = 60;
const HUMAN_PREFIX = /^(?:grch3[78]|hg19|hg38|b37|homo_sapiens|human)[_-]+/iu;
// What tools put behind a name that was there before: -1, .1, _2, --1, ...7, -dup, .x.
const REPEAT = /^([^\n]+?)(?:[-._:#~ ]{1,4}(?:dup(?:licated?)?|copy|rep(?:eat)?)?[-._ ]?\p{Nd}{0,3}|[._][xy]| ?\(\p{Nd}{1,3}\))$/u;
// Copies of variable genes such as IGHV3-33-2 are genes of their own, no repeats.
const VARIABLE_GENE = /^IGHV\p{Nd}[^\n]*-[2-9]\p{Nd}?$/u;
const DATE = /^X?(\p{Nd}{1,2})[-.]([A-Za-z]{3})$/u;
const DASHES = /[\u2010-\u2014\u2212]/g;
const NO_WIDTH = /[\u200b\ufeff]/g;
const AROUND = " \t\r\n\"`";

// A column of gene names and the gene of the vocabulary that each leads to.
export class NameColumn {
  // Length v; "" for what can't be a name.
  readonly names: readonly string[];
  readonly distinct: readonly string[];
  // How names are to be read, by what nearly all of them share.
  readonly reading: Reading;
  // What names may call their genes, what they share taken off.
  readonly words: ReadonlySet<string>;
  // Whether no name is known as it stands and none has a capital.
  readonly allLower: boolean;
  // Position in the vocabulary (-1 for none) and how it was found, of each distinct name.
  readonly hits: ReadonlyMap<string, Hit>;
  private places?: Int32Array;
  private found?: number;

  constructor(readonly column: string, names: readonly unknown[], readonly vocabulary: Vocabulary) {
    this.names = names.map(textOf);
    this.distinct = [...new Set(this.names)].filter((name) => name);
    this.reading = findReading(this.distinct, vocabulary);
    const plain = !this.reading.takesOff && !this.reading.others.length;
    this.words = new Set(plain ? this.distinct : this.distinct.map((name) => this.read(name)[0]));
    const words = [...this.words];
    this.allLower = words.every(isLower) && !words.some((word) => vocabulary.exact.has(word));
    const hits = new Map<string, Hit>([["", NONE]]);
    for (const name of this.distinct) hits.set(name, this.hit(plain ? [name] : this.read(name)));
    this.hits = hits;
    if (this.reading.others.length) this.hits = new Map([...hits, ...this.foundBeside()]);
  }

  // Position in the vocabulary of each name, -1 where it has none.
  get targetV(): Int32Array {
    return (this.places ??= Int32Array.from(this.names, (name) => this.hits.get(name)![0]));
  }

  // Genes of the vocabulary that some name leads to.
  get nFound(): number {
    if (this.found === undefined) {
      const places = new Set<number>();
      for (const [place] of this.hits.values()) if (place !== -1) places.add(place);
      this.found = places.size;
    }
    return this.found;
  }

  // Names, repeats included, by how they were found.
  counts(): Record<How, number> {
    const counts = { exact: 0, repaired: 0, renamed: 0, ambiguous: 0, unmatched: 0 };
    for (const name of this.names) counts[this.hits.get(name)![1]] += 1;
    return counts;
  }

  // The distinct names that aren't the vocabulary's own words, in the order of the column.
  oddNames(): OddName[] {
    return this.distinct.flatMap((name): OddName[] => {
      const [place, how] = this.hits.get(name)!;
      return how === "exact" ? [] : [[name, how, ...this.meant(name, place, how)]];
    });
  }

  // Ensembl id and symbol of a gene, or of all that an ambiguous name may mean.
  private meant(name: string, place: number, how: How): [string, string] {
    const { ids, symbols, aliases } = this.vocabulary;
    if (how !== "ambiguous") return place >= 0 ? [ids[place], symbols[place]] : ["", ""];
    const places = [...new Set(this.read(name).flatMap((word) => aliases.get(word) ?? []))].filter((one) => one >= 0);
    return [places.map((one) => ids[one]).join(" or "), places.map((one) => symbols[one]).join(" or ")];
  }

  // What a name may call its gene, likeliest first, itself last.
  private read(name: string): string[] {
    return this.reading.takesOff ? [...this.reading.words(name), name] : [name];
  }

  // Find the gene that the first of some words names; the last of them is the whole name.
  private hit(words: readonly string[]): Hit {
    let unclear = NONE;
    for (const word of words) {
      const place = this.vocabulary.exact.get(word);
      const hit: Hit = place !== undefined ? [place, "exact"] : this.repair(word);
      if (hit[0] >= 0) return word === words[words.length - 1] ? hit : asRepaired(hit);
      if (unclear[1] === "unmatched") unclear = hit;
    }
    return unclear;
  }

  // Find genes by what stands beside a name that isn't known, unless another name is the gene's own.
  private foundBeside(): [string, Hit][] {
    const own = new Set<number>();
    for (const [place] of this.hits.values()) own.add(place);
    return [...this.hits].flatMap(([name, [place]]): [string, Hit][] => {
      const words = place < 0 && name ? this.reading.beside(name) : [];
      if (!words.length) return [];
      const hit = asRepaired(this.hit(words));
      return own.has(hit[0]) ? [] : [[name, hit]];
    });
  }

  private repair(name: string): Hit {
    const bare = clean(name).replace(HUMAN_PREFIX, "");
    const id = HUMAN_ID.exec(bare);
    // R stands for a 0 in the ids that old releases gave to the copies on Y
    return id === null ? this.repairSymbol(name, bare) : asRepaired(this.lookUp(id[0].toUpperCase().replaceAll("R", "0")));
  }

  private repairSymbol(name: string, bare: string): Hit {
    const { exact, aliases } = this.vocabulary;
    const spellings = spellingsOf(this.allLower ? bare.toUpperCase() : bare);
    for (const spelling of spellings) {
      const place = exact.get(spelling);
      if (place !== undefined) return [place, "repaired"];
    }
    // an alias may end like a repeat: TRAC-1 is one of NCOR2, but beside TRAC it is TRAC once more
    const repeat = this.repeated(bare);
    if (repeat[1] === "exact" || repeat[1] === "repaired") return asRepaired(repeat);
    const dashed = exact.get(bare.replaceAll("_", "-"));
    if (dashed !== undefined) return [dashed, "repaired"];
    for (const spelling of spellings) {
      if (!aliases.has(spelling)) continue;
      const hit = this.lookUp(spelling);
      return spelling === name ? hit : asRepaired(hit);
    }
    return asRepaired(repeat);
  }

  // Find the gene of a name that repeats another: tools leave the first of the repeats as it was.
  private repeated(name: string): Hit {
    const word = len(name) <= LONGEST_SYMBOL ? REPEAT.exec(name)?.[1] : undefined;
    if (word === undefined || !this.words.has(word) || VARIABLE_GENE.test(name)) return NONE;
    const place = this.vocabulary.exact.get(word);
    return place !== undefined ? [place, "exact"] : this.repairSymbol(word, word);
  }

  private lookUp(name: string): Hit {
    const place = this.vocabulary.exact.get(name);
    if (place !== undefined) return [place, "exact"];
    const places = this.vocabulary.aliases.get(name) ?? [-1];
    if (places.length > 1) return [-1, "ambiguous"];
    return places[0] >= 0 ? [places[0], "renamed"] : NONE;
  }
}

const asRepaired = (hit: Hit): Hit => (hit[1] === "exact" ? [hit[0], "repaired"] : hit);

// A name as text; "" for what can't be one: missing, a number, far too long.
const textOf = (name: unknown): string =>
  typeof name === "string" && (name.length <= LONGEST_NAME || len(name) <= LONGEST_NAME) ? name : "";

const isLower = (name: string): boolean => name === name.toLowerCase();

// Take off blanks and quotes; what isn't ASCII becomes what it looks like.
function clean(name: string): string {
  const plain = isAscii(name) ? name : name.normalize("NFKC").replace(DASHES, "-").replace(NO_WIDTH, "");
  const bare = strip(plain, AROUND);
  return bare.startsWith("'") ? strip(bare, "'") : bare;
}

// A symbol as it is, then as it was before a spreadsheet or R damaged it.
function spellingsOf(name: string): string[] {
  const spellings = [name], date = DATE.exec(name);
  if (date) spellings.push(`${date[1]}-${date[2].toUpperCase()}`);
  if (name.includes(".")) spellings.push(name.replaceAll(".", "-"));
  return spellings;
}
