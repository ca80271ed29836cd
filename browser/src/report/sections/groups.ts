// The groups of cells: their names, how sure these are, and what sets each group apart.

import { AUTO } from "../../annotation/groups.ts";
import type { Annotation } from "../../annotation/result.ts";
import { listed } from "../html.ts";

// Groups in the table, the largest ones.
const SHOWN = 60;

export function groupTable(annotation: Annotation) {
  const found = annotation.groups;
  if (found === null) return null;
  const largest = new Set([...found.groups].sort((one, other) => other.cells - one.cells).slice(0, SHOWN));
  const shown = found.groups.filter((group) => largest.has(group));
  const { column, codeN } = found.grouping;
  return {
    column: column === AUTO ? null : column,
    shown: shown.map((group) => [
      {
        name: group.name, term: group.term, cell_type: group.cellType, cells: group.cells, share: group.share, score: group.score, novel: group.novel,
        second_term: group.secondTerm, second_cell_type: group.secondCellType, second_probability: group.secondProbability,
        genes: listed(group.genes.map(({ symbol, known }) => ({ symbol, known }))),
        // no index of references is at hand
        studies: null, tissues: null, agree: null,
      },
      annotation.colors.of(group.term),
    ]),
    n_more: found.groups.length - shown.length,
    n_novel: found.groups.filter(({ novel }) => novel === true).length,
    apart: codeN.filter((code) => code < 0).length,
    marked: found.groups.some(({ genes }) => genes.some(({ known }) => known)),
  };
}
