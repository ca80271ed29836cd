// Genes by type and by the values of a column: a dot plot with a row for each type and value, and the same as a table.

import { colour, el, svg } from "./dom.js";
import { BIG, SHADES, STEP, TOP, frame, key, row, text } from "./dotplot.js";
import { ramp } from "./groups.js";
import { csv } from "./keep.js";
import { typeName } from "./named.js";
import { counted, percent } from "./words.js";

const LABEL = 160;
const VALUE = 66;
const LETTERS = 9;
const GAP = 8;

const fitting = (name) => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);

// `found`: as the server gives it; `types`: {index: type}. Rows: a type, its values below each other.
export function splitRows({ types: told, values, cells }, types) {
  return told.flatMap((index, t) => values.map((value, v) => ({ type: { ...types.get(index), number: index + 1 }, t, v, value, cells: cells[t][v] })));
}

export function splitPlot({ genes, values }, rows) {
  const most = Math.max(...genes.flatMap(({ mean }) => mean.flat()), 1e-9);
  const shades = ramp(SHADES);
  const y = ({ t, v }) => TOP + (t * values.length + v) * STEP + t * GAP;
  const left = LABEL + VALUE;
  const end = rows.length ? y(rows.at(-1)) : TOP;
  const dots = genes.flatMap(({ symbol, share, mean }, k) => rows.map((one) => one.cells > 0 && svg("circle", {
    cx: left + k * STEP + STEP / 2, cy: y(one), r: BIG * Math.sqrt(share[one.t][one.v]), stroke: "none",
    fill: shades[Math.min(Math.floor((mean[one.t][one.v] / most) * SHADES), SHADES - 1)],
  }, svg("title", {}, `${symbol}, ${one.type.name}, ${one.value}: in ${percent(share[one.t][one.v])} of ${counted(one.cells, "cell")}, mean ${mean[one.t][one.v].toFixed(2)}`))).filter(Boolean));
  const names = genes.map(({ symbol }, k) => {
    const x = left + k * STEP + STEP / 2 + 3;
    return text(x, TOP - 16, symbol, { transform: `rotate(-55 ${x} ${TOP - 16})`, "font-style": "italic" });
  });
  const wide = left + genes.length * STEP;
  const lines = rows.filter(({ t, v }) => t > 0 && v === 0).map((one) => svg("path", { d: `M0 ${y(one) - (STEP + GAP) / 2}H${wide}`, stroke: colour("--line"), "stroke-width": 1 }));
  const heads = rows.filter(({ v }) => v === 0).flatMap((one) => row(one.type, y(one)));
  const marks = rows.map((one) => svg("g", {}, svg("title", {}, `${one.value}: ${counted(one.cells, "cell")}`), text(LABEL, y(one) + 4, fitting(one.value), { fill: colour("--dim"), "font-size": 11 })));
  const label = `${genes.length} genes in ${rows.length} parts of the types: the size of a dot is the share of cells that have the gene, its colour the mean. The table below has the numbers.`;
  return frame(Math.max(wide + 44, 330), end + 86, label, ...lines, ...heads, ...marks, ...names, ...dots, ...key(end + 24, most, shades));
}

// What isn't in the plot, in a sentence; nothing where it has all.
export function leftOut({ types_left_out: types, values_left_out: values, types: told, values: names }, column) {
  const parts = [types > 0 && `the ${told.length} commonest of ${counted(told.length + types, "type")}`, values > 0 && `the ${names.length} commonest of ${names.length + values} values of ${column}`].filter(Boolean);
  return parts.length ? `Shown are ${parts.join(", and ")}.` : "";
}

export const splitCsv = ({ genes }, rows, column) => csv([["gene", "ensembl_id", "type", "ontology_term_id", column, "cells", "share", "mean_log_normalised"],
  ...genes.flatMap((gene) => rows.map(({ type, t, v, value, cells }) => [gene.symbol, gene.id, type.name, type.term, value, cells, gene.share[t][v], gene.mean[t][v]]))]);

export const splitTable = ({ genes }, rows, column) => el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": `Table of genes by type and ${column}` },
  el("table", { class: "types matrix" },
    el("caption", { class: "small" }, `Share of cells with the gene, and mean of its log-normalised counts; ${counted(genes.length, "gene")}.`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Type"), el("th", { scope: "col" }, el("bdi", {}, column)), ...genes.map(({ symbol }) => el("th", { scope: "col" }, symbol)))),
    el("tbody", {}, ...rows.map(({ type, t, v, value, cells }) => el("tr", {}, el("th", { scope: "row" }, typeName(type)), el("td", {}, el("bdi", {}, value)),
      ...genes.map(({ share, mean }) => el("td", {}, ...(cells ? [percent(share[t][v]), el("small", {}, mean[t][v].toFixed(2))] : ["–"]))))))));
