// What the cells are made of: one bar for each broader type, cut by the finer types in it.

import { barFigure } from "./barfigure.js";
import { $, el, named } from "./dom.js";
import { shortOf, typeName } from "./named.js";
import { pictureButtons } from "./pictures.js";
import { counted, number, percent } from "./words.js";

const MOST = 9;
// Rarer types together.
const OTHERS = "var(--edge)";

export function showStrip(groups, cells) {
  $("strip").replaceChildren(...groups.map(({ color, cells: n }) => el("i", { style: { background: color, "flex-grow": n } })));
  const shown = groups.slice(0, 6);
  $("striped").replaceChildren(...(shown.length ? [el("li", {}, "Broad types, with subtypes:")] : []), ...shown.map((group) =>
    el("li", {}, el("i", { class: "dot", style: { background: group.color } }), typeName(group), ` ${percent(group.cells / cells)}`)));
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
  $("composition").replaceChildren(el("p", { class: "small under-title" }, "Broad types, each with its subtypes. The table of types counts these apart."), el("ul", { class: "plain bars" }, ...rows));
}

// `samples`: {by, samples, bars: [{name, cells, parts: [{name, cells, color}]}]}, or null where none are told.
export function showSamples(samples) {
  $("samples").hidden = !samples;
  if (!samples) return;
  const { by, bars } = samples;
  $("samples-title").replaceChildren("Composition by ", named(by));
  $("sample-bars").replaceChildren(...bars.map(({ name, cells, parts }) => li(named(name), counted(cells, "cell"), 1, parts.filter((part) => part.cells))));
  const key = bars[0].parts.filter((_, at) => bars.some(({ parts }) => parts[at].cells));
  $("sample-key").replaceChildren(...key.map((part) => el("li", {}, el("i", { class: "dot", style: { background: part.color ?? OTHERS } }), typeName(part))));
  const drawn = () => barFigure(`Composition by ${by}`, bars.map(({ name, cells, parts }) =>
    ({ name, note: counted(cells, "cell"), parts: parts.map((part) => ({ ...part, name: shortOf(part), color: part.color ?? OTHERS })) })));
  $("sample-save").replaceChildren(pictureButtons(drawn, "composition"));
  $("sample-more").textContent = bars.length < samples.samples ? `The first ${bars.length} of ${counted(samples.samples, "sample")} are shown; the annotated h5ad has all.` : "";
}

function bar(group, types, most, cells, onPress) {
  const parts = group.types.map((index) => types.get(index)).sort((a, b) => b.cells - a.cells);
  const name = onPress
    ? el("button", { type: "button", class: "plainly", onclick: onPress }, typeName(group))
    : typeName(group);
  return li(name, percent(group.cells / cells), group.cells / most, parts.length ? parts : [{ name: group.name, cells: group.cells, color: "var(--unknown)" }]);
}

// A name, a value, and a bar that is cut into parts.
function li(name, value, share, parts) {
  const pieces = parts.map(({ name: what, color, cells }) => el("i", { title: `${what}: ${number(cells)}`, style: { background: color ?? OTHERS, "flex-grow": cells } }));
  return el("li", {}, name, el("span", { class: "value" }, value),
    el("span", { class: "cut", "aria-hidden": "true", style: { width: `${100 * share}%` } }, ...pieces));
}
