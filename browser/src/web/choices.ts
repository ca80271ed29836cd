// Which columns of an upload can tell groups, samples and conditions: what the form before a run offers.

import { ConfigError } from "../base/errors.ts";
import type { Frame } from "../base/frame.ts";
import { comma, repr } from "../base/words.ts";
import { AUTO } from "../annotation/groups.ts";
import { valuesOf } from "../annotation/samples.ts";
import { sharedColumns } from "../biology/columns.ts";

// Values of a column that are told, and letters of one.
const SHOWN = 6, LONGEST = 60;
// Columns of two values for which it is looked which columns can tell their samples.
const MOST_CONDITIONS = 24;

export interface Choice {
  name: string;
  values: string[];
  n_values: number;
  // Columns that can tell the samples where this one is the condition; null for one that can't be the condition.
  samples: string[] | null;
}

export function choices(obs: Frame): Choice[] {
  const found = new Map(sharedColumns(obs).map((name) => [name, valuesOf(obs, name, "the table")]));
  const pairs = [...found].filter(([, [values]]) => values.length === 2).map(([name]) => name).slice(0, MOST_CONDITIONS);
  return [...found].map(([name, [values, codes]]) => ({
    name,
    values: values.slice(0, SHOWN).map((value) => [...value].slice(0, LONGEST).join("")),
    n_values: values.length,
    samples: pairs.includes(name) ? [...found.keys()].filter((by) => isWithin(found.get(by)![1], codes)) : null,
  }));
}

// Whether no sample has cells of both conditions.
function isWithin(samples: ArrayLike<number>, conditions: ArrayLike<number>): boolean {
  const of = new Map<number, number>();
  for (let i = 0; i < samples.length; i += 1) {
    if (samples[i] < 0 || conditions[i] < 0) continue;
    if ((of.get(samples[i]) ?? conditions[i]) !== conditions[i]) return false;
    of.set(samples[i], conditions[i]);
  }
  return true;
}

export interface Columns {
  groups: string | null;
  by: string | null;
  condition: string | null;
}

// Refuses columns that the check of a file didn't find, or that can't be what an order takes them for.
export function checkColumns(order: Columns, findings: { columns: string[]; choices: Choice[] }, name: string): void {
  for (const column of [order.groups === AUTO ? null : order.groups, order.by, order.condition]) {
    if (column !== null && !findings.columns.includes(column)) {
      throw new ConfigError(`${name} has no column ${repr(column)} that can tell groups or samples; it has ${listed(findings.columns)}.`);
    }
  }
  if (order.condition === null) return;
  if (order.by === null) {
    throw new ConfigError("two conditions are compared between samples; choose the column that says from which sample each cell is.");
  }
  const told = findings.choices.find((choice) => choice.name === order.condition)!;
  if (told.samples === null) {
    throw new ConfigError(
      `the column ${repr(order.condition)} has ${comma(told.n_values)} values (${listed(told.values)}); two ` +
      "conditions are compared. Choose a column that has two.",
    );
  }
  if (!told.samples.includes(order.by)) {
    throw new ConfigError(
      `a sample of ${repr(order.by)} has cells of both ${told.values.map(repr).join(" and ")} in ` +
      `${repr(order.condition)}; a sample has one condition. Columns that tell such samples: ` +
      `${listed(told.samples)}.`,
    );
  }
}

const listed = (names: string[]): string => names.map(repr).join(", ") || "none";
