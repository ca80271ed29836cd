// The genes that set some cells apart from all others, and what reference cells say of them.

import * as api from "./api.js";
import { geneButton } from "./cell.js";
import { el } from "./dom.js";
import { asQuery } from "./kept.js";
import { typeName } from "./named.js";
import { counted, number, percent, score } from "./words.js";

// A part of a panel that is asked for: words of patience, then what came, or why nothing did.
export function asked(heading, patience, answer, show) {
  const place = el("div", {}, el("p", { class: "small" }, patience));
  answer.then((found) => place.replaceChildren(...show(found)), (error) => place.replaceChildren(el("p", { class: "warning", role: "alert" }, error.message)));
  return el("section", {}, el("h4", {}, heading), place);
}

// `onCompare(symbols)` shows these genes by type.
export const genesApart = (id, chosen, onGene, onCompare) =>
  asked("Genes that tell them from the other cells", "Comparing with the other cells …", api.apart(id, chosen), (found) => genes(found, onGene, onCompare));

function genes({ cells, compared, others, genes: list }, onGene, onCompare) {
  if (!list.length) return [el("p", { class: "small" }, others ? "No gene is clearly higher here than in the other cells." : "There are no other cells to compare with.")];
  const some = compared < cells ? `${number(compared)} of them` : "They";
  return [
    el("ol", { class: "plain apart" }, ...list.map((gene) => el("li", {},
      geneButton(gene, onGene), el("span", { class: "value" }, score(gene.auc)),
      el("small", {}, `in ${percent(gene.share)} here, ${percent(gene.elsewhere)} elsewhere`),
      el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${100 * Math.max(2 * gene.auc - 1, 0)}%` } }))))),
    el("p", { class: "row acts" }, el("button", { type: "button", class: "button", onclick: () => onCompare(list.map(({ symbol }) => symbol)) }, "Compare these genes by type")),
    list.some(({ known }) => known) && el("p", { class: "small" }, el("i", { class: "known", "aria-hidden": "true" }, "★"), " A known marker, by this server’s table."),
    el("p", { class: "small" }, `Named are the shares of cells that have the gene, and the AUC: how often one of these cells has more of it than another cell. 0.5 is chance. ${some} were compared with ${counted(others, "other")}${asQuery() ? ", all of those that the filters leave" : ""}.`),
  ].filter(Boolean);
}

export const referencesOf = (id, chosen) =>
  asked("What reference cells say", "Looking for similar reference cells …", api.matches(id, chosen), references);

function references({ asked: n, agree, types, studies, tissues }) {
  const list = (words) => words.map(({ name, cells }) => `${name} (${number(cells)})`).join(", ");
  return [
    el("p", { class: "small" }, `Of ${counted(n, "cell")} compared, the matches of ${number(agree)} go with the cell’s own type.`),
    shares(types, n),
    studies.length > 0 && el("p", { class: "small" }, `Nearest studies: ${list(studies)}.`),
    tissues.length > 0 && el("p", { class: "small" }, `Their tissues: ${list(tissues)}.`),
  ].filter(Boolean);
}

// Names with how many cells, as bars of all `n`.
export const shares = (rows, n) => el("ol", { class: "plain steps-of" }, ...rows.map(({ name, short, term, cells, color }) =>
  el("li", {}, typeName({ name, short, term }), el("span", { class: "value" }, `${number(cells)} · ${percent(cells / n)}`),
    el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${(100 * cells) / n}%`, ...(color && { background: color }) } })))));
