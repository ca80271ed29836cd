// Share what is looked at: one HTML file for people who have neither this server nor the cells.

import * as api from "./api.js";
import { bits } from "./chosen.js";
import { $, el, say } from "./dom.js";
import { comparedGenes } from "./genes.js";
import { keep } from "./keep.js";
import { MAKER } from "./reach.js";
import { counted, number } from "./words.js";

// As many columns as the server takes.
const MOST = 10;

export function askShare(open) {
  const { look, summary } = open;
  const genes = [...new Set([look.gene?.symbol, ...comparedGenes()].filter(Boolean))];
  const columns = offered(open).map((column) => ({ column, box: el("input", { type: "checkbox", checked: open.mine.columns.looked.has(column.key) }) }));
  const refused = el("p", { class: "warning", role: "alert", hidden: true });
  const button = el("button", { class: "button main" }, "Save the page");
  const save = async (event) => {
    event.preventDefault();
    button.disabled = true;
    refused.hidden = true;
    try {
      const chosen = columns.filter(({ box }) => box.checked).map(({ column }) => column);
      keep(await api.share(open.job.id, orderOf(open, genes, chosen)), `${open.job.name.split(".")[0] || "cells"}.shared.html`, "text/html");
      $("share").close();
      say("The page is saved.");
    } catch (error) {
      refused.textContent = error.message;
      refused.hidden = false;
    } finally {
      button.disabled = false;
    }
  };
  $("share").replaceChildren(
    el("h2", { id: "share-title" }, "Share this view"),
    el("p", {}, `One HTML file that opens in any browser, without ${MAKER} and without the internet. Map, types and scores can be explored there as here.`),
    el("h3", {}, "This goes into it"),
    el("ul", { class: "small" },
      el("li", {}, `Place, type${summary.groups ? ", group" : ""} and score of ${counted(summary.cells, "cell")}, without their names`),
      el("li", {}, "The name of your file, and the settings of the run"),
      el("li", {}, genes.length ? `How much each cell has of ${genes.join(", ")}; counts of no other genes` : "No counts of genes: colour the map by one, or compare some, to take them along"),
      look.cell && el("li", {}, `The card of cell ${number(Number(look.cell))}, with the genes that stand out in it`),
      open.given.names.length > 0 && el("li", {}, "The names that you gave to cells")),
    el("form", { onsubmit: save },
      columns.length > 0 && el("fieldset", { class: "columns-to-share" }, el("legend", {}, "Columns; those that you looked at are ticked"), ...columns.map(({ column, box }) => el("label", {}, box, el("bdi", {}, column.name)))),
      el("p", { class: "small" }, "Whoever gets the file can read all that is in it."),
      refused,
      el("p", { class: "row" }, button, el("button", { type: "button", class: "button", onclick: () => $("share").close() }, "Close"))));
  $("share").showModal();
}

// Columns whose values the page has shown: those that matter most for the view, then others that the reader asked for,
// then those that the page shows by itself.
function offered({ look, mine }) {
  const { columns, filters } = mine;
  const first = [look.by === "column" && mine.column?.key, ...Object.keys(filters.state)];
  return [...new Set([...first.filter(Boolean), ...columns.looked, ...columns.loaded.keys()])].slice(0, MOST).map((key) => columns.byKey.get(key));
}

// What leaves the page is what was ticked: a filter by a column that stays here doesn’t go along.
function orderOf({ look, mine, cells }, genes, columns) {
  const view = new URLSearchParams(location.hash.slice(1));
  const keys = new Set(columns.map(({ key }) => key));
  if (look.by === "curated") view.set("by", "curated");
  if (!keys.has(view.get("column"))) view.delete("column");
  const rules = Object.entries(mine.filters.state).filter(([key]) => keys.has(key));
  if (rules.length) view.set("filter", JSON.stringify(Object.fromEntries(rules)));
  else view.delete("filter");
  const order = { view: String(view), gene: genes, column: columns.map(({ place }) => place) };
  if (mine.placed !== "") order.map = Number(mine.placed);
  if (look.cell) order.cell = Number(look.cell);
  const { chosen } = look;
  return chosen?.isPassing ? { ...order, cells: bits(Uint8Array.from({ length: cells.n }, (_, i) => Number(chosen.has(i)))), name: chosen.name } : order;
}
