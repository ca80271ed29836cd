// What each sample holds, as a bar of its types, and how two conditions differ.

import type { Composition } from "../../annotation/composition.ts";
import { FEWEST_CELLS, type Differences } from "../../annotation/differences.ts";
import type { Annotation } from "../../annotation/result.ts";
import { argsort } from "../../base/arrays.ts";
import { GREY } from "../../biology/palette.ts";
import { shortName } from "../../biology/short_names.ts";
import { UNKNOWN } from "../../keys.ts";
import { listed } from "../html.ts";
import type { Lineage, Part } from "./composition.ts";

// Samples that have a bar.
const SHOWN = 24;
// Samples that have a column in the table of shares.
const IN_TABLE = 8;
// Types that have a part of their own in a bar and a row in the table; the others are summed.
const TYPES = 15;
// Types that are listed as different.
const COMPARED = 15;
// Colour of the other types together.
export const OTHERS = "var(--line)";

type Colour = (term: string) => string;

export function sampleView(annotation: Annotation, lineages: Lineage[]) {
  const { samples, differences: found } = annotation;
  if (samples === null) return null;
  const composition = annotation.bySample!, colour: Colour = (term) => annotation.colors.of(term);
  const own = ownParts(composition, lineages);
  const bars = composition.samples.slice(0, SHOWN).map((_, place) => barOf(composition, place, own, colour));
  bars.forEach((bar, place) => { if (!["", bar.name, bars[place - 1]?.condition].includes(bar.condition)) bar.heading = bar.condition; });
  const cellsOf = (name: string) => bars.flatMap(({ parts }) => parts).filter((part) => part.name === name).map(({ cells }) => cells);
  const inTable = Math.min(samples.names.length, IN_TABLE);
  return {
    by: samples.by || annotation.findings.source,
    n_samples: samples.names.length,
    condition: samples.condition,
    bars,
    columns: bars.slice(0, inTable),
    in_table: inTable,
    rows: rowsOf(composition, colour),
    key: bars[0].parts.filter(({ name }) => cellsOf(name).some(Boolean)),
    changes: found === null ? null : listed(changesOf(found, colour)),
    differences: found === null ? null : { conditions: found.conditions, tested: found.tested, notes: found.notes },
    fewest: FEWEST_CELLS,
  };
}

// Places of the types with parts of their own, those of one broad type beside each other.
function ownParts({ sharesSt, terms, samples }: Composition, lineages: Lineage[]): number[] {
  const mean = new Float64Array(terms.length - 1);
  for (let s = 0; s < samples.length; s += 1) for (let t = 0; t < mean.length; t += 1) mean[t] += sharesSt[s * terms.length + t] / samples.length;
  const chosen = [...argsort(mean.map((share) => -share))].slice(0, TYPES);
  const order = new Map(lineages.flatMap(({ rows }) => rows).map(({ term }, number) => [term, number]));
  return chosen.sort((one, other) => order.get(terms[one])! - order.get(terms[other])!);
}

function barOf({ samples, conditions, cellsSt, terms, names }: Composition, sample: number, own: number[], colour: Colour) {
  const cells = cellsSt.subarray(sample * terms.length, (sample + 1) * terms.length);
  const unknown = cells[cells.length - 1], total = cells.reduce((sum, one) => sum + one, 0);
  const parts: Part[] = own.map((place) => ({ name: shortName(terms[place]), cells: cells[place], color: colour(terms[place]), full: names[place] }));
  const others = total - unknown - parts.reduce((all, part) => all + part.cells, 0);
  parts.push({ name: "other types", cells: others, color: OTHERS, full: "" }, { name: UNKNOWN, cells: unknown, color: GREY, full: "" });
  return { name: samples[sample], condition: conditions[sample], cells: total, parts, heading: "" };
}

function rowsOf(composition: Composition, colour: Colour) {
  const { samples, terms, names } = composition, shown = new Set(samples.slice(0, IN_TABLE));
  const table = composition.table().filter(({ sample }) => shown.has(sample));
  return [...terms.slice(0, -1).slice(0, TYPES), UNKNOWN].map((term) => ({
    name: shortName(term),
    full: names[terms.indexOf(term)],
    color: colour(term),
    shares: table.filter((row) => row.term === term).map(({ share, low, high }) => [share, low, high]),
  }));
}

function changesOf({ table }: Differences, colour: Colour) {
  return table.slice(0, COMPARED).map((row) => ({
    name: shortName(row.term),
    full: row.cell_type,
    color: colour(row.term),
    first: row.share_first,
    second: row.share_second,
    bounds: Number.isNaN(row.low) ? null : [row.low, row.high],
    p: Number.isNaN(row.p) ? null : row.p,
    q: Number.isNaN(row.q) ? null : row.q,
  }));
}
