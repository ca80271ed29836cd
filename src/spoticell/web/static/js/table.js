// The tables of types and of groups: counts, and how sure the answers are. A press highlights a row's cells on the map.

import { $, el, inkOn } from "./dom.js";
import { shortOf, typeName } from "./named.js";
import { number, percent, score } from "./words.js";

const TABLES = {
  types: {
    columns: [{ key: "name", text: "Type", up: true }, { key: "cells", text: "Cells" }, { key: "score", text: "Median score", short: "Score" }],
    order: { key: "cells", up: false },
    last: (row) => (row.score === null ? "–" : score(row.score)),
  },
  "groups-table": {
    columns: [{ key: "name", text: "Group", up: true }, { key: "cells", text: "Cells" }, { key: "agree", text: "Share" }],
    order: { key: "name", up: true },
    last: (row) => (row.agree ? percent(row.agree) : "–"),
  },
};

// `rows`: {key, name, color, cells, share, isUnknown}, of types {number, score}, of groups {title, agree, notes}
export function showTable(id, rows, { chosen, onPress, onSort }) {
  const focused = document.activeElement?.closest(`#${id} [data-key]`)?.dataset.key;
  const { columns, order, last } = TABLES[id];
  $(id).tHead.replaceChildren(el("tr", {}, ...columns.map((column) => header(column, order, onSort))));
  const most = Math.max(...rows.map(({ cells }) => cells), 1);
  const compare = inOrder(order);
  $(id).tBodies[0].replaceChildren(...[...rows].sort(compare).map((row) => line(row, last, chosen, most, onPress)));
  if (!rows.length) $(id).tBodies[0].append(el("tr", {}, el("td", { colspan: columns.length, class: "none" }, "No cell has such a low score.")));
  if (focused) $(id).querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

const byName = (a, b) => shortOf(a).localeCompare(shortOf(b), "en", { numeric: true });

const inOrder = ({ key, up }) => (a, b) => {
  if (a.isUnknown !== b.isUnknown) return a.isUnknown ? 1 : -1;
  const sign = up ? 1 : -1;
  if (key === "name") return sign * byName(a, b);
  return sign * ((a[key] ?? -1) - (b[key] ?? -1)) || byName(a, b);
};

function header({ key, text, short, up = false }, order, onSort) {
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

function line(row, last, chosen, most, onPress) {
  const isChosen = chosen === row.key;
  const badge = row.title
    ? el("i", { class: "dot", "aria-hidden": "true", style: { background: row.color } })
    : el("span", { class: "badge", "aria-hidden": "true", style: { background: row.color, color: inkOn(row.color) } }, row.number ?? "?");
  const name = el("button", { type: "button", class: "plainly name", "aria-pressed": String(isChosen), "data-key": row.key, onclick: () => onPress(row) },
    badge, el("span", {}, ...(row.title ?? [typeName(row)])));
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${(100 * row.cells) / most}%`, background: row.color } }));
  return el("tr", { class: isChosen ? "chosen" : null },
    el("th", { scope: "row" }, name, bar, ...(row.notes ?? [])),
    el("td", {}, number(row.cells), el("small", {}, percent(row.share))),
    el("td", {}, last(row)));
}
