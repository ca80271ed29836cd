// A type that was pressed: what it is, what tells it from the others, how sure it is, what it is confused with.

import * as api from "./api.js";
import { asked, genesApart, referencesOf, shares } from "./apart.js";
import { $, el } from "./dom.js";
import { median } from "./groups.js";
import { asQuery } from "./kept.js";
import { entryOf, isShortened, shortOf } from "./named.js";
import { sharesBySample } from "./typeshares.js";
import { why } from "./why.js";
import { counted, number, percent, score } from "./words.js";

const BINS = 20;

// `kind`: {types, name, term, color}; `shown`: all cells, and which the filters leave. The card stands in place of the table until `onBack`.
export function showCard(id, kind, shown, { hasIndex, samples, onBack, onGene, onCompare, onCell, onSelect, onAdd }) {
  const about = api.about(id, kind.types);
  const back = el("button", { type: "button", class: "plainly back", onclick: onBack }, "← All types");
  const chosen = { types: kind.types };
  const own = kind.types.includes(65535) ? "stayed unknown" : "are called so";
  $("card").replaceChildren(...[
    back,
    el("h3", { class: "called" }, el("i", { class: "dot", style: { background: kind.color } }), shortOf(kind)),
    isShortened(kind) && el("p", { class: "small" }, kind.name),
    introduction(kind, about, own),
    el("p", { class: "row acts" }, el("button", { type: "button", class: "button", onclick: onSelect }, "Select these cells"),
      onAdd && el("button", { type: "button", class: "button", onclick: onAdd }, "Add to the selection")),
    genesApart(id, chosen, onGene, onCompare),
    sharesBySample(id, kind.types, kind.color, samples),
    kind.term && why({ types: kind.types, term: kind.term }),
    scores(kind, shown),
    kind.term && asked("What it is confused with", "Reading the second best types …", about, confused),
    asked("Typical cells", "Looking for the surest cells …", about, ({ typical }) => [pictures(typical, onCell)]),
    hasIndex && referencesOf(id, chosen),
  ].filter(Boolean));
  $("card").hidden = false;
  $("types").hidden = true;
  $("panel-types").scrollTop = 0;
  return back;
}

export function hideCard() {
  if (!$("card").hidden) $("panel-types").scrollTop = 0;
  $("card").hidden = true;
  $("card").replaceChildren();
  $("types").hidden = false;
}

function introduction({ term }, about, own) {
  const place = el("div", { class: "small" });
  const link = term && el("a", { href: entryOf(term), target: "_blank", rel: "noopener noreferrer" }, `${term} in the Cell Ontology`);
  place.append(...[link && el("p", {}, link)].filter(Boolean));
  about.then(({ cells, share, path, synonyms, definition }) => place.prepend(...[
    el("p", {}, `${counted(cells, "cell")} (${percent(share)}${asQuery() ? " of those that the filters leave" : ""}) ${own}.`),
    definition && el("p", {}, definition),
    path.length > 1 && el("p", {}, path.map(({ name }) => name).join(" › ")),
    synonyms.length > 0 && el("p", {}, `Also: ${synonyms.join(", ")}`),
  ].filter(Boolean)), () => {}); // the parts below say what went wrong
  return place;
}

function scores({ types }, { cells, has }) {
  const own = new Set(types);
  const count = new Uint32Array(BINS);
  const own_n = [];
  for (let i = 0; i < cells.n; i += 1) {
    if (!own.has(cells.type[i]) || !has(i)) continue;
    count[Math.min(Math.floor(cells.score[i] * BINS), BINS - 1)] += 1;
    own_n.push(cells.score[i]);
  }
  const most = Math.max(...count, 1);
  if (!own_n.length) return null;
  const text = `The median score is ${score(median(Float32Array.from(own_n)))}.`;
  return el("section", {}, el("h4", {}, "Scores"),
    el("div", { class: "histogram little", role: "img", "aria-label": `Scores of these cells, from 0 to 1. ${text}` }, ...Array.from(count, (cell, bin) =>
      el("i", { title: `${score(bin / BINS)} to ${score((bin + 1) / BINS)}: ${number(cell)}`, style: { height: `${(100 * cell) / most}%` } }))),
    el("div", { class: "ticks", "aria-hidden": "true" }, ...["0", "0.5", "1"].map((tick) => el("span", { style: { left: `${100 * Number(tick)}%` } }, tick))),
    el("p", { class: "small" }, text));
}

function confused({ looked_at: n, confused: list }) {
  if (!list.length) return [el("p", { class: "small" }, "Nothing else is likely for these cells.")];
  return [shares(list, n), el("p", { class: "small" }, `What ${counted(n, "cell")} would be called otherwise.`)];
}

const pictures = (typical, onCell) => el("ul", { class: "plain typical" }, ...typical.map(({ position, score: sure, picture }) =>
  el("li", {}, el("button", { type: "button", class: "plainly", onclick: () => onCell(position) },
    el("img", { src: picture, width: 155, height: 155, loading: "lazy", alt: `Cell ${number(position)} on the gene grid` }), el("small", {}, score(sure))))));
