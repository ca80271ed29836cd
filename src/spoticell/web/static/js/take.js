// What can be taken away: files, and the same run as a command and in Python.

import * as api from "./api.js";
import { $, copyButton, el } from "./dom.js";

const FILES = [
  ["annotated.h5ad", "Annotated h5ad", "Your file with the type, score and fingerprint of every cell"],
  ["types.csv", "Table", "One line a cell, as CSV"],
  ["report.html", "Report", "One page to mail, print or keep"],
];

export function showFiles(id) {
  $("take").replaceChildren(...FILES.map(([file, name, text]) =>
    el("li", {}, el("a", { class: "button", href: api.fileUrl(id, file), download: file }, name), el("span", { class: "small" }, text))));
}

export async function showCommands(id) {
  const { shell, python } = await api.commands(id);
  $("commands").replaceChildren(block("On the command line", shell), block("In Python", python));
}

const block = (name, text) =>
  el("div", {}, el("div", { class: "above" }, el("h3", {}, name), copyButton(text)), el("pre", { tabindex: "0", "aria-label": name }, el("code", {}, text)));
