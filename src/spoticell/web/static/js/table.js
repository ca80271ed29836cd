// The table of types: counts and mean scores of the cells that are shown. A press highlights a type on the map.

import { $, el, inkOn } from "./dom.js";
import { number, percent, score } from "./words.js";

const COLUMNS = [
  { key: "name", text: "Type", up: true },
  { key: "cells", text: "Cells" },
  { key: "score", text: "Mean score", short: "Score" },
];

const order = { key: "cells", up: false };

// `rows`: {key, number, name, term, color, cells, score, share, isUnknown}
export function showTable(rows, { chosen, onPress, onSort }) {
  const focused = document.activeElement?.closest("#types [data-key]")?.dataset.key;
  $("types").tHead.replaceChildren(el("tr", {}, ...COLUMNS.map((column) => header(column, onSort))));
  const most = Math.max(...rows.map(({ cells }) => cells), 1);
  $("types").tBodies[0].replaceChildren(...[...rows].sort(compare).map((row) => line(row, chosen, most, onPress)));
  if (!rows.length) $("types").tBodies[0].append(el("tr", {}, el("td", { colspan: COLUMNS.length, class: "none" }, "No cell has such a low score.")));
  if (focused) $("types").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function compare(a, b) {
  if (a.isUnknown !== b.isUnknown) return a.isUnknown ? 1 : -1;
  const sign = order.up ? 1 : -1;
  if (order.key === "name") return sign * a.name.localeCompare(b.name, "en");
  return sign * ((a[order.key] ?? -1) - (b[order.key] ?? -1)) || a.name.localeCompare(b.name, "en");
}

function header({ key, text, short, up = false }, onSort) {
  const isOrder = order.key === key;
  const press = () => {
    order.up = isOrder ? !order.up : up;
    order.key = key;
    onSort();
  };
  const arrow = el("span", { class: "arrow", "aria-hidden": "true" }, isOrder ? (order.up ? " ↑ " : " ↓ ") : "");
  return el("th", { scope: "col", "aria-sort": isOrder ? (order.up ? "ascending" : "descending") : null },
    el("button", { type: "button", class: "plainly", onclick: press, "data-key": `by ${key}`, "aria-label": short ? text : null },
      ...(up ? [text, arrow] : [arrow, short ?? text])));
}

function line(row, chosen, most, onPress) {
  const isChosen = chosen === row.key;
  const badge = el("span", { class: "badge", "aria-hidden": "true", style: { background: row.color, color: inkOn(row.color) } }, row.number ?? "?");
  const name = el("button", { type: "button", class: "plainly name", "aria-pressed": String(isChosen), "data-key": row.key, onclick: () => onPress(row) },
    badge, el("span", {}, row.name));
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${(100 * row.cells) / most}%`, background: row.color } }));
  return el("tr", { class: isChosen ? "chosen" : null },
    el("th", { scope: "row" }, name, bar),
    el("td", {}, number(row.cells), el("small", {}, percent(row.share))),
    el("td", {}, row.score === null ? "–" : score(row.score)));
}
