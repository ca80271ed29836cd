// How many cells of each type a sample has, and how sure its shares are.
// Axes: s samples, t types, of which "unknown" is the last.

import { compare } from "../base/text.ts";
import { NORMAL_975 } from "../base/stats.ts";
import { UNKNOWN } from "../keys.ts";
import type { Samples } from "./samples.ts";

// Of the intervals of shares.
export const CONFIDENCE = 0.95;

export interface CompositionRow {
  sample: string;
  // Where samples have conditions.
  condition?: string;
  cell_type: string;
  term: string;
  cells: number;
  share: number;
  low: number;
  high: number;
}

// The cells of each type in each sample.
export class Composition {
  constructor(
    readonly samples: string[],
    // Condition of each sample, '' where there is none.
    readonly conditions: string[],
    // Answers that occur, commonest first, and "unknown".
    readonly terms: string[],
    // Of the answers.
    readonly names: string[],
    // Row by row.
    readonly cellsSt: Int32Array,
  ) {}

  // Cells of each sample.
  get totalS(): Int32Array {
    const types = this.terms.length;
    return Int32Array.from(this.samples, (_, s) => this.cellsSt.subarray(s * types, (s + 1) * types).reduce((sum, cells) => sum + cells, 0));
  }

  // Shares of the cells of each sample.
  get sharesSt(): Float64Array {
    const total = this.totalS, types = this.terms.length;
    return Float64Array.from(this.cellsSt, (cells, at) => cells / total[Math.floor(at / types)]);
  }

  // A row for each sample and type. `low` and `high` bound the share: they are its Wilson interval at 95 %. It says how far
  // the share would move if other cells of the sample had been measured; samples of one kind differ by more.
  table(): CompositionRow[] {
    const total = this.totalS, shares = this.sharesSt, types = this.terms.length, told = this.conditions.some(Boolean);
    return this.samples.flatMap((sample, s) =>
      this.terms.map((term, t) => {
        const at = s * types + t, [low, high] = interval(this.cellsSt[at], total[s]);
        const condition = told ? { condition: this.conditions[s] } : {};
        return { sample, ...condition, cell_type: this.names[t], term, cells: this.cellsSt[at], share: shares[at], low, high };
      }),
    );
  }
}

// Counts the cells of each type in each sample; cells of none are left out. `nodes` and `names` are those of the types.
export function countTypes(samples: Samples, answerN: Int32Array, nodes: readonly string[], names: readonly string[]): Composition {
  const width = nodes.length + 1, cellsSm = new Int32Array(samples.names.length * width);
  for (let i = 0; i < answerN.length; i += 1) {
    const sample = samples.sampleN[i];
    if (sample >= 0) cellsSm[sample * width + (answerN[i] < 0 ? nodes.length : answerN[i])] += 1;
  }
  return ordered(samples.names, samples.conditions, [...nodes, UNKNOWN], [...names, UNKNOWN], cellsSm);
}

// The samples of several compositions, those of one condition beside each other, with the types of all.
export function together(parts: readonly Composition[]): Composition {
  const nameOf = new Map(parts.flatMap(({ terms, names }) => terms.map((term, t): [string, string] => [term, names[t]])));
  nameOf.delete(UNKNOWN);
  nameOf.set(UNKNOWN, UNKNOWN);
  const terms = [...nameOf.keys()], column = new Map(terms.map((term, t) => [term, t]));
  const rows = parts.flatMap((part) => part.samples.map((sample, s) => {
    const cells = new Int32Array(terms.length);
    part.terms.forEach((term, t) => { cells[column.get(term)!] = part.cellsSt[s * part.terms.length + t]; });
    return { sample, condition: part.conditions[s], cells };
  }));
  const conditions = [...new Set(rows.map(({ condition }) => condition))].filter(Boolean);
  const rank = (condition: string): number => (conditions.includes(condition) ? conditions.indexOf(condition) : conditions.length);
  rows.sort((one, other) => rank(one.condition) - rank(other.condition));
  const cellsSt = Int32Array.from(rows.flatMap(({ cells }) => [...cells]));
  return ordered(rows.map(({ sample }) => sample), rows.map(({ condition }) => condition), terms, [...nameOf.values()], cellsSt);
}

// Types in order, unknown last, without those that don't occur.
function ordered(samples: string[], conditions: string[], terms: string[], names: string[], cellsSt: Int32Array): Composition {
  const width = terms.length, cellsT = new Float64Array(width);
  for (let at = 0; at < cellsSt.length; at += 1) cellsT[at % width] += cellsSt[at];
  const order = terms.slice(0, -1).flatMap((_, t) => (cellsT[t] ? [t] : [])).sort((a, b) => cellsT[b] - cellsT[a] || compare(names[a], names[b]) || a - b);
  order.push(width - 1);
  const cells = samples.flatMap((_, s) => order.map((t) => cellsSt[s * width + t]));
  return new Composition(samples, conditions, order.map((t) => terms[t]), order.map((t) => names[t]), Int32Array.from(cells));
}

// The Wilson interval of a share, after Wilson 1927.
export function interval(cells: number, total: number): [number, number] {
  const p = cells / total, z = NORMAL_975, scale = 2 * (total + z * z), middle = (2 * total * p + z * z) / scale;
  const half = (z * Math.sqrt(4 * total * p * (1 - p) + z * z)) / scale;
  return [cells === 0 ? 0 : middle - half, cells === total ? 1 : middle + half];
}
