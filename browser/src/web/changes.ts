// How the shares of types differ between two values of a kept column, as `spoticell annotate --condition` says it.
// Axes: n cells, k those that are compared.

import { countTypes } from "../annotation/composition.ts";
import { type Differences, differences, METHOD } from "../annotation/differences.ts";
import { samplesOf } from "../annotation/samples.ts";
import { ConfigError } from "../base/errors.ts";
import { Frame } from "../base/frame.ts";
import { MISSING } from "./columns.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";

const NO_CATEGORIES = "There is no such column of categories. Give the place of one in the list of columns.";
const MIXED = "These columns can't be compared: a sample has cells of both values, or none is left. Choose other samples.";

export interface Asked {
  // Place of the column among those kept, and of two of its values.
  column: number;
  first: number;
  second: number;
  // Place of the column of samples; the cells of a value are one sample if null.
  samples: number | null;
}

// Compares the types of the cells that have one value of a column with those that have another.
export function changes(results: Results, { column, first, second, samples }: Asked, keptN: ArrayLike<number>): Record<string, unknown> {
  const { names, codeN } = categoryColumn(results, column);
  if (first === second || Math.max(first, second) >= names.length) {
    throw new Refusal(422, `Give two different values of the column, from 0 to ${names.length - 1}.`);
  }
  const pair = [names[first], names[second]], by = samples === null ? null : categoryColumn(results, samples);
  const conditionK: number[] = [], sampleK: number[] = [], answerK: number[] = [], answerN = results.answers();
  for (let n = 0; n < codeN.length; n += 1) {
    const place = codeN[n] === first ? 0 : codeN[n] === second ? 1 : -1;
    const sample = by === null ? place : by.codeN[n] === MISSING ? -1 : by.codeN[n];
    if (!keptN[n] || place < 0 || sample < 0) continue;
    conditionK.push(place);
    sampleK.push(sample);
    answerK.push(answerN[n]);
  }
  const obs = new Frame(sampleK.map(String), new Map([
    ["condition", { kind: "category", codes: Int32Array.from(conditionK), categories: pair }],
    ["sample", { kind: "category", codes: Int32Array.from(sampleK), categories: by === null ? pair : by.names }],
  ]));
  const { nodes, nodeNames } = results.bundle;
  return plain(differences(countTypes(found(obs), Int32Array.from(answerK), nodes, nodeNames)), pair);
}

function found(obs: Frame): ReturnType<typeof samplesOf> {
  try {
    return samplesOf(obs, "sample", "condition", "the file");
  } catch (error) {
    if (error instanceof ConfigError) throw new Refusal(422, MIXED);
    throw error;
  }
}

// The values of a kept column of categories and each cell's place among them, or a refusal.
export function categoryColumn(results: Results, place: number): { names: string[]; codeN: Uint16Array } {
  const column = results.shown.columns.columns[place];
  if (column === undefined || column.categories === null) throw new Refusal(404, NO_CATEGORIES);
  return { names: column.categories, codeN: column.values as Uint16Array };
}

// Differences as plain values, in the order that was asked for.
function plain(told: Differences, pair: string[]): Record<string, unknown> {
  const isForward = isSame(told.conditions, pair);
  if (!isForward && !isSame(told.conditions, [pair[1], pair[0]])) throw new Refusal(422, MIXED);
  const number = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const rows = told.table.map((row) => ({
    term: row.term,
    type: row.cell_type,
    first: isForward ? row.share_first : row.share_second,
    second: isForward ? row.share_second : row.share_first,
    low: number(isForward ? row.low : -row.high),
    high: number(isForward ? row.high : -row.low),
    p: number(row.p),
    q: number(row.q),
  }));
  return {
    samples: isForward ? [...told.samples] : [...told.samples].reverse(),
    method: told.tested ? METHOD : null,
    changes: rows,
    notes: [...told.notes],
    states: [...told.states],
  };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean => one.length === other.length && one.every((word, at) => word === other[at]);
