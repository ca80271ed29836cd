// What several files hold, side by side: a bar for each, cut by broad types in shared colours, and the same as a table.

import { barFigure } from "./barfigure.js";
import { $, el } from "./dom.js";
import { csv, keep } from "./keep.js";
import { pictureButtons } from "./pictures.js";
import { addressOf } from "./reach.js";
import { counted, number, percent } from "./words.js";

const MOST = 12;
const REST = { term: "rest", name: "other types", color: "var(--edge)" };
const UNKNOWN = { term: "unknown", name: "unknown", color: "var(--unknown)" };

// `files`: [{name, job, summary}]
export function showShares(files) {
  $("batch-types").hidden = files.length < 2;
  if (files.length < 2) return;
  const kinds = kindsOf(files);
  const rows = files.map(({ name, job, summary }) => ({ name, id: job.id, cells: summary.cells, parts: partsOf(summary, kinds) }));
  $("batch-bars").replaceChildren(...rows.map(({ name, id, cells, parts }) => el("li", {},
    el("a", { href: addressOf(id) }, name), el("span", { class: "value" }, counted(cells, "cell")),
    el("span", { class: "cut", "aria-hidden": "true" }, ...kinds.map(({ name: kind, color }, at) =>
      parts[at] > 0 && el("i", { title: `${kind}: ${number(parts[at])}, ${percent(parts[at] / cells)}`, style: { background: color, "flex-grow": parts[at] } })).filter(Boolean)))));
  $("batch-key").replaceChildren(...kinds.map(({ name, color }) => el("li", {}, el("i", { class: "dot", style: { background: color } }), name)));
  if (!$("batch-save").contains(document.activeElement)) $("batch-save").replaceChildren(saving(rows, kinds));
  $("batch-table").replaceChildren(
    el("caption", { class: "hidden" }, "Share of each broad type in each file"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Type"), ...rows.map(({ name }) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, ...kinds.map(({ name }, at) => el("tr", {}, el("th", { scope: "row" }, name),
      ...rows.map(({ parts, cells }) => el("td", {}, percent(parts[at] / cells), el("small", {}, number(parts[at]))))))));
}

// The bars as a figure, and the cells of each file and type as a table.
function saving(rows, kinds) {
  const bars = rows.map(({ name, cells, parts }) => ({ name, note: counted(cells, "cell"), parts: kinds.map(({ name: kind, color }, at) => ({ name: kind, color, cells: parts[at] })) }));
  const table = () => csv([["file", "cell_type", "ontology_term_id", "cells", "share"],
    ...rows.flatMap(({ name, cells, parts }) => kinds.map((kind, at) => [name, kind.name, /^CL:/.test(kind.term) ? kind.term : "", parts[at], parts[at] / cells]))]);
  return pictureButtons(() => barFigure("Composition by file", bars), "composition", [
    el("button", { type: "button", class: "button", onclick: () => keep(table(), "composition.csv", "text/csv") }, "Save CSV")]);
}

const broad = ({ levels }) => levels.find(({ name }) => name === "broad").groups;

// The broad types that are commonest over all files, then the others together, then unknown; those that occur.
function kindsOf(files) {
  const of = new Map();
  for (const { summary } of files) {
    for (const { term, name, color, cells } of broad(summary)) {
      of.set(term, { term, name, color, share: (of.get(term)?.share ?? 0) + cells / summary.cells });
    }
  }
  const kinds = [...of.values()].sort((a, b) => b.share - a.share);
  const all = [...kinds.slice(0, MOST), REST, UNKNOWN];
  return all.filter((_, at) => files.some(({ summary }) => partsOf(summary, all)[at] > 0));
}

function partsOf(summary, kinds) {
  const of = new Map(broad(summary).map(({ term, cells }) => [term, cells]));
  const named = kinds.reduce((sum, { term }) => sum + (of.get(term) ?? 0), 0);
  const rest = summary.cells - summary.unknown.cells - named;
  return kinds.map(({ term }) => (term === REST.term ? rest : term === UNKNOWN.term ? summary.unknown.cells : of.get(term) ?? 0));
}
