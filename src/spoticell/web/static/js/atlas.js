// The atlas: all types that a model knows, to browse without any file.

import { atlasOf } from "./atlas_data.js";
import { $, el, say } from "./dom.js";
import { coarse, gridOf } from "./grid.js";
import { openLesson, stripes } from "./lesson.js";
import { sky, small } from "./sky.js";
import { view } from "./view.js";
import { entryOf } from "./named.js";
import { capital, counted, number } from "./words.js";

const BLOCK = 5;
const STRONG = 60; // of its genes a type is found by the strongest
let open = null;

export async function openAtlas(lost) {
  view("atlas", "Atlas");
  $("atlas-lead").textContent = "Working out what the network listens to …";
  $("atlas").querySelector("[data-lesson]").onclick = () => openLesson({ model: "" });
  try {
    const grid = await gridOf();
    open = { grid, ...await atlasOf("", grid) };
  } catch (error) {
    if (error.status !== 404) return lost(error);
    $("atlas-lead").textContent = error.message;
    return;
  }
  $("atlas-lead").textContent = `The ${number(open.types.length)} types that the model ${open.model} can name. A picture is what the network has learned, not a cell: the ${open.shown} genes that speak most for the type, worked out backwards through the trained network.`;
  $("atlas-desk").hidden = false;
  $("atlas-search").oninput = () => list($("atlas-search").value);
  list("");
  window.addEventListener("hashchange", () => showNamed());
  showNamed();
}

function showNamed() {
  const term = decodeURIComponent(location.hash.slice(1));
  show(open.types.find((type) => type.term === term) ?? open.types.find(({ name }) => name === "B cell") ?? open.types[0]);
}

function list(text) {
  const word = text.trim().toLowerCase();
  const found = open.types.filter((type) => isMeant(type, word));
  $("atlas-count").textContent = word ? counted(found.length, "type") : "";
  const broad = Map.groupBy ? Map.groupBy(found, (type) => type.broad) : grouped(found);
  $("atlas-types").replaceChildren(...[...broad].map(([name, types]) =>
    el("details", { open: Boolean(word) || types.some(({ at }) => at === open.shownAt) }, el("summary", {}, capital(name), el("small", {}, ` ${types.length}`)),
      el("ul", { class: "plain" }, ...types.map((type) => el("li", {}, entry(type)))))));
}

function grouped(types) {
  const out = new Map();
  for (const type of types) out.set(type.broad, [...(out.get(type.broad) ?? []), type]);
  return out;
}

function isMeant(type, word) {
  if (!word) return true;
  if ([type.name, type.term, type.broad, ...type.synonyms].some((name) => name.toLowerCase().includes(word))) return true;
  type.symbols ??= type.pixels.slice(0, STRONG).map((pixel) => open.grid.symbols[open.grid.geneOf[pixel]].toLowerCase());
  return type.symbols.includes(word);
}

const tiny = ({ levels }) => small(open.grid, coarse(levels, open.grid.side, BLOCK), open.grid.palette, open.grid.side / BLOCK);

const entry = (type) => el("button", { type: "button", class: "plainly atlas-entry", "data-term": type.term, "aria-current": type.at === open.shownAt ? "true" : null, onclick: () => go(type) },
  tiny(type), el("span", {}, type.name));

function go(type) {
  history.replaceState(null, "", `#${type.term}`);
  show(type);
  if (matchMedia("(max-width: 900px)").matches) $("atlas-type").scrollIntoView({ block: "start" });
  say(`${type.name} is shown.`);
}

function show(type) {
  open.shownAt = type.at;
  document.querySelectorAll("#atlas-types [data-term]").forEach((button) => {
    const isShown = button.dataset.term === type.term;
    if (isShown) button.closest("details").open = true;
    button.toggleAttribute("aria-current", isShown);
  });
  const rank = new Map(type.pixels.map((pixel, k) => [pixel, k + 1]));
  const values = Array.from(type.levels, (_, pixel) => rank.get(pixel) ?? 0);
  const word = (value) => (value ? `number ${value} of the ${open.shown} that speak for it` : "says little");
  $("atlas-type").replaceChildren(
    el("h2", {}, el("i", { class: "dot", style: { background: type.color } }), capital(type.name)),
    el("p", { class: "small" }, el("a", { href: entryOf(type.term), rel: "noreferrer", target: "_blank" }, type.term),
      type.synonyms.length ? ` · also ${type.synonyms.slice(0, 4).join(", ")}` : ""),
    type.definition && el("p", { class: "small" }, type.definition),
    el("div", { class: "atlas-two" },
      sky(open.grid, { levels: type.levels, values }, { label: `Genes that speak for ${type.name}.`, genes: type.genes.slice(0, 10), word }),
      el("div", {},
        el("h3", {}, "Genes that speak for it"), strengths(type.genes),
        el("h3", {}, "Place in the ontology"), path(type),
        el("h3", {}, "Its fingerprint"), stripes(type.fingerprint),
        el("h3", {}, "Most similar types"), el("ul", { class: "plain near" }, ...type.near.map((at) => el("li", {}, entry(open.types[at])))))));
}

const strengths = (genes) => el("ol", { class: "plain strengths" }, ...genes.map(({ symbol, strength }) =>
  el("li", {}, el("button", { type: "button", class: "plainly gene", title: `Which types listen to ${symbol}?`, onclick: () => searchFor(symbol) }, symbol),
    el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${100 * strength}%` } })))));

function searchFor(symbol) {
  $("atlas-search").value = symbol;
  list(symbol);
  $("atlas-search").focus();
}

function path(type) {
  return el("p", { class: "small path" }, ...type.path.flatMap(({ term, name }, step) => {
    const known = open.types.find((other) => other.term === term);
    const shown = known && known !== type ? el("button", { type: "button", class: "plainly gene", onclick: () => go(known) }, name) : el(known ? "b" : "span", {}, name);
    return step ? [" › ", shown] : [shown];
  }));
}
