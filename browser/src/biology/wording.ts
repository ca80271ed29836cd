// Names of types of cell, however they are spelled, in a form in which names of the same type are alike.

import { compare, isCombining, len, letters, LETTER, WORD } from "../base/text.ts";

// Words that mean the same as others wherever they stand.
const LONG = new Map(Object.entries({
  act: "activated", astro: "astrocyte", astroglia: "astrocyte", baso: "basophil", dc: "dendritic", dim: "low", dividing: "cycling",
  eff: "effector", endothelium: "endothelial", eos: "eosinophil", epithelium: "epithelial", exc: "excitatory",
  fibro: "fibroblast", glia: "glial", hi: "high", i: "1", ii: "2", iii: "3", inh: "inhibitory", int: "intermediate", lo: "low",
  mac: "macrophage", macro: "macrophage", mem: "memory", microglia: "microglial", mono: "monocyte", neg: "negative",
  neurone: "neuron", neuronal: "neuron", neutro: "neutrophil", nk: "natural killer", nkt: "natural killer t",
  oligo: "oligodendrocyte", pos: "positive", prolif: "cycling", proliferating: "cycling", smc: "smooth muscle",
  spermatogonia: "spermatogonium", tcm: "central memory t", tem: "effector memory t", treg: "regulatory t",
}));

const GREEK: Record<string, string> = { α: " alpha ", β: " beta ", γ: " gamma ", δ: " delta ", ε: " epsilon ", φ: " phi " };

const AMERICAN = { haem: "hem", oesoph: "esoph", foet: "fet", tumour: "tumor", leuco: "leuko" };

// Where a word begins and where it ends.
const START = `(?<!${WORD})`, END = `(?!${WORD})`;
const pattern = (source: string) => new RegExp(source, "gu");

// Where words begin that are written without a space.
const PARTS = /(?<=[a-z])(?=[A-Z])|(?<=\p{Nd})(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/gu;
// A marker and what follows it without a space, as in cd56bright.
const MARKED = pattern(`${START}(cd\\p{Nd}+[a-c]?)(dim|bright|high|hi|low|lo|int|pos|neg|t|nk)${END}`);
const CELLS = pattern(`${START}(${LETTER}+?)[ _-]?cells?${END}`);
const KILLER_T = pattern(`${START}natural killer t${END}`);
const BEHIND = pattern(` (\\p{Nd}+|low|high|bright|negative)${END}`);
const BEFORE = pattern(`${START}(pre|pro|non) `);
const TYPE_PLUS = pattern(`${START}(t|b|nk|dc|mono) *\\+`);
const MINUS = /(?<=\p{Nd})[-\u2212](?=$|[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000,;)])/gu;
const EACH = pattern(`${LETTER}+`), EACH_OR_PLUS = pattern(`${LETTER}+|\\+`);

// The words of a name, each once, sorted.
// Hyphens, plurals, accents, "cell" and the "+" of a marker are gone; numbers and "low", "high" and "negative" are one word
// with what they belong to; Greek letters and short words are spelled out.
export function wordsOf(text: string): string[] {
  const apart = withSignsAsWords(plain(text)).replace(MARKED, "$1 $2").replace(CELLS, "$1 cell");
  const full = (apart.match(EACH) ?? []).map(inFull).join(" ");
  const one = full.replace(KILLER_T, "nkt").replaceAll("double positive", "doublepositive").replace(BEHIND, "$1").replace(BEFORE, "$1");
  return [...new Set(one.split(" "))].filter((word) => word && word !== "cell" && word !== "positive").sort(compare);
}

// A name without hyphens, capitals and plurals: what is left is the name itself, spelled as it is.
export const spellingOf = (text: string): string => (text.toLowerCase().match(EACH_OR_PLUS) ?? []).map(singular).join(" ");

// Put spaces between words that are told apart by capitals and numbers only.
export const parted = (text: string): string => text.replace(PARTS, " ");

// A text in small letters without accents, in American spelling.
function plain(text: string): string {
  const spelled = text.toLowerCase().normalize("NFKD").replace(/[αβγδεφ]/g, (letter) => GREEK[letter]).replaceAll("'s", "");
  const bare = letters(spelled).filter((letter) => !isCombining(letter)).join("");
  return Object.entries(AMERICAN).reduce((said, [there, here]) => said.replaceAll(there, here), bare);
}

// Spell out "+" and "-" behind a marker, and what stands between two types: "T/NK" is no natural killer T cell.
function withSignsAsWords(text: string): string {
  const joined = text.replace(/\++\/?/g, "+").replace(TYPE_PLUS, "$1 and ").replaceAll("+", " positive ");
  return joined.replace(MINUS, " negative ").replace(/[&|/]/g, " and ");
}

function inFull(word: string): string {
  const one = singular(word);
  return LONG.get(word) ?? LONG.get(one) ?? one;
}

// A word in small letters without the ending of its plural.
export function singular(word: string): string {
  if (word.endsWith("ies") && len(word) > 4) return `${word.slice(0, -3)}y`;
  return len(word) > 2 && word.endsWith("s") && !/(?:ss|us|is)$/.test(word) ? word.slice(0, -1) : word;
}
