// Affixes: what tools put around the names of genes, told from the names themselves.
// A reference, a modality or a species may stand before or behind every name (GRCh38_CD3E, CD3E_HUMAN), and several words
// may be joined into one (CD3E|916, b'CD3E').  What nearly all names share, and without which they are genes, is no part of
// the gene's own name.  What speaks of another species or of antibodies stays where it is.

import { Generator } from "../base/random.ts";
import { head, letters, LETTER, SIGN } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import { GENE, kindOf } from "./features.ts";
import { affixSpecies, FOREIGN_ID } from "./species.ts";
import type { Vocabulary } from "./vocabulary.ts";

export const HUMAN_ID = /(?<![A-Z0-9])ENSG[R\p{Nd}]\p{Nd}{10}(?!\p{Nd})/iu;

// Names that are looked at.
const SAMPLE = 500;
// Of fewer names nothing is shared but by chance.
const FEWEST = 20;
const NEARLY_ALL = 0.9;
// Smallest share of names with an affix, of a list that joins several species or modalities.
const GROUP = 0.2;
// Smallest share of names that must be genes once they are read.
const ENOUGH = 0.1;
// How many more genes a less simple reading must give.
const BETTER = 1.02;
// Largest share of names whose part may be another's too, if an affix would do.
const REPEATED = 0.02;
const LONGEST = 100;

// What no symbol holds, so words end there, and whole ids; dashes and dots are parts of symbols.
const STRONG = /[^A-Za-z0-9.-]+|[.-]{0,4}(?<![A-Za-z0-9])(ENSG\p{Nd}{11})(?:\.\p{Nd}+)?(?![A-Za-z0-9])[.-]*/u;
const RUNS = new Map([["-", /-+/], [".", /\.+/]]);
const HEAD = new RegExp(`^${LETTER}*${SIGN}+`, "u");
const JOINT = new RegExp(`${SIGN}+`, "gu");
const AT_A_JOINT = new RegExp(`^${SIGN}|${SIGN}$`, "u");
// A digit of any kind at the end, raised and circled ones among them.
const ENDS_IN_DIGIT = /[\p{Nd}\xb2\xb3\xb9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]$/u;

// Where a name's parts begin and end, as Array.slice takes them.
export type Slice = readonly [number, number | undefined];

// How to get from a name as a list has it to the gene's own name.
export class Reading {
  readonly prefix: string = "";
  readonly suffix: string = "";
  // Other suffixes, where the list has its genes more than twice: spliced, unspliced (-U), ambiguous (-A).
  readonly orElse: readonly string[] = [];
  // What parts are joined by; anything that no symbol holds if it is empty.
  readonly delimiter: string = "";
  // Which of the parts name the gene.
  readonly place: Slice | null = null;
  // Which parts serve where the gene's isn't known: they name the same gene wherever both are.
  readonly others: readonly Slice[] = [];
  // All that many names begin or end with, taken off or not.
  readonly shared: readonly string[] = [];

  constructor(fields: Partial<Fields> = {}) {
    Object.assign(this, fields);
  }

  with(fields: Partial<Fields>): Reading {
    return new Reading({ ...(this as Fields), ...fields });
  }

  // Whether names are read otherwise than they stand.
  get takesOff(): boolean {
    return this.prefix !== "" || this.suffix !== "" || this.place !== null;
  }

  // The gene's own name; nothing if a name isn't built as the others are.
  words(name: string): string[] {
    if (this.place) return part(name, this.delimiter, this.place);
    if (!name.startsWith(this.prefix)) return [];
    const suffix = [this.suffix, ...this.orElse].find((end) => name.endsWith(end));
    const word = suffix === undefined ? name : name.slice(this.prefix.length, name.length - suffix.length);
    return word && word !== name ? [word] : [];
  }

  // What stands beside the gene's own name and may name it too.
  beside(name: string): string[] {
    return this.others.flatMap((place) => part(name, this.delimiter, place));
  }

  // A name without the first affix of many that it carries.
  bare(name: string): string {
    const affix = this.shared.find((one) => name.length > one.length && (name.startsWith(one) || name.endsWith(one)));
    if (affix === undefined) return name;
    const rest = name.startsWith(affix) ? name.slice(affix.length) : name;
    return affix && rest.endsWith(affix) ? rest.slice(0, -affix.length) : rest;
  }

  // Say in one sentence what was taken off.
  note(column: string, names: readonly string[]): string {
    const carry = names.filter((name) => this.words(name).length);
    const share = carry.length === names.length ? `all ${comma(carry.length)}` : `${comma(carry.length)} of ${comma(names.length)}`;
    if (this.place) {
      const [example, word] = [carry[0], this.words(carry[0])[0]];
      return `${share} names in ${repr(column)} hold more than the gene: ${repr(head(example, 60))} is read as ${repr(head(word, 30))}.`;
    }
    const parts = [["prefix", this.prefix], ["suffix", this.suffix]].filter(([, affix]) => affix);
    const what = parts.map(([kind, affix]) => `the ${kind} ${repr(affix)}`).join(" and ")
      + this.orElse.map((suffix) => ` or ${repr(suffix)}`).join("");
    return `${share} names in ${repr(column)} carry ${what}, which ${what.includes(" and ") ? "were" : "was"} taken off.`;
  }
}

type Fields = Pick<Reading, "prefix" | "suffix" | "orElse" | "delimiter" | "place" | "others" | "shared">;

// Names are read as they stand.
export const PLAIN = new Reading();

// Find how a list of distinct names has to be read to name genes: PLAIN, but for what is shared, where names are genes as
// they stand, or aren't whatever is taken off.
export function findReading(names: readonly string[], vocabulary: Vocabulary): Reading {
  if (names.length < FEWEST) return PLAIN;
  const sample = Array.from(new Generator(0).permutation(names.length).subarray(0, SAMPLE), (at) => names[at]);
  const prefixes = sharedBy(sample), suffixes = sharedBy(sample.map(reversed)).map(reversed);
  const joints = new Set([...prefixes, ...suffixes].filter((affix) => AT_A_JOINT.test(affix)));
  const shared = [...joints].sort((one, other) => letters(other).length - letters(one).length);
  const again = readAgain(names, prefixes, suffixes, vocabulary);
  if (again !== PLAIN) return again.with({ shared });
  const asTheyStand = geneShare(sample, vocabulary);
  if (3 * asTheyStand >= 1) return PLAIN.with({ others: othersOf(PLAIN, sample, vocabulary), shared });
  const least = Math.max(ENOUGH, 3 * asTheyStand);
  let [best, share] = bestOf(affixes(prefixes, suffixes), sample, vocabulary, least);
  if (shared.every(mayGo)) {
    const [one] = bestOf(parts(sample), sample, vocabulary, Math.max(least, share * BETTER));
    // antibodies and genes of the same names (ADT_CD4, GEX_CD4) must stay apart
    if (one !== PLAIN && (best === PLAIN || repeats(one, names) <= REPEATED)) best = one;
  }
  return best.with({ others: othersOf(best, sample, vocabulary), shared });
}

const reversed = (text: string): string => letters(text).reverse().join("");

// Find the affixes of names that are in the list without them too, as where two annotations were joined.
function readAgain(names: readonly string[], prefixes: string[], suffixes: string[], vocabulary: Vocabulary): Reading {
  const there = new Set(names);
  // a few such as HLA-A may end so by themselves; numbers are told name by name
  const holds = (reading: Reading, words: string[], few: boolean) =>
    (few && words.length < FEWEST && !ENDS_IN_DIGIT.test(reading.suffix))
      || words.filter((word) => there.has(word)).length >= NEARLY_ALL * words.length;
  const found = [
    ...prefixes.filter(mayGo).map((prefix) => new Reading({ prefix })),
    ...suffixes.filter(mayGo).map((suffix) => new Reading({ suffix })),
  ].filter((reading) => {
    const wordsOf = (some: readonly string[]) => some.flatMap((name) => reading.words(name));
    if (![names.slice(0, SAMPLE), names.slice(-SAMPLE)].every((some) => holds(reading, wordsOf(some), true))) return false;
    const words = wordsOf(names);
    return holds(reading, words, false) && words.length >= GROUP * names.length && geneShare(words, vocabulary) >= ENOUGH;
  });
  if (!found.length) return PLAIN;
  const [first, ...rest] = found;
  return first.with({ orElse: first.suffix ? rest.map((other) => other.suffix).filter((suffix) => suffix) : [] });
}

// The reading that leads to most genes, the first of those that are as good, and the share of genes.
function bestOf(readings: Iterable<Reading>, sample: readonly string[], vocabulary: Vocabulary, least: number): [Reading, number] {
  let best = PLAIN, share = least;
  for (const reading of readings) {
    const words = sample.flatMap((name) => reading.words(name));
    if (words.length <= share * sample.length) continue;
    const found = geneShare(words, vocabulary, sample.length);
    if (found > share) [best, share] = [reading, found * BETTER];
  }
  return [best, share / BETTER];
}

// Share of names that are read as another one is, too.
function repeats(reading: Reading, names: readonly string[]): number {
  const words = names.flatMap((name) => reading.words(name));
  return 1 - new Set(words).size / Math.max(words.length, 1);
}

// Share of names that are distinct genes, in [0, 1]; those of another species or in other case count for little.
export function geneShare(names: readonly string[], vocabulary: Vocabulary, of = Math.max(names.length, 1)): number {
  let sum = 0;
  for (const name of new Set(names)) sum += worth(name, vocabulary);
  return sum / of;
}

function worth(name: string, vocabulary: Vocabulary): number {
  if (vocabulary.exact.has(name) || HUMAN_ID.test(name)) return 1;
  return vocabulary.exact.has(name.toUpperCase()) || FOREIGN_ID.test(name) ? 0.3 : 0;
}

// Whether names without an affix can be human genes: it speaks of no other species and no antibodies.
function mayGo(affix: string): boolean {
  return [null, "human"].includes(affixSpecies(affix)) && [null, GENE].includes(kindOf(affix));
}

// Readings without a prefix, a suffix or both; those that say otherwise stay on.
function* affixes(prefixes: string[], suffixes: string[]): IterableIterator<Reading> {
  for (const prefix of ["", ...prefixes.filter(mayGo)]) {
    for (const suffix of ["", ...suffixes.filter(mayGo)]) if (prefix || suffix) yield new Reading({ prefix, suffix });
  }
}

// Readings of one part of names that nearly all have several.
function* parts(sample: readonly string[]): IterableIterator<Reading> {
  for (const delimiter of ["", ...RUNS.keys()]) {
    const split = sample.map((name) => splitName(name, delimiter)).filter((words, i) => words.length !== 1 || words[0] !== sample[i]);
    if (split.length < NEARLY_ALL * sample.length) continue;
    const longest = Math.max(...split.map((words) => words.length));
    for (const place of delimiter === "" ? single(longest) : inner(longest)) yield new Reading({ delimiter, place });
  }
}

const upTo = (length: number, most: number): number[] => [...Array(Math.min(length, most)).keys()];

// Places of one part, counted from the front and from the back.
function single(length: number): Slice[] {
  const places = upTo(length, 10);
  return [...places.map((place): Slice => [place, place + 1]), ...places.map((place): Slice => [-place - 1, -place || undefined])];
}

// Places of what is left when parts are cut off in front or behind.
function inner(length: number): Slice[] {
  const cuts = upTo(length, 6);
  return cuts.flatMap((front) => cuts.filter((behind) => front || behind).map((behind): Slice => [front, -behind || undefined]));
}

// Parts of a name; at all that no symbol holds if no delimiter is given.
function splitName(name: string, delimiter: string): string[] {
  return delimiter ? name.split(RUNS.get(delimiter)!) : name.split(STRONG).filter((word) => word);
}

function part(name: string, delimiter: string, place: Slice): string[] {
  const word = splitName(name, delimiter).slice(...place).join(delimiter);
  return word && word !== name ? [word] : [];
}

// Find the parts that are symbols of the same gene wherever a name and its part both name one.
function othersOf(reading: Reading, sample: readonly string[], vocabulary: Vocabulary): Slice[] {
  const longest = Math.max(...sample.map((name) => splitName(name, "").length));
  if (longest === 1 || reading.prefix || reading.suffix || reading.delimiter) return [];
  const named = sample.map((name) => placeOf(reading.place ? reading.words(name)[0] ?? name : name, vocabulary));
  return single(longest).filter((place) => {
    let both = 0, same = 0;
    sample.forEach((name, i) => {
      const word = part(name, "", place)[0] ?? "";
      const other = named[i] === null || HUMAN_ID.exec(word)?.index === 0 ? null : placeOf(word, vocabulary);
      if (other === null) return;
      both += 1;
      same += Number(other === named[i]);
    });
    const isOwn = reading.place !== null && place[0] === reading.place[0] && place[1] === reading.place[1];
    return !isOwn && both >= FEWEST && same >= NEARLY_ALL * both;
  });
}

// Position of the gene that a word names or holds the id of.
function placeOf(word: string, vocabulary: Vocabulary): number | null {
  const places = vocabulary.aliases.get(word) ?? [];
  const known = vocabulary.exact.get(HUMAN_ID.exec(word)?.[0] ?? word) ?? null;
  return known === null && places.length === 1 ? places[0] : known;
}

// The commonest first; of those as common the one that came first.
function mostCommon(words: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1]);
}

// What many names begin with, up to a delimiter where there is one.
function sharedBy(names: readonly string[]): string[] {
  const heads = mostCommon(names.flatMap((name) => HEAD.exec(name)?.[0] ?? []));
  const often = heads.slice(0, 3).filter(([, count]) => count >= GROUP * names.length).map(([start]) => start);
  const groups = often.length ? often.map((start) => names.filter((name) => name.startsWith(start))) : [names];
  const found = new Set<string>();
  for (const group of groups) {
    const common = commonTo(group);
    const ends = [...common.join("").matchAll(JOINT)].map((joint) => joint.index + joint[0].length);
    const cuts = ends.length ? ends : common.map((_, i) => common.slice(0, i).join("").length);
    for (const cut of [...cuts, common.join("").length]) if (cut) found.add(common.join("").slice(0, cut));
  }
  return [...found];
}

// The longest beginning of nearly all names, letter by letter.
function commonTo(names: readonly string[]): string[] {
  let kept = names.map(letters), length = 0;
  while (length < LONGEST) {
    const [[letter, count]] = mostCommon(kept.map((name) => name[length] ?? ""));
    if (letter === "" || count < NEARLY_ALL * names.length) break;
    kept = kept.filter((name) => name[length] === letter);
    length += 1;
  }
  return kept[0].slice(0, length);
}
