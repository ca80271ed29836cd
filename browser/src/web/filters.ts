// Which cells a reader's filters leave out.
//
// Filters are written as the page's address has them: {"file condition": {"keep": ["stim"]}, "run counts": {"low": 500,
// "high": null}}. A filter keeps some values of a column, or a range of its numbers; ends that are null are open, and ""
// stands for cells without a value. A cell is looked at if all filters keep it.
// Axis: n cells.

import { repr } from "../base/words.ts";
import { type KeptColumns, MISSING, MOST_COLUMNS } from "./columns.ts";
import { Refusal } from "./refusal.ts";

// Letters that filters may take.
export const LONGEST = 20_000;
const UNREADABLE = 'The filter can\'t be read. Write it as {"run counts": {"low": 500, "high": null}}.';

// What is kept of one column.
export interface Rule {
  keep?: string[] | null;
  low?: number | null;
  high?: number | null;
}

// Filters, by the columns that they are of; there are none in an empty text.
export function readRules(text: string): Map<string, Rule> {
  if (!text) return new Map();
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    throw new Refusal(422, UNREADABLE);
  }
  if (!isTable(told) || Object.keys(told).length > MOST_COLUMNS) throw new Refusal(422, UNREADABLE);
  return new Map(Object.entries(told).map(([key, rule]) => [key, readRule(rule)]));
}

function readRule(told: unknown): Rule {
  if (!isTable(told)) throw new Refusal(422, UNREADABLE);
  const rule: Rule = {};
  for (const [name, value] of Object.entries(told)) {
    if (name === "keep" && (value === null || (Array.isArray(value) && value.every((one) => typeof one === "string")))) rule.keep = value;
    else if (name === "low" || name === "high") rule[name] = readNumber(value);
    else throw new Refusal(422, UNREADABLE);
  }
  return rule;
}

// Numbers may stand in quotation marks, and yes and no are 1 and 0, as the server reads them.
function readNumber(value: unknown): number | null {
  if (value === null) return null;
  const isNumber = typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value));
  if (!isNumber || !Number.isFinite(Number(value))) throw new Refusal(422, UNREADABLE);
  return Number(value);
}

const isTable = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

// Of each cell whether filters keep it, as an address has them; all are kept where there are none.
export const keptCells = (kept: KeptColumns, text: string, nCells: number): Uint8Array => passing(kept, readRules(text), nCells);

// Of each cell whether the filters leave it out.
export const leftOut = (kept: KeptColumns, rules: Map<string, Rule>, nCells: number): Uint8Array =>
  passing(kept, rules, nCells).map((isKept) => 1 - isKept);

function passing(kept: KeptColumns, rules: Map<string, Rule>, nCells: number): Uint8Array {
  const keptN = new Uint8Array(nCells).fill(1);
  for (const [key, rule] of rules) {
    const column = kept.columns.findLast(({ name, isOurs }) => `${isOurs ? "run" : "file"} ${name}` === key);
    if (column === undefined) throw new Refusal(422, `There is no column ${repr([...key].slice(0, 200).join(""))} to filter by.`);
    if (column.categories === null) {
      // a cell without a number is in no range
      const low = rule.low ?? -Infinity, high = rule.high ?? Infinity;
      for (let n = 0; n < nCells; n += 1) if (!(column.values[n] >= low && column.values[n] <= high)) keptN[n] = 0;
    } else {
      const keep = new Set(rule.keep ?? []), keptC = column.categories.map((name) => keep.has(name)), isKeptWithout = keep.has("");
      for (let n = 0; n < nCells; n += 1) {
        const code = column.values[n];
        if (!(code === MISSING ? isKeptWithout : keptC[code])) keptN[n] = 0;
      }
    }
  }
  return keptN;
}
