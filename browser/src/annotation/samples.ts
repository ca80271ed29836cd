// From which sample each cell is, and under which condition each sample was taken: columns about the cells.
// Axes: n cells, s samples.

import { ConfigError } from "../base/errors.ts";
import type { Frame } from "../base/frame.ts";
import { compare } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import { namedColumn } from "../biology/columns.ts";
import type { CellSource } from "../io/source.ts";
import { cellWords } from "./cell_words.ts";
import { byNature } from "./groups.ts";

// A column with more values says something else.
export const MOST_SAMPLES = 500;
// Words that say nothing, in lower case; fewer than for labels, since a condition may well be called "none".
export const SILENT: ReadonlySet<string> = new Set(["", "nan"]);

// The samples that cells are from.
export interface Samples {
  // Column that tells them apart; null where all cells are one sample.
  by: string | null;
  // Column of their conditions; null where none was asked for.
  condition: string | null;
  // Of the samples: those of one condition beside each other, then in their natural order.
  names: string[];
  // Place of each cell's sample among the names; -1 where nothing is said.
  sampleN: Int32Array;
  // Condition of each sample, '' where there is none.
  conditions: string[];
}

// From which sample each cell of a source is; null where neither column is asked for.
export function findSamples(source: CellSource, by: string | null, condition: string | null = null): Samples | null {
  return by === null && condition === null ? null : samplesOf(source.obs(), by, condition, source.name);
}

// The samples in a table about cells; `name` is how messages call it.
export function samplesOf(obs: Frame, by: string | null, condition: string | null, name: string): Samples {
  let { names, sampleN } = oneSample(name, obs.height);
  if (by !== null) {
    [names, sampleN] = valuesOf(obs, by, name);
    check(by, names, sampleN.length, name);
  }
  if (condition === null) return { by, condition, names, sampleN, conditions: names.map(() => "") };
  const [every, conditionN] = valuesOf(obs, condition, name);
  if (every.length > 2) {
    throw new ConfigError(
      `the column ${repr(condition)} has ${comma(every.length)} values (${some(every)}); two conditions are compared. ` +
        "Take the cells of two, or name a column that has two.",
    );
  }
  const placeS = conditionOfEach(names, sampleN, every, conditionN, condition), rank = (place: number) => (placeS[place] < 0 ? every.length : placeS[place]);
  const orderS = names.map((_, place) => place).sort((a, b) => rank(a) - rank(b) || a - b), newS = new Int32Array(names.length);
  orderS.forEach((place, at) => { newS[place] = at; });
  return {
    by,
    condition,
    names: orderS.map((place) => names[place]),
    sampleN: sampleN.map((place) => (place < 0 ? -1 : newS[place])),
    conditions: orderS.map((place) => (placeS[place] < 0 ? "" : every[placeS[place]])),
  };
}

// All cells as one sample.
export function oneSample(name: string, cells: number): Samples {
  return { by: null, condition: null, names: [name], sampleN: new Int32Array(cells), conditions: [""] };
}

// What sorts names as people do.
export function natural(name: string): (number | string)[] {
  const folded = name.toLowerCase().replaceAll("ß", "ss");
  return folded.split(/(\p{Nd}+)/u).filter(Boolean).map((part) => (/^\p{Nd}+$/u.test(part) ? Number(part) : part));
}

// The values of a column in their order, and the place of each cell's among them, -1 where there is none.
export function valuesOf(obs: Frame, column: string, name: string): [string[], Int32Array] {
  const values = obs.columns.get(namedColumn(obs, column, name))!, { codes, words } = cellWords(values);
  const said = words.map((word) => (SILENT.has(word.toLowerCase()) ? "" : word));
  const names = [...new Set(said)].filter((word) => word !== "").sort((a, b) => byNature(a, b, natural) || compare(a, b));
  if (values.kind === "category") {
    // files keep categories sorted; any other order is somebody's will
    const sorted = [...words].sort(compare);
    if (words.some((word, at) => word !== sorted[at])) {
      const rank = new Map(words.map((word, place) => [word, place]));
      names.sort((a, b) => rank.get(a)! - rank.get(b)!);
    }
  }
  const placeOf = new Map(names.map((word, place) => [word, place])), placeC = said.map((word) => placeOf.get(word) ?? -1);
  const placeN = codes.map((code) => (code < 0 ? -1 : placeC[code])), there = new Set(placeN);
  const again = new Int32Array(names.length).fill(-1), kept = names.filter((_, place) => there.has(place));
  kept.forEach((word, at) => { again[placeOf.get(word)!] = at; });
  return [kept, placeN.map((place) => (place < 0 ? -1 : again[place]))];
}

// Refuses a column that can't be of samples.
function check(by: string, names: string[], cells: number, name: string): void {
  if (!names.length) throw new ConfigError(`the column ${repr(by)} of ${name} is empty. Name the column that says from which sample each cell is.`);
  if (names.length > MOST_SAMPLES || names.length > Math.max(cells / 2, 1)) {
    throw new ConfigError(
      `the column ${repr(by)} of ${name} has ${comma(names.length)} values for ${comma(cells)} cells; a sample has many cells, and ` +
        `there are ${MOST_SAMPLES} at most. Name the column that says from which sample each cell is.`,
    );
  }
}

// The place of each sample's condition, -1 where it has none; a sample of two is refused.
function conditionOfEach(names: string[], sampleN: Int32Array, every: string[], conditionN: Int32Array, condition: string): Int32Array {
  const foundS = new Int32Array(names.length).fill(-1), mixed = new Set<number>();
  for (let i = 0; i < sampleN.length; i += 1) {
    const [sample, own] = [sampleN[i], conditionN[i]];
    if (sample < 0 || own < 0) continue;
    if (foundS[sample] >= 0 && foundS[sample] !== own) mixed.add(sample);
    else foundS[sample] = own;
  }
  if (mixed.size) {
    throw new ConfigError(
      `the sample ${repr(names[Math.min(...mixed)])} has cells of ${some(every)} in ${repr(condition)}; a sample has one condition. ` +
        "Name the column that tells the samples apart: --by COLUMN, in Python by=.",
    );
  }
  return foundS;
}

const some = (values: string[]): string => values.slice(0, 4).map(repr).join(", ") + (values.length > 4 ? ", ..." : "");
