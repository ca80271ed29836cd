// Several genes by type: a dot plot with its table, and the spread of one gene.

import * as api from "./api.js";
import { $, el } from "./dom.js";
import { dotPlot, violins } from "./dotplot.js";
import { csv, keep } from "./keep.js";
import { typeName } from "./named.js";
import { pictureButtons } from "./pictures.js";
import { leftOut, splitCsv, splitPlot, splitRows, splitTable } from "./splitplot.js";
import { counted, percent } from "./words.js";

const MOST = 60;
let redraw = null;
let compared = [];

// The genes of the dot plot that is open.
export const comparedGenes = () => compared;

window.addEventListener("theme", () => redraw?.());
// The filters leave other cells: what is drawn is asked for anew.
window.addEventListener("filtered", () => { if (redraw) $("gene-list").requestSubmit(); });

// `columns`: those of categories, by which types can be split; `likely` of them is offered first.
export function startGenes(id, summary, { onGene, columns, likely }) {
  redraw = null;
  compared = [];
  $("by-type").replaceChildren();
  $("spread").replaceChildren();
  $("compared").value = "";
  offerSplit(columns, likely);
  const rows = rowsOf(summary);
  let asked = null;
  $("gene-list").onsubmit = async (event) => {
    event.preventDefault();
    const words = [...new Set($("compared").value.split(/[\s,;]+/).filter(Boolean))];
    if (!words.length) return;
    const mine = (asked = {});
    $("spread").replaceChildren();
    try {
      const column = columns.find(({ key }) => key === $("split-by").value);
      const found = await (column ? api.splitExpression(id, column.place, words.slice(0, MOST)) : api.expression(id, words.slice(0, MOST)));
      if (mine === asked) show(found, words.length, column);
    } catch (error) {
      redraw = null;
      $("by-type").replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
    }
  };

  let shown = null; // the spread, so that it is drawn anew in other colours

  function show(found, n, column) {
    const { genes, unknown } = found;
    shown = null;
    compared = genes.map(({ symbol }) => symbol);
    const draw = () => $("by-type").replaceChildren(...[
      unknown.length > 0 && el("p", { class: "warning" }, `Not measured here, or several genes may be meant: ${unknown.join(", ")}.`),
      n > MOST && el("p", { class: "warning" }, `The first ${MOST} of ${n} are compared.`),
      ...(genes.length ? (column ? plotSplit(found, column) : plot(found)) : []),
    ].filter(Boolean));
    redraw = () => { draw(); if (shown) drawSpread(); };
    draw();
  }

  function plot({ genes, cells }) {
    const picture = dotPlot(genes, rows);
    return [
      el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": "Dot plot" }, picture),
      el("p", { class: "small genes" }, "Spread by type, and on the map: ", ...genes.map((gene) =>
        el("button", { type: "button", class: "plainly gene", onclick: () => press(gene) }, gene.symbol))),
      pictureButtons(() => picture, "genes", [el("button", { type: "button", class: "button", onclick: () => keep(table(genes, cells), "genes.csv", "text/csv") }, "Save CSV")]),
      el("details", {}, el("summary", {}, "As a table"), tableOf(genes)),
    ];
  }

  function plotSplit(found, { name }) {
    const parts = splitRows(found, new Map(summary.types.map((type) => [type.index, type])));
    const picture = splitPlot(found, parts);
    const rest = leftOut(found, name);
    return [
      rest && el("p", { class: "small" }, rest),
      el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": `Dot plot by type and ${name}` }, picture),
      pictureButtons(() => picture, "genes", [el("button", { type: "button", class: "button", onclick: () => keep(splitCsv(found, parts, name), "genes.csv", "text/csv") }, "Save CSV")]),
      el("details", {}, el("summary", {}, "As a table"), splitTable(found, parts, name)),
    ].filter(Boolean);
  }

  async function press(gene) {
    onGene(gene.symbol);
    const mine = (asked = {});
    try {
      const spread = await api.spread(id, gene.symbol);
      if (mine !== asked) return;
      shown = { spread, gene };
      drawSpread();
      $("spread").scrollIntoView({ block: "nearest" });
    } catch (error) {
      $("spread").replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
    }
  }

  function drawSpread() {
    const { spread, gene } = shown;
    const picture = violins(spread, rows, (at) => gene.share[at]);
    $("spread").replaceChildren(el("h3", {}, `${gene.symbol} by type`),
      el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": `Spread of ${gene.symbol}` }, picture),
      el("p", { class: "small" }, "The share of cells that have the gene, and how much of it they have. Each shape is as wide as its own commonest value."),
      pictureButtons(() => picture, gene.symbol));
  }

  const table = (genes, cells) => csv([["gene", "ensembl_id", "type", "ontology_term_id", "cells", "share", "mean_log_normalised"],
    ...genes.flatMap((gene) => rows.map((kind) => [gene.symbol, gene.id, kind.name, kind.term, cells[kind.at], gene.share[kind.at], gene.mean[kind.at]]))]);

  const tableOf = (genes) => el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": "Table of genes by type" },
    el("table", { class: "types matrix" },
      el("caption", { class: "small" }, `Share of cells with the gene, and mean of its log-normalised counts; ${counted(genes.length, "gene")}.`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Type"), ...genes.map(({ symbol }) => el("th", { scope: "col" }, symbol)))),
      el("tbody", {}, ...rows.map((kind) => el("tr", {}, el("th", { scope: "row" }, typeName(kind)),
        ...genes.map(({ share, mean }) => el("td", {}, percent(share[kind.at]), el("small", {}, mean[kind.at].toFixed(2)))))))));
}

function offerSplit(columns, likely) {
  const first = [likely, ...columns.filter((column) => column !== likely)].filter(Boolean);
  $("split-by").replaceChildren(el("option", { value: "" }, "type alone"), ...first.map(({ name, key }) => el("option", { value: key }, `type and ${name}`)));
  $("split-choice").hidden = !columns.length;
  $("split-by").onchange = () => { if ($("compared").value.trim()) $("gene-list").requestSubmit(); };
}

// Genes that were found elsewhere on the page, also by the column that is offered first.
export function compareGenes(symbols) {
  $("compared").value = symbols.join(", ");
  if (!$("split-by").value && $("split-by").options.length > 1) $("split-by").selectedIndex = 1;
  $("gene-list").requestSubmit();
}

// Types in the order of the table, the unknown last.
export function rowsOf({ types, unknown }) {
  const rows = types.filter(({ cells }) => cells).map((type, k) => ({ ...type, at: type.index, number: k + 1 }));
  return unknown.cells ? [...rows, { at: types.length, number: "?", name: "unknown", term: "unknown", color: "#9a9a9a", cells: unknown.cells }] : rows;
}
