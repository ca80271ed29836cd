// What can be saved: files, and what repeats the run as a command and in Python.

import * as api from "./api.js";
import { $, copyButton, el, svg } from "./dom.js";

const FILES = [
  ["annotated.h5ad", "Annotated h5ad", "Your file with the type, score and fingerprint of every cell"],
  ["types.csv", "Table", "One row for each cell, as CSV"],
  ["report.html", "Report", "One page to read, print or send"],
];

export function showFiles(id) {
  $("take").replaceChildren(...FILES.map(([file, name, text]) =>
    el("li", {}, el("a", { href: api.fileUrl(id, file), download: file }, arrow(), el("b", {}, name), el("span", { class: "small" }, text)))));
}

const arrow = () => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M12 4v11m0 0-4-4m4 4 4-4M5 19h14" }));

export async function showCommands(id) {
  const { shell, python } = await api.commands(id);
  $("commands").replaceChildren(block("On the command line", shell), block("In Python", python));
}

const block = (name, text) =>
  el("div", {}, el("div", { class: "above" }, el("h3", {}, name), copyButton(text)), el("pre", { tabindex: "0", "aria-label": name }, el("code", {}, text)));
