// One column beside the map: its values with colours and counts, to highlight and to leave out.

import { MISSING, NO_VALUE, colourOf } from "./columns.js";
import { $, el } from "./dom.js";
import { rangeOf } from "./range.js";
import { number, percent } from "./words.js";

let range = null;

// `filters`: Filters; `isShown(i)`: whether a cell is counted. `onSet(key, rule)`, `onPress(has, name, key)`.
// `note`: what else to know of it, or nothing.
export function showColumn(column, { filters, isShown, chosen, onSet, onPress, note }) {
  const place = $("one-column");
  if (place.dataset.key !== column.key) range = null;
  place.dataset.key = column.key;
  if (column.kind === "number") return showNumbers(place, column, { filters, isShown, onSet });
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  place.replaceChildren(el("h3", {}, column.name), table(column, { filters, isShown, chosen, onSet, onPress }),
    el("p", { class: "small legend" }, "Untick a value to leave its cells out everywhere on this page. Press a name to highlight its cells."), ...(note ? [el("p", { class: "small legend" }, note)] : []));
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  return null;
}

function table(column, { filters, isShown, chosen, onSet, onPress }) {
  const { key, values, categories } = column;
  const count = new Uint32Array(categories.length + 1);
  let shown = 0;
  for (let i = 0; i < values.length; i += 1) {
    if (!isShown(i)) continue;
    count[Math.min(values[i], categories.length)] += 1;
    shown += 1;
  }
  const rows = categories.map(({ name }, code) => ({ name, value: name, code, color: colourOf(code) }));
  if (column.missing) rows.push({ name: NO_VALUE, value: "", code: MISSING, color: "var(--unknown)" });
  const all = rows.map(({ value }) => value);
  const keep = filters.state[key]?.keep ?? all;
  const tick = (value) => {
    const next = keep.includes(value) ? keep.filter((one) => one !== value) : all.filter((one) => one === value || keep.includes(one));
    onSet(key, next.length === all.length ? null : { keep: next });
  };
  const line = ({ name, value, code, color }) => {
    const own = `${key} = ${value}`;
    const n = count[Math.min(code, categories.length)];
    return el("tr", { class: chosen === own ? "chosen" : null },
      el("td", { class: "tick" }, el("input", { type: "checkbox", checked: keep.includes(value), "data-key": `keep ${value}`, "aria-label": `Look at ${name}`, onchange: () => tick(value) })),
      el("th", { scope: "row" }, el("button", { type: "button", class: "plainly name", "aria-pressed": String(chosen === own), "data-key": `name ${value}`, onclick: () => onPress((i) => values[i] === code, `${column.name}: ${name}`, own) },
        el("i", { class: "dot", "aria-hidden": "true", style: { background: color } }), el("bdi", {}, name))),
      el("td", {}, number(n), el("small", {}, shown ? percent(n / shown) : "–")),
      el("td", {}, el("button", { type: "button", class: "plainly small link", "data-key": `only ${value}`, "aria-label": `Only ${name}`, onclick: () => onSet(key, { keep: [value] }) }, "only")));
  };
  return el("table", { class: "types columns" }, el("caption", { class: "hidden" }, `Values of ${column.name} with the number of cells`), el("tbody", {}, ...rows.map(line)));
}

function showNumbers(place, column, { filters, isShown, onSet }) {
  let [sum, n] = [0, 0];
  column.values.forEach((value, i) => { if (!Number.isNaN(value) && isShown(i)) { sum += value; n += 1; } });
  if (!range || range.key !== column.key) {
    range = { key: column.key, ...rangeOf(column, (rule) => onSet(column.key, rule)), text: el("p", { class: "small legend" }) };
    place.replaceChildren(el("h3", {}, column.name), range.node, range.text);
  }
  range.show(filters.state[column.key]);
  const missing = column.missing ? ` ${number(column.missing)} cells have no value; a range leaves them out.` : "";
  range.text.textContent = `${n ? `The mean of ${number(n)} cells is ${Number((sum / n).toPrecision(3))}.` : "No cell is left."}${missing} Cells outside the ends are left out everywhere on this page.`;
}
