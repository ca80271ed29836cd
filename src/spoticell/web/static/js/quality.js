// Counts, genes found and the share of mitochondrial counts, each with two ends: bad cells keep their names, but are
// left out of what the page counts.

import { $, el } from "./dom.js";
import { rangeOf } from "./range.js";

const MEASURES = ["counts", "genes found", "mitochondrial share"];

// Gives what shows the ends again when filters change elsewhere.
export async function startQuality(columns, onSet) {
  const measured = await Promise.all(MEASURES.map((name) => columns.ours(name)).filter(Boolean).map(({ key }) => columns.load(key)));
  $("quality").hidden = !measured.length;
  const ranges = measured.map((column) => ({ column, ...rangeOf(column, (rule) => onSet(column.key, rule)) }));
  const none = columns.ours("mitochondrial share") ? [] : [el("p", { class: "small" }, "The file has no mitochondrial genes, or all cells have the same share of them.")];
  $("quality-ranges").replaceChildren(...ranges.map(({ column, node }) => el("div", {}, el("h3", {}, column.name[0].toUpperCase() + column.name.slice(1)), node)), ...none);
  return (filters) => ranges.forEach(({ column, show }) => show(filters.state[column.key]));
}
