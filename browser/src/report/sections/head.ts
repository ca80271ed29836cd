// The head of the report: how many cells have a type, the broad types as one bar, and five numbers.

import type { Annotation } from "../../annotation/result.ts";
import { median } from "../../base/arrays.ts";
import { GREY } from "../../biology/palette.ts";
import { UNKNOWN } from "../../keys.ts";
import { listed } from "../html.ts";
import type { Lineage, Part } from "./composition.ts";

// Share of the cells from which on a broad type is named below the bar.
const NAMED_FROM = 0.02;

export function head(annotation: Annotation, lineages: Lineage[]) {
  const scores = annotation.scoreN.filter((_, n) => annotation.answerN[n] >= 0);
  const { match } = annotation.findings, total = annotation.answerN.length, unknown = total - scores.length;
  const parts: Part[] = lineages.map(({ short, cells, color, name }) => ({ name: short, cells, color, full: name }));
  if (unknown) parts.push({ name: UNKNOWN, cells: unknown, color: GREY, full: "" });
  return {
    total, named: scores.length, unknown, parts,
    types: lineages.reduce((sum, { rows }) => sum + rows.length, 0),
    median: scores.length ? median(scores) : null,
    genes_found: match.nFound,
    genes_known: match.measuredG.length,
    changed: annotation.changed,
    cautions: listed(annotation.cautions.map(({ text }) => text)),
    main_parts: parts.filter(({ cells }) => cells >= NAMED_FROM * total),
  };
}
