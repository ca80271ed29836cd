// What the labels of a column mean as types, and how the answers agree with them by the ontology.

import * as api from "./api.js";
import { el, named } from "./dom.js";
import { typeName } from "./named.js";
import { counted, number, percent } from "./words.js";

const PARTS = [
  { key: "right", name: "right", about: "the label, or a subtype of it" },
  { key: "coarser", name: "coarser", about: "a broader type that the label is of" },
  { key: "wrong", name: "another type", about: "a type that the label is not of" },
  { key: "unanswered", name: "unknown", about: "no answer" },
];
let latest = null;

// Types that are named of those that a label's cells are called.
const NAMED = 3;

// `column`: with its values. What is pressed goes to `onPress(has, name, key)`; `termOf(i)` is what a cell is called. Cells
// that the filters leave are counted.
export async function showLabelled(place, id, column, { onPress, termOf }) {
  const mine = (latest = {});
  let shown;
  try {
    const told = await api.labels(id, column.place);
    shown = [matched(told), told.agreement && figures(told), ...otherwise(told, column, onPress, termOf), ...unread(told, column, onPress)];
  } catch (error) {
    shown = [el("p", { class: "warning", role: "alert" }, error.message)];
  }
  if (mine === latest) place.replaceChildren(...shown.filter(Boolean));
}

function matched({ labelled, understood, unlabelled, enough, agreement }) {
  if (!labelled) return el("p", { class: "small" }, "No cell has a label here.");
  const share = understood === labelled ? `All ${counted(labelled, "labelled cell")} have a label that is understood as a type.`
    : `${number(understood)} of ${counted(labelled, "labelled cell")} (${percent(understood / labelled)}) ${understood === 1 ? "has" : "have"} a label that is understood as a type.`;
  const none = agreement ? "" : ` No figure of agreement is given: that takes ${percent(enough)}.`;
  return el("p", { class: agreement ? "small" : "finding" }, `${share}${unlabelled ? ` ${counted(unlabelled, "cell")} ${unlabelled === 1 ? "has" : "have"} none.` : ""}${none}`);
}

function figures({ agreement, understood }) {
  const parts = PARTS.map((part) => ({ ...part, cells: agreement[part.key] }));
  return el("div", { class: "agreement" }, el("h3", {}, "By the ontology"),
    el("span", { class: "cut tall", "aria-hidden": "true" }, ...parts.filter(({ cells }) => cells).map(({ key, name, cells }) =>
      el("i", { class: `is-${key}`, title: `${name}: ${counted(cells, "cell")}`, style: { "flex-grow": cells } }))),
    el("dl", { class: "verdicts" }, ...parts.map(({ key, name, about, cells }) => el("div", {},
      el("dt", {}, el("i", { class: `dot is-${key}`, "aria-hidden": "true" }), name), el("dd", {}, el("b", {}, percent(cells / understood)), el("small", {}, `${counted(cells, "cell")}: ${about}`))))),
    el("p", { class: "small" }, `Shares of the cells whose label is understood. Labels can be wrong too.`));
}

// Labels whose cells are called another type: here readers and answers can't both be right.
function otherwise({ otherwise: list = [] }, { key, name, values }, onPress, termOf) {
  if (!list.length) return [];
  const line = ({ value, label, meant, cells, other, answers }) => {
    const own = new Set(answers.map(({ term }) => term));
    const press = () => onPress((i) => values[i] === value && own.has(termOf(i)), `${name} ${label}, called another type`, `other ${key} ${label}`);
    const types = answers.slice(0, NAMED).flatMap((type, at) => [at ? ", " : "", typeName(type), ` ${number(type.cells)}`]);
    const more = answers.length - NAMED;
    return el("tr", {}, el("th", { scope: "row" }, el("button", { type: "button", class: "plainly", onclick: press }, named(label)), el("small", {}, "read as ", typeName(meant))),
      el("td", {}, number(other), el("small", {}, `${percent(other / cells)} of ${number(cells)}`)), el("td", { class: "meant" }, ...types, more > 0 ? ` and ${more} more` : ""));
  };
  return [
    el("h3", {}, "Labels whose cells are called another type"),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Labels whose cells are called another type" }, el("table", { class: "types unread" },
      el("thead", {}, el("tr", {}, ...["Label", "Cells", "Called"].map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...list.map(line)))),
    el("p", { class: "small" }, "Whom to believe? Press a label to see these cells, then “What are these?” under the map: it names the genes that tell them from the others. A subtype of the label, or a type above it, isn’t counted here."),
  ];
}

// Labels that are no types: their cells, and what they may mean.
function unread({ not_understood: list, more }, { key, name, values }, onPress) {
  if (!list.length) return [];
  const line = ({ label, cells, values: places, ambiguous, near }) => {
    const own = new Set(places);
    return el("tr", {}, el("th", { scope: "row" }, el("button", { type: "button", class: "plainly", onclick: () => onPress((i) => own.has(values[i]), `${name} ${label}`, `unread ${key} ${label}`) }, named(label))),
      el("td", {}, number(cells)), el("td", { class: "meant" }, near.length ? `${ambiguous ? "may be " : ""}${near.join(", ")}` : "–"));
  };
  return [
    el("h3", {}, "Labels that are no known type"),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Labels that are not understood" }, el("table", { class: "types unread" },
      el("thead", {}, el("tr", {}, ...["Label", "Cells", "Near it"].map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...list.map(line)))),
    more > 0 && el("p", { class: "small" }, `and ${counted(more, "rarer label")}.`),
    el("p", { class: "small" }, "They count for nothing above. Press one to see its cells."),
  ];
}
