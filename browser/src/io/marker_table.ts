// A user's table of the markers of types.
// The table has a column of types, cell_type_ontology_term_id or cell_type, and a column gene. A column direction may say
// which genes a type has more of (up); others don't count. Further columns are for its readers.

import { CsvError, csvRows } from "../base/csv.ts";
import { ConfigError } from "../base/errors.ts";
import { strip } from "../base/text.ts";
import { repr } from "../base/words.ts";
import { type Markers, markersOf } from "../biology/markers.ts";
import type { Vocabulary } from "../biology/vocabulary.ts";
import { LABEL } from "../keys.ts";

const GENE = "gene", DIRECTION = "direction", NAME = "cell_type";

// Reads the markers of types from the text of a table, separated by tabs, commas or semicolons; name is how messages call it.
export function markersIn(table: string, name: string, vocabulary: Vocabulary): Markers {
  let markers: Markers;
  try {
    markers = markersOf(rowsOf(table, name), vocabulary);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ConfigError(`${name} can't be read as a table of markers: ${error.message}.`);
  }
  if (!markers.genesOf.size) {
    throw new ConfigError(
      `${name} names no marker that is understood; types are needed by id or name, such as 'CL:0000084' or ` +
      "'T cell', and genes by symbol or Ensembl id.",
    );
  }
  return markers;
}

// Type, gene and direction of each row; an id goes before a name.
function* rowsOf(table: string, name: string): Generator<[string, string, string]> {
  const lines = table.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  const counts = ["\t", ",", ";"].map((mark) => (lines[0] ?? "").split(mark).length);
  const delimiter = ["\t", ",", ";"][counts.indexOf(Math.max(...counts))];
  const rows = csvRows(lines, delimiter, true), columns = rows.next().value?.row ?? [];
  if (!columns.length) throw new CsvError("it is empty");
  const at = (column: string) => columns.lastIndexOf(column);
  const types = [LABEL, NAME].map(at).filter((place) => place >= 0), gene = at(GENE), direction = at(DIRECTION);
  if (gene < 0 || !types.length) {
    throw new ConfigError(
      `${name} has no column ${repr(gene < 0 ? GENE : LABEL)}; a table of markers needs ${repr(GENE)}, and ${repr(LABEL)} or ${repr(NAME)}.`,
    );
  }
  for (const { row, line } of rows) {
    if (row.length > columns.length) throw new CsvError(`line ${line} has ${row.length} values for ${columns.length} columns`);
    if (!row.length) continue;
    const told = (place: number) => row[place] ?? "";
    const kind = told(types.find((place) => strip(told(place))) ?? -1);
    yield [kind, told(gene), direction < 0 ? "" : told(direction)];
  }
}
