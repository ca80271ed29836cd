// The selection: which cells, what they are called now, what tells them apart, and a name for them.

import { genesApart, referencesOf, shares } from "./apart.js";
import { $, el } from "./dom.js";
import { nameForm } from "./given.js";
import { shortOf } from "./named.js";
import { counted } from "./words.js";

const MOST_TYPES = 8;

export function showNoChoice(why = null) {
  $("chosen").replaceChildren(...[why && el("p", { class: "warning", role: "alert" }, why), el("div", { class: "empty few" }, el("p", { class: "big" }, "No cells are selected"),
    el("p", {}, "Draw around cells on the map, or highlight a type, a group or unsure cells, and take what is shown."))].filter(Boolean));
}

// `own` says with 0 or 1 which cells are selected.
export function showChoice(id, own, { cells, types }, { hasIndex, onGene, onCompare, onName, onClear }) {
  const n = own.reduce((sum, one) => sum + one, 0);
  const chosen = { cells: bits(own) };
  $("chosen").replaceChildren(...[
    el("div", { class: "above" }, el("h3", { class: "called" }, `${counted(n, "cell")} selected`),
      el("button", { type: "button", class: "plainly gene", onclick: onClear }, "Clear")),
    nameForm((name) => onName(chosen, name)),
    el("h4", {}, "What they are called now"),
    shares(composition(own, cells, types), n),
    genesApart(id, chosen, onGene, onCompare),
    hasIndex && referencesOf(id, chosen),
  ].filter(Boolean));
}

function composition(own, cells, types) {
  const count = new Map();
  own.forEach((one, i) => { if (one) count.set(cells.type[i], (count.get(cells.type[i]) ?? 0) + 1); });
  const rows = [...count].sort((a, b) => b[1] - a[1]).map(([index, n]) =>
    ({ name: types.has(index) ? shortOf(types.get(index)) : "unknown", color: types.get(index)?.color ?? "var(--unknown)", cells: n }));
  const rest = rows.slice(MOST_TYPES);
  const more = { name: counted(rest.length, "rarer type"), color: "var(--edge)", cells: rest.reduce((sum, { cells: n }) => sum + n, 0) };
  return rest.length ? [...rows.slice(0, MOST_TYPES), more] : rows;
}

// A bit for each cell, the first the lowest of the first byte, in base64.
export function bits(own) {
  const packed = new Uint8Array(Math.ceil(own.length / 8));
  own.forEach((one, i) => { packed[i >> 3] |= one << (i & 7); });
  let text = "";
  for (let start = 0; start < packed.length; start += 8192) text += String.fromCharCode(...packed.subarray(start, start + 8192));
  return btoa(text);
}
