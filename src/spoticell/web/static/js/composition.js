// What the cells are made of: one bar for each broader type, cut by the finer types in it.

import { $, el } from "./dom.js";
import { counted, number, percent } from "./words.js";

const MOST = 9;

export function showStrip(groups, cells) {
  $("strip").replaceChildren(...groups.map(({ color, cells: n }) => el("i", { style: { background: color, "flex-grow": n } })));
  const shown = groups.slice(0, 6);
  $("striped").replaceChildren(...shown.map(({ name, color, cells: n }) =>
    el("li", {}, el("i", { class: "dot", style: { background: color } }), `${name} ${percent(n / cells)}`)));
}

// `types`: {index: type} of the finer types.
export function showComposition(groups, types, { cells, unknown, onPress }) {
  const rows = groups.slice(0, MOST).map((group) => bar(group, types, groups[0].cells, cells, () => onPress(group)));
  const rest = groups.slice(MOST);
  if (rest.length) {
    const n = rest.reduce((sum, group) => sum + group.cells, 0);
    rows.push(bar({ name: counted(rest.length, "rarer type"), cells: n, types: rest.flatMap((group) => group.types) }, types, groups[0].cells, cells));
  }
  if (unknown) rows.push(bar({ name: "unknown", cells: unknown, types: [] }, types, Math.max(groups[0]?.cells ?? 0, unknown), cells));
  $("composition").replaceChildren(el("ul", { class: "plain bars" }, ...rows));
}

function bar(group, types, most, cells, onPress) {
  const parts = group.types.map((index) => types.get(index)).sort((a, b) => b.cells - a.cells);
  const pieces = parts.length
    ? parts.map(({ name, color, cells: n }) => el("i", { title: `${name}: ${number(n)}`, style: { background: color, "flex-grow": n } }))
    : [el("i", { style: { background: "var(--unknown)", "flex-grow": 1 } })];
  const name = onPress
    ? el("button", { type: "button", class: "plainly", onclick: onPress }, group.name)
    : el("span", {}, group.name);
  return el("li", {}, name, el("span", { class: "value" }, percent(group.cells / cells)),
    el("span", { class: "cut", "aria-hidden": "true", style: { width: `${(100 * group.cells) / most}%` } }, ...pieces));
}
