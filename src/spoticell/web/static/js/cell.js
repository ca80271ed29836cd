// One cell: what it was called and how surely, its picture, the ontology's path, its nearest reference cells.

import { $, el, named } from "./dom.js";
import { hint } from "./glossary.js";
import { why } from "./why.js";
import { capital, counted, number, score } from "./words.js";

export function showNoCell() {
  $("cell").replaceChildren(el("div", { class: "empty" },
    el("p", { class: "big" }, "No cell is chosen"),
    el("p", {}, "Click a point on the map, or enter a cell’s number or name above.")));
}

export function showCellTrouble(text) {
  $("cell").replaceChildren(el("p", { class: "warning", role: "alert" }, text));
}

export function showCell(cell, color, { group, onGene, picture }) {
  const isKnown = cell.term && cell.term !== "unknown";
  $("cell").replaceChildren(...[
    el("p", { class: "small" }, `Cell ${number(cell.position)} · `, named(cell.name), group && " · group ", group && named(group)),
    el("h3", { class: "called" }, el("i", { class: "dot", style: { background: color } }), isKnown ? cell.type : "unknown"),
    el("div", { class: "small" }, isKnown && el("span", { class: "term" }, cell.term, " · "),
      `score ${score(cell.score)}`, hint("score"), ` · ${counted(cell.n_counts, "count")} in ${counted(cell.n_genes, "gene")}`),
    cell.alone && el("p", { class: "small" }, cell.alone.term === "unknown" ? "Alone, without a look at its neighbours, it would be unknown." : `Alone, without a look at its neighbours, it would be called ${cell.alone.type}, with a score of ${score(cell.alone.score)}.`),
    picture,
    el("p", { class: "genes small" }, "Genes that stand out: ", ...cell.genes.map((gene) => geneButton(gene, onGene))),
    why({ cell: cell.position }),
    el("h4", {}, "What it may be ", hint("probability")),
    bars(cell.alternatives),
    el("h4", {}, "Path through the ontology ", hint("path")),
    bars(cell.path),
    ...neighbours(cell)].filter(Boolean));
}

// `known`: the type that it is known to mark, by the server's table.
export const geneButton = ({ symbol, counts, known }, onGene) =>
  el("button", { type: "button", class: "plainly gene", title: `${known ? `Known marker of ${known}. ` : ""}Colour the map by ${symbol}`, onclick: () => onGene(symbol) }, symbol,
    known && el("i", { class: "known", "aria-hidden": "true" }, "★"), known && el("span", { class: "hidden" }, `, known marker of ${known}`), counts && el("small", {}, ` ${number(counts)}`));

const ROLES = { answer: "the answer", second: "second best" };

function bars(steps) {
  return el("ol", { class: "plain steps-of" }, ...steps.map(({ name, probability, role }) =>
    el("li", { class: role ?? null }, el("span", {}, name, ROLES[role] && el("small", {}, ` ${ROLES[role]}`)), el("span", { class: "value" }, score(probability)),
      el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${100 * probability}%` } })))));
}

function neighbours({ neighbours: list, match }) {
  if (!list?.length) return [];
  return [
    el("h4", {}, "Nearest reference cells"),
    match?.text && el("p", { class: match.novel ? "warning" : "small" }, capital(match.text)),
    el("ol", { class: "plain nearest" }, ...list.map((near) =>
      el("li", {}, el("span", {}, near.type), el("span", { class: "value" }, score(near.similarity)),
        el("small", {}, origin(near))))),
    el("p", { class: "small" }, "The numbers are similarities of fingerprints (cosine); the highest is 1."),
  ].filter(Boolean);
}

const origin = ({ study, dataset, tissue, disease, assay }) =>
  [study || dataset, tissue, disease === "normal" ? null : disease, assay].filter(Boolean).join(" · ");
