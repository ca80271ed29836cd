// How the types differ between the two conditions that a run was told, as the command line and the report tell it.

import { $, el, named } from "./dom.js";
import { typeName } from "./named.js";
import { counted, percent, sentence } from "./words.js";

// Types before the reader asks for the others.
const ROWS = 12;
const SURE = 0.05;

// `found`: as the summary has it, null where no condition was told. A type that is pressed goes to `onOpen(change)`.
export function showDifferences(found, { onOpen }) {
  $("differences").hidden = !found;
  if (found) fillDifferences($("differences-place"), found, { onOpen, foot: "Over all cells of the run, whatever the filters leave. “Compare” above follows the filters." });
}

// The same anywhere: `foot` says of which cells, and without `onOpen` types aren't pressed.
export function fillDifferences(place, found, { onOpen = null, foot }) {
  let all = false;
  const draw = () => {
    const isAsked = place.contains(document.activeElement);
    place.replaceChildren(...parts(found, { all, onOpen, foot, onAll: () => { all = !all; draw(); } }));
    if (isAsked) place.querySelector(".scroll > .button")?.focus({ preventScroll: true });
  };
  draw();
}

function parts(found, { all, onOpen, foot, onAll }) {
  const { condition, conditions, samples, method, changes, notes } = found;
  const lead = conditions.length === 2
    ? [named(conditions[0]), ` has ${counted(samples[0], "sample")}, `, named(conditions[1]), ` has ${samples[1]}`, ...(condition ? [", by the column ", named(condition)] : []), ". A type counts its subtypes too. Shares are means over the samples."]
    : ["There is nothing to compare in the column ", named(condition), "."];
  return [
    el("p", { class: "small under-title" }, ...lead),
    changes.length > 0 && table(found, all ? changes : changes.slice(0, ROWS), onOpen, changes.length > ROWS && el("button", { type: "button", class: "button", "aria-expanded": String(all), onclick: onAll }, all ? "Show fewer types" : `Show all ${changes.length} types`)),
    el("div", { class: "remarks" }, ...notes.map((note) => el("p", { class: "note-of" }, sentence(note))),
      method && el("p", { class: "small" }, `${sentence(method)} Below a change is its 95% interval. Pale changes may be chance: q is above ${SURE}.`),
      el("p", { class: "small" }, foot)),
  ].filter(Boolean);
}

function table({ conditions, method, changes }, shown, onOpen, more) {
  const most = Math.max(...changes.map(({ difference }) => Math.abs(difference)), 0.01);
  const heads = ["Type, with its subtypes", ...conditions, "Change in points", ...(method ? ["p", "q"] : [])];
  const called = (change) => [el("i", { class: "dot", "aria-hidden": "true", style: { background: change.color } }), typeName(change)];
  const line = (change) => el("tr", { class: method && !(change.q <= SURE) ? "unclear" : null },
    el("th", { scope: "row" }, onOpen ? el("button", { type: "button", class: "plainly name", onclick: () => onOpen(change) }, ...called(change)) : el("span", { class: "name" }, ...called(change))),
    el("td", {}, percent(change.first)), el("td", {}, percent(change.second)),
    el("td", { class: "change" }, bar(change, most)),
    ...(method ? [el("td", {}, small(change.p)), el("td", {}, small(change.q))] : []));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Shares of types in ${conditions.join(" and ")}` },
    el("table", { class: "types changes" }, el("caption", { class: "hidden" }, `Shares of types in ${conditions.join(" and ")}, and how they differ`),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, named(head))))), el("tbody", {}, ...shown.map(line))), more);
}

function bar({ difference, low, high, color }, most) {
  const width = `${(50 * Math.abs(difference)) / most}%`;
  return el("span", { class: "moved" }, el("span", {}, points(difference)),
    low !== null && el("small", {}, `${points(low)} to ${points(high)}`),
    el("span", { class: "both", "aria-hidden": "true" }, el("b", { style: { width, background: color, [difference < 0 ? "right" : "left"]: "50%" } })));
}

const points = (share) => `${share > 0 ? "+" : share < 0 ? "−" : ""}${Math.abs(100 * share).toFixed(1)}`;
const small = (p) => (p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));
