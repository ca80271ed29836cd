// What can be saved: files, and what repeats the run as a command and in Python.

import * as api from "./api.js";
import { $, copyButton, el, svg } from "./dom.js";
import { keep } from "./keep.js";
import { notebook } from "./notebook.js";
import { MAKER } from "./reach.js";
import { askShare } from "./share.js";
import { counted } from "./words.js";

// Those that are `marked` say which cells a filter leaves out.
const FILES = [
  { file: "annotated.h5ad", name: "Annotated h5ad", text: "Your file with the type, score and fingerprint of every cell", marked: true },
  { file: "types.csv", name: "Table", text: "One row for each cell, as CSV", marked: true },
  { file: "report.html", name: "Report", text: "One page to read, print or send", marked: false },
  { file: "composition.csv", name: "Composition", text: "Cells of each type by sample, with intervals, as CSV", marked: false },
  { file: "differences.csv", name: "Differences", text: "Each type in both conditions, with the test, as CSV", marked: false },
  { file: "groups.csv", name: "Groups", text: "One row for each group, as CSV", marked: false },
];

// `open`: the result that is looked at.
export function showFiles(open) {
  $("share-view").onclick = () => askShare(open);
  $("take").replaceChildren(
    ...FILES.filter(({ file }) => file in open.job.links).map(({ file, name, text }) => el("li", {}, el("a", { download: file, "data-file": file }, arrow(), el("b", {}, name), el("span", { class: "small" }, text)))),
    el("li", {}, el("button", { type: "button", id: "share-this", class: "plainly", "aria-haspopup": "dialog", onclick: () => askShare(open) }, paper(), el("b", {}, "Share"),
      el("span", { class: "small" }, `What you see now as one page that works anywhere, without ${MAKER}`))));
}

// Cells that the filters leave out stay in the files, and are marked there.
export function markFiles(id, filters) {
  const query = filters.isOn ? `?filter=${encodeURIComponent(JSON.stringify(filters.state))}` : "";
  for (const { file, text, marked } of FILES) {
    const link = $("take").querySelector(`[data-file="${file}"]`);
    if (!link) continue;
    link.href = api.fileUrl(id, file) + (marked ? query : "");
    link.lastChild.textContent = marked && filters.isOn ? `${text}. All cells are in it; spoticell_filtered is “True” for the ${counted(filters.n - filters.kept, "cell")} that the filter leaves out` : text;
  }
}

const paper = () => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M12 15V4m0 0-4 4m4-4 4 4M6 11H5v9h14v-9h-1" }));

const arrow = () => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M12 4v11m0 0-4-4m4 4 4-4M5 19h14" }));

export async function showCommands({ id, name }) {
  const { shell, python } = await api.commands(id);
  const save = () => keep(notebook(name, python), `${name.split(".")[0] || "cells"}.ipynb`, "application/x-ipynb+json");
  $("commands").replaceChildren(block("On the command line", shell),
    block("In Python", python, el("button", { type: "button", class: "button", onclick: save }, "Save as a notebook")));
}

const block = (name, text, ...more) =>
  el("div", {}, el("div", { class: "above" }, el("h3", {}, name), el("span", { class: "row" }, ...more, copyButton(text))), el("pre", { tabindex: "0", "aria-label": name }, el("code", {}, text)));
