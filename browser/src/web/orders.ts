// What a body or a query orders: a set of cells, a name for them, a shared page.

import { strip } from "../base/text.ts";
import type { SampleCounts } from "./across.ts";
import { type Fields, fields, listField, text, textField, whole, wholeField, wholesField } from "./asked.ts";
import { MOST_COLUMNS } from "./columns.ts";
import { Refusal } from "./refusal.ts";
import type { Chosen } from "./selection.ts";
import type { ShareOrder } from "./share.ts";

// Letters that may say which cells are chosen: more than a million cells take.
const MOST_BITS = 200_000;
const SET = ["types", "group", "cells"];
// Of a type in a sample.
const MOST_CELLS = 1e9;
// Genes and columns of a shared page.
const MOST_GENES = 61, MOST_SHARED = 10, LONGEST_VIEW = 20_000;

export const chosenOf = (body: unknown): Chosen => fields(body, SET, chosen);

function chosen(told: Fields): Chosen {
  return { types: wholesField(told, "types"), group: wholeField(told, "group", 65534), cells: textField(told, "cells", MOST_BITS) };
}

export const givenName = (body: unknown): { chosen: Chosen; name: string } =>
  fields(body, [...SET, "name"], (told) => ({ chosen: chosen(told), name: nameOf(told) }));

function nameOf(told: Fields): string {
  const given = textField(told, "name", Infinity);
  if (given === null) throw new Refusal(422, "name: Field required.");
  const name = text("name", strip(given), 100);
  if (!name) throw new Refusal(422, "name: String should have at least 1 character.");
  if (/[\x00-\x1f\x7f]/.test(name)) throw new Refusal(422, "name: String should match pattern '^[^\\x00-\\x1f\\x7f]+$'.");
  return name;
}

// Samples of several files that are compared, and what their conditions are called together.
export const acrossOrder = (body: unknown): { condition: string; samples: SampleCounts[] } =>
  fields(body, ["condition", "samples"], (told) => ({ condition: textField(told, "condition", 200) ?? "", samples: listField(told, "samples", 1000).map(sampleCounts) }));

const sampleCounts = (body: unknown): SampleCounts =>
  fields(body, ["name", "condition", "cells"], (told) => ({
    name: textField(told, "name", 400) ?? "",
    condition: textField(told, "condition", 200) ?? "",
    cells: fields(told.cells, Object.keys((told.cells ?? {}) as Fields), (cells) => new Map(Object.keys(cells).map((term) => [term, wholeField(cells, term, MOST_CELLS) ?? 0]))),
  }));

export const shareOrder = (given: unknown): ShareOrder =>
  given instanceof URLSearchParams ? order(ofQuery(given)) : fields(given, ["view", "gene", "column", "map", "cell", "cells", "name"], order);

function order(told: Fields): ShareOrder {
  const genes = (told.gene ?? []) as unknown[], columns = wholesField(told, "column", MOST_COLUMNS + 10) ?? [];
  for (const [name, list, most] of [["gene", genes, MOST_GENES], ["column", columns, MOST_SHARED]] as const) {
    if (list.length > most) throw new Refusal(422, `${name}: List should have at most ${most} items after validation, not ${list.length}.`);
  }
  return {
    view: textField(told, "view", LONGEST_VIEW) ?? "",
    gene: genes.map((gene, at) => text(`gene.${at}`, String(gene), 100)),
    column: columns,
    map: wholeField(told, "map", MOST_COLUMNS),
    cell: wholeField(told, "cell", Infinity),
    cells: textField(told, "cells", MOST_BITS),
    name: textField(told, "name", 400) ?? "Selection",
  };
}

function ofQuery(query: URLSearchParams): Fields {
  const number = (name: string): number | null => (query.has(name) ? whole(name, query.get(name), 0, Infinity) : null);
  return { view: query.get("view"), gene: query.getAll("gene"), column: query.getAll("column").map((at) => whole("column", at, 0, MOST_COLUMNS + 10)), map: number("map"), cell: number("cell") };
}
