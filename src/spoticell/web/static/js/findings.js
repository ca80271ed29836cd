// What was found in a file, in words for the person who brought it.

import { $, el, named } from "./dom.js";
import { looksOf } from "./looks.js";
import { capital, counted, number, percent, sentence } from "./words.js";

const LITTLE = 0.3;

export function showFindings({ findings, warnings }) {
  const { gene_match: match } = findings;
  $("found-figures").replaceChildren(
    figure(number(findings.cells), findings.cells === 1 ? "cell" : "cells"),
    figure(number(findings.genes), findings.genes === 1 ? "gene in the file" : "genes in the file"),
    figure(percent(match.coverage), "of the model’s genes measured"));
  $("found-warnings").replaceChildren(...(warnings ?? findings.notes).map((text) => el("li", {}, sentence(text))));
  $("found-warnings").hidden = $("found-warnings").childElementCount === 0;
  $("found-facts").replaceChildren(...facts(findings).map(([name, ...texts]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, ...texts))));
}

const figure = (value, name) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

const small = (text) => el("small", {}, text);

function facts(findings) {
  const { counts, gene_match: match, passed_over: passed } = findings;
  const rows = [
    ["Kind of file", findings.format],
    ["Counts", named(findings.matrix), small(sentence(counts.evidence))],
    ["Genes", `${counted(match.found, "gene")} known, by ${match.kind} (`, named(match.column), ")", coverage(match.coverage), small(`The bar: ${percent(match.coverage)} of the model’s genes are measured.`), small(details(match))],
  ];
  rows.unshift(...looksOf(findings, small));
  const others = Object.entries(passed);
  if (others.length) rows.push(["Not used", ...others.map(([matrix, reason]) => el("span", { class: "line" }, named(matrix), small(sentence(reason))))]);
  return rows;
}

function coverage(share) {
  return el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${share * 100}%` }, class: share < LITTLE ? "little" : null }));
}

function details(match) {
  const parts = [
    [match.renamed, "old name", "old names", "brought up to date"],
    [match.repaired, "name", "names", "read after a small repair of the spelling"],
    [match.unmatched, "name", "names", "unknown to the model and left out"],
    [match.ambiguous, "name", "names", "with several meanings, left out"],
    [match.repeated, "gene", "genes", "twice in the file, added up"],
  ];
  return parts.filter(([count]) => count).map(([count, one, many, done]) => `${counted(count, one, many)} ${done}.`).join(" ");
}
