// What the names that people give to types of cell mean, as terms of the Cell Ontology.
//
// A name may be an id, a name or an exact synonym of the ontology, the name that we give it in short (`short_names`), or
// one of the field's short names ("Tregs", "AT2"), which stand in type_names.tsv; `wording` says how differently each may
// be written. A name of several types names none.
//
// The table was written by hand, from the short names that published data sets use. A name with several lines is one that
// people use for different types.

import { closeMatches } from "../base/close_matches.ts";
import { cached, packagedText } from "../base/packaged.ts";
import { compare, strip } from "../base/text.ts";
import { rowsOf } from "../base/tsv.ts";
import { BROAD, DOINGS, loadOntology, TOO_GENERAL } from "./ontology.ts";
import { hasShortName, shortName, termOfShort } from "./short_names.ts";
import { loadTissues } from "./tissues.ts";
import { parted, spellingOf, wordsOf } from "./wording.ts";

// The terms that the words of a name may mean, by these words with spaces between them.
type Meanings = Map<string, string[]>;

// Words in the ontology's names for alpha-beta T cells that people leave out.
const LEFT_OUT: ReadonlySet<string> = new Set(["alpha", "beta", "thymus", "derived"]);
// In names of other animals' cells, to which only those names lead.
const ELSEWHERE = /\((?:Mmus|Primate|sensu .*)\)|, mouse$/;
// What a cluster is called before anyone has named it.
const CLUSTER = /^(?:(?:[Cc]luster|[CcGg])?[ _-]?\p{Nd}+)$/u;
// The number of a cluster before or behind its name.
const NUMBER = /^(?:cluster|c)?[ _-]?\p{Nd}+[ :_.)-]+(?=[^\p{Nd}\s])|[ _.-]+\(?\p{Nd}+\)?$/giu;
// How much alike two names are spelled that may be meant for each other, from 0 to 1.
const ALIKE = 0.75;
// No name of the ontology has more letters.
const LONGEST = 200;
// So many letters are too few to tell what a text is spelled like.
const SHORT = 4;
// Names whose meanings are kept.
const REMEMBERED = 1 << 14;

// The term that a name of a type of cell means; null where it means none, or may mean several.
export function readName(text: string): string | null {
  const found = meaningsOf(text);
  return found.length === 1 ? found[0] : null;
}

// All terms that a name may mean, sorted; none where it isn't understood.
export function meaningsOf(text: string): string[] {
  const known = cached("meanings of names", () => new Map<string, string[]>());
  let found = known.get(text);
  if (found === undefined) {
    if (known.size >= REMEMBERED) known.clear();
    known.set(text, (found = understood(strip(text))));
  }
  return found;
}

function understood(text: string): string[] {
  const ontology = loadOntology(), known = ontology.resolveLabel(text);
  if (known !== null && ontology.isNamed(known, text)) return [known];
  if (text.includes("?") || (text.length === 1 && /\p{Ll}/u.test(text))) return [];
  const named = bySpelling().get(spellingOf(text)) ?? termOfShort(text);
  const found = named === null ? shortNames().get(wordsOf(text).join(" ")) ?? [] : [named];
  if (found.length || CLUSTER.test(text)) return found;
  const plain = text.replace(NUMBER, "");
  if (known !== null && !ELSEWHERE.test(ontology.name(known))) return [known];
  for (const way of new Set([text, parted(text), plain, parted(plain)])) {
    const means = loosely(way);
    if (means.length) return means;
  }
  return [];
}

// The names by which people look for a type, besides the ontology's name and the short one.
export function everydayNames(term: string): string[] {
  const ofTable = tableRows().filter(([, meant]) => meant === term).map(([name]) => name);
  return [...new Set([...loadOntology().synonyms(term), ...ofTable])].sort(compare);
}

// The names of terms that a text may be meant for, the likeliest first; `among` are terms that go before others, such as
// those that a model knows.
//
// First come those that it may mean; then those that say all that it says and little more; then those that say a part of
// it, the most first; then names that are spelled much like it. A word that stands for a lineage goes before what says
// more than the text, and before another spelling: "T activated" is a T cell, and which one isn't said.
export function closestNames(text: string, among: Iterable<string> = [], most = 3): string[] {
  const ontology = loadOntology(), found = meaningsOf(text);
  if (found.length) return found.slice(0, most).map((term) => ontology.name(term));
  const lineages = lineagesIn(text), isOfThem = (term: string) => lineages.some((one) => ontology.ancestors(term).has(one));
  const near = sharing(new Set(wordsOf(text)), new Set(among)).sort((a, b) => a.less - b.less || a.off - b.off || a.rarer - b.rarer || compare(a.term, b.term));
  const surely = near.filter(({ less, term }) => less && isOfThem(term)).map(({ term }) => term);
  const ahead = lineages.length ? [...surely, ...lineages] : [];
  const names = [...ahead, ...near.map(({ term }) => term)].map((term) => ontology.name(term));
  if ([...text].length > SHORT) {
    const byName = new Map<string, string>();
    for (const term of ontology.terms) {
      if (lineages.length && !isOfThem(term)) continue;
      for (const name of [ontology.name(term), shortName(term)]) if (name.length >= SHORT) byName.set(name.toLowerCase(), ontology.name(term));
    }
    names.push(...closeMatches(strip(text).toLowerCase(), byName.keys(), most, ALIKE).map((name) => byName.get(name)!));
  }
  return [...new Set(names)].slice(0, most);
}

// The broad types that single words of a text stand for, such as "NK" and "Mono".
function lineagesIn(text: string): string[] {
  const means = (parted(text).match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => meaningsOf(word));
  return [...new Set(means.filter((found) => found.length === 1 && BROAD.includes(found[0])).map(([term]) => term))];
}

interface Near {
  // Whether words of the text are missing in the term's name; how many words are in one of them only.
  less: number;
  off: number;
  rarer: number;
  term: string;
}

// Terms whose names hold all words of a text or lie within them, and how far off each is.
function sharing(wanted: ReadonlySet<string>, among: ReadonlySet<string>): Near[] {
  const ontology = loadOntology(), found: Near[] = [];
  for (const names of [shortNames(), ...longNames()]) {
    for (const [said, terms] of names) {
      const words = said.split(" ");
      const more = words.filter((word) => !wanted.has(word)).length, less = [...wanted].filter((word) => !words.includes(word)).length;
      if ((more && less) || !wanted.size || words.join("").length < 2) continue;
      for (const term of terms) {
        // what has a short name by hand is met more often than what hasn't: "killer" is no pro-NK cell
        const rarer = among.has(term) ? 0 : ontology.name(term).length + (hasShortName(term) ? 0 : LONGEST);
        found.push({ less: Number(less > 0), off: more + less, rarer, term });
      }
    }
  }
  return found;
}

// What a text means when it may be written another way than any name that is known.
function loosely(text: string): string[] {
  const words = wordsOf(text);
  for (const said of [words, words.filter((word) => word !== "cycling")]) {
    const key = said.join(" "), long = longNames().find((names) => names.has(key));
    const found = shortNames().get(key) ?? long?.get(key) ?? [];
    if (found.length) return text.toLowerCase().includes("cell") ? found : found.filter((term) => isClear(said, term));
  }
  return [];
}

// Whether words mean a type even without "cell": not an organ, a letter, or what many kinds of cell do.
function isClear(words: string[], term: string): boolean {
  const key = words.join(" ");
  return shortNames().has(key) || ([...words.join("")].length > 2 && !organs().has(key) && !DOINGS.has(term) && !TOO_GENERAL.has(term));
}

const shortNames = (): Meanings => cached("everyday names", () => gathered(tableRows()));

// The table of what people call types: name and term.
const tableRows = (): [string, string][] =>
  cached("rows of everyday names", () => rowsOf(packagedText("type_names.tsv")).map((row) => [row.name, row.cell_type_ontology_term_id]));

// What the ontology's own names mean, its synonyms, and its names without what people leave out of them.
const longNames = (): Meanings[] =>
  cached("names of the ontology", () => {
    const ontology = loadOntology(), ours = ontology.terms.filter((term) => !ELSEWHERE.test(ontology.name(term)));
    const names = gathered(ours.map((term) => [ontology.name(term), term]));
    const shorter: [string[], string][] = [];
    for (const [said, terms] of names) {
      const words = said.split(" "), isAlphaBeta = ["alpha", "beta", "t"].every((word) => words.includes(word));
      const left = words.filter((word) => word !== "human" && !(isAlphaBeta && LEFT_OUT.has(word)));
      for (const term of terms) shorter.push([left, term]);
    }
    return [names, gathered(ours.flatMap((term) => ontology.synonyms(term).map((word): [string, string] => [word, term]))), grouped(shorter)];
  });

// The term of each of the ontology's names, as `spellingOf` has it; what two share leads to neither.
const bySpelling = (): Map<string, string> =>
  cached("spellings of names", () => {
    const found = new Map<string, string[]>(), ontology = loadOntology();
    for (const term of ontology.terms) {
      const spelling = spellingOf(ontology.name(term));
      found.set(spelling, [...(found.get(spelling) ?? []), term]);
    }
    return new Map([...found].filter(([, terms]) => terms.length === 1).map(([spelling, [term]]) => [spelling, term]));
  });

const organs = (): Set<string> => cached("words of tissues", () => new Set(loadTissues().flatMap(({ name, also }) => [name, ...also].map((one) => wordsOf(one).join(" ")))));

// A name that is nothing but "cell" says nothing.
const gathered = (pairs: [string, string][]): Meanings =>
  grouped(pairs.map(([name, term]): [string[], string] => [wordsOf(name), term]).filter(([words]) => words.length));

function grouped(pairs: [string[], string][]): Meanings {
  const found = new Map<string, Set<string>>();
  for (const [words, term] of pairs) {
    const key = words.join(" "), terms = found.get(key);
    if (terms) terms.add(term);
    else found.set(key, new Set([term]));
  }
  return new Map([...found].map(([key, terms]) => [key, [...terms].sort(compare)]));
}
