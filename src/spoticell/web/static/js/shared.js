// A shared file: what somebody looked at, with all its cells in the file itself. The parts are those of the page.

import { showCell, showNoCell } from "./cell.js";
import { showComposition, showStrip } from "./composition.js";
import { $, colour, el, named, say, tabs } from "./dom.js";
import { dotPlot } from "./dotplot.js";
import { rowsOf } from "./genes.js";
import { markGrade, showGrades } from "./grades.js";
import { groupsOf, tally } from "./groups.js";
import { groupKey, showGroups } from "./grouped.js";
import { byType } from "./heldlevels.js";
import { figureOf, keyOf } from "./legend.js";
import { litRow, positions, startLights } from "./lit.js";
import { CellMap } from "./map.js";
import { meaningOf } from "./meaning.js";
import { Mine } from "./mine.js";
import { startTree } from "./ontology.js";
import { levelsOf, painted, typeRows } from "./painted.js";
import { pictureButtons } from "./pictures.js";
import { recount } from "./recount.js";
import { showSettings } from "./used.js";
import { array, cells as heldCells, gene as heldGene, unpack } from "./shared_data.js";
import { showTable } from "./table.js";
import { startTheme } from "./theme.js";
import { showTip } from "./tip.js";
import { breakable, capital, counted, number, score } from "./words.js";

const USUAL = 0.4; // where the slider of scores stands at first
let open = null;
let showTab = null;

async function start() {
  const told = await unpack($("data").textContent);
  const summary = { ...told.summary, levels: levelsOf(told.summary) };
  const cells = heldCells();
  const look = { by: "type", level: 0, gene: null, chosen: null, unsure: false, below: USUAL };
  const types = new Map(summary.types.map((type) => [type.index, type]));
  open = { told, job: told.job, summary, cells, look, types, given: { names: told.given, code_n: array("given") ?? new Uint16Array(cells.n) } };
  $("seen").hidden = false;
  open.mine = new Mine({ id: "" }, cells, summary, told.columns, {
    onChange: recounted, onHighlight: (has, name, key) => highlight({ has, name, key }), onColour: () => { showTab("tab-column"); colourBy("column"); },
    onMove: () => {}, onTrouble: (error) => say(error.message),
  });
  open.map = new CellMap($("map"), { page: told.frame, onPick: pick, onHover: hover, onReady: () => { $("map").dataset.drawn = "yes"; }, describe: () => figureOf(open) });
  open.ask = startTree(open, { setBy, controls, redraw, note: () => {} });
  open.map.points(cells);
  stage();
  await follow(Object.fromEntries(new URLSearchParams(told.view)));
  recounted();
  await open.mine.start();
  recounted();
}

// What doesn't change with what is looked at.
function stage() {
  const { told, job, summary, cells, mine, look } = open;
  $("result-title").replaceChildren(...breakable(job.name));
  document.title = `${job.name} · Spoticell`;
  const day = new Date(`${told.made}T12:00`).toLocaleDateString("en-GB", { dateStyle: "long" });
  $("result-lead").textContent = `${number(summary.named)} of ${counted(summary.cells, "cell")} ${summary.named === 1 ? "has" : "have"} a type. Named by ${summary.model} from a threshold of ${score(summary.threshold)}, as seen on ${day}.${told.map ? ` The map is ${told.map} of the file.` : ""}`;
  showGrades(cells, summary, choose);
  showSettings(job, { threshold: summary.threshold });
  const held = [...told.columns.columns.map(({ name }) => name), ...told.genes.map(({ symbol }) => symbol)];
  $("foot").textContent = `Made by Spoticell ${told.version}. All that is shown is in this file${held.length ? `, with ${held.join(", ")}` : ""}; names of cells and other genes are not. For research, not for diagnosis.`;
  mine.stage();
  $("comparison").hidden = !mine.columns.categories.length;
  showTab = tabs(document.querySelector("#result [role=tablist]"));
  $("tab-groups").hidden = !summary.groups;
  startLights(["types", "groups-table"], { cellsOf, onLight: (lit) => open.map.light(lit) });
  const has = { level: summary.levels.length, gene: told.genes.length, column: told.columns.columns.length, curated: told.given.length };
  document.querySelectorAll("input[name=by]").forEach((radio) => {
    radio.closest("label").hidden = has[radio.value] === 0;
    radio.onchange = () => (radio.value === "column" ? mine.take() : colourBy(radio.value));
  });
  const options = (list) => list.map((name, at) => el("option", { value: at }, name));
  $("level").replaceChildren(...options(summary.levels.map(({ name }) => capital(name))));
  $("level").onchange = () => { look.level = Number($("level").value); look.chosen = null; redraw(); };
  $("gene").replaceChildren(...options(told.genes.map(({ symbol }) => symbol)));
  $("gene").onchange = () => paintGene(told.genes[Number($("gene").value)].symbol);
  $("unsure").onchange = () => { look.unsure = $("unsure").checked; redraw(); };
  $("below").oninput = () => { Object.assign(look, { below: Number($("below").value), unsure: true }); controls(); redraw(); };
  $("tab-genes").hidden = !told.genes.length;
  stageCell();
  startTheme();
  window.addEventListener("theme", () => { plotGenes(); redraw(); });
}

// Of the cells that the filters leave, as all that is counted.
function plotGenes() {
  const { told, cells, summary, mine } = open;
  if (!told.genes.length) return;
  const genes = byType(told.genes.map(({ symbol }) => heldGene(symbol)), cells, summary.types.length, (i) => mine.has(i));
  const picture = dotPlot(genes, rowsOf(summary));
  $("by-type").replaceChildren(el("div", { class: "plot", tabindex: "0", role: "group", "aria-label": "Dot plot" }, picture),
    el("p", { class: "small genes" }, "On the map: ", ...genes.map(({ symbol }) => el("button", { type: "button", class: "plainly gene", onclick: () => paintGene(symbol) }, symbol))),
    pictureButtons(() => picture, "genes"));
}

// What was looked at when the file was made.
async function follow(wish) {
  const { look, summary, told, mine } = open;
  look.level = Math.max(summary.levels.findIndex(({ name }) => name === wish.level), 0);
  look.unsure = wish.below > 0 && wish.below <= 1;
  if (look.unsure) look.below = Number(wish.below);
  look.gene = heldGene(wish.gene) ?? (told.genes.length ? heldGene(told.genes[0].symbol) : null);
  await mine.follow({ column: wish.column, filter: wish.filter });
  const can = { level: summary.levels.length, score: true, gene: heldGene(wish.gene), column: mine.column, curated: told.given.length };
  look.by = can[wish.by] ? wish.by : "type";
  if (wish.by === "tree" && open.ask.follow(wish)) { look.by = "tree"; showTab("tab-tree"); }
  if (look.by === "column") showTab("tab-column");
  if (told.cell) showTab("tab-cell");
  const own = array("chosen");
  if (own) look.chosen = { has: (i) => own[i] === 1, name: told.chosen, key: "chosen" };
  else if (look.by !== "tree") look.chosen = wish.chosen ? meaningOf(open, wish.chosen) : null;
  controls();
}

function controls() {
  const { look } = open;
  document.querySelectorAll("input[name=by]").forEach((radio) => { radio.checked = radio.value === look.by; });
  $("level").value = look.level;
  $("gene").value = open.told.genes.findIndex(({ symbol }) => symbol === look.gene?.symbol);
  $("unsure").checked = look.unsure;
  $("below").value = look.below;
}

function setBy(what) {
  Object.assign(open.look, { by: what, chosen: null });
  controls();
}

function colourBy(what) {
  setBy(what);
  redraw();
}

function paintGene(symbol) {
  const found = heldGene(symbol);
  if (!found) return say(`${symbol} is not in this file.`);
  open.look.gene = found;
  return colourBy("gene");
}

const choose = (key) => highlight(meaningOf(open, key));

// Choosing the same again lets go.
function highlight(wish) {
  const { look } = open;
  look.chosen = look.chosen?.key === wish?.key ? null : wish;
  open.ask.leave();
  say(look.chosen ? `${look.chosen.name}: highlighted.` : "All cells are shown.");
  redraw();
}

function recounted() {
  const { cells, summary, types, mine } = open;
  const { groups, types: own, cells: n, unknown } = recount(cells, summary.levels.length ? groupsOf(summary, 0) : groupsOf(summary), types, (i) => mine.has(i));
  showStrip(groups, n);
  showComposition(groups, own, { cells: n, unknown, onPress: (group) => choose(`${group.term}+`) });
  plotGenes();
  redraw();
}

function redraw() {
  const { summary, cells, look, map, mine } = open;
  const groups = groupsOf(summary, look.by === "level" ? look.level : null);
  const isScored = (i) => !look.unsure || cells.score[i] < look.below;
  const isSure = (i) => mine.has(i) && isScored(i);
  const isShown = look.chosen ? (i) => isSure(i) && look.chosen.has(i) : isSure;
  const isPart = look.unsure || look.chosen !== null || mine.isOn;
  const { paint, labels, row_n } = painted(open, groups, { isShown, isPart });
  Object.assign(open, { paint, isPart, isShown });
  map.paint(paint, labels);
  if (summary.groups) {
    const own = tally(cells, cells.group, 65536, isSure);
    showGroups(summary.groups.map((group, at) => ({ ...group, cells: own[at].cells })), cells.n, {
      chosen: look.chosen?.key, onGene: paintGene, onSort: redraw, onPress: (at) => choose(groupKey(at)) });
  }
  mine.show({ isShown: isSure, isScored, chosen: look.chosen?.key });
  open.ask.show(isSure);
  Object.assign(open, { isSure, row_n, keys: [...groups.map(({ term }) => term), "unknown"], colors: new Map(groups.map(({ term, color }) => [term, color])) });
  markGrade(look.chosen?.key);
  const rows = typeRows(open, groups, tally(cells, row_n, groups.length + 1, isSure), look.unsure || mine.isOn);
  showTable("types", rows, { chosen: look.chosen?.key, onPress: (row) => choose(row.key), onSort: redraw });
  let shown = 0;
  for (let i = 0; i < cells.n; i += 1) shown += isShown(i);
  $("shown").replaceChildren(...(look.chosen ? [named(look.chosen.name), ": "] : []), isPart ? `${number(shown)} of ${counted(cells.n, "cell")}` : counted(cells.n, "cell"));
  $("key").replaceChildren(...(look.by === "column" ? mine.key() : keyOf(look)));
  for (const [id, by] of [["which", "level"], ["which-gene", "gene"], ["which-column", "column"]]) $(id).hidden = look.by !== by;
  $("below-out").textContent = score(look.below);
}

function cellsOf(key) {
  const { cells, look, isSure } = open;
  const found = meaningOf(open, key);
  if (!found || look.chosen) return null;
  return { key, position: positions(cells.n, (i) => found.has(i) && isSure(i)), color: open.colors.get(key) ?? colour("--unknown") };
}

// The card of the cell that was looked at; of others the file has less.
function stageCell() {
  const { told: { cell }, map } = open;
  if (!cell) return showNoCell();
  map.mark(cell.position);
  return showWhole(cell);
}

function showWhole(cell) {
  const { summary, cells, types } = open;
  const genes = cell.genes.map(({ symbol }) => symbol).join(", ");
  showCell(cell, types.get(cells.type[cell.position])?.color ?? colour("--unknown"), {
    group: summary.groups?.[cells.group?.[cell.position]]?.name, onGene: paintGene,
    picture: el("img", { class: "picture", src: cell.picture, width: cell.grid, height: cell.grid, alt: `The cell on the gene grid. Genes that stand out: ${genes}.` }),
  });
}

function pick({ position }) {
  const { told: { cell }, map, cells, types, mine } = open;
  map.mark(position);
  showTab("tab-cell");
  if (cell?.position === position) return showWhole(cell);
  const type = types.get(cells.type[position]);
  say(`Cell ${position}: ${type?.name ?? "unknown"}, score ${score(cells.score[position])}`);
  return $("cell").replaceChildren(
    el("p", { class: "small" }, `Cell ${number(position)}`),
    el("h3", { class: "called" }, el("i", { class: "dot", style: { background: type?.color ?? "var(--unknown)" } }), type?.name ?? "unknown"),
    el("p", { class: "small" }, type && el("span", { class: "term" }, type.term, " · "), `score ${score(cells.score[position])}`),
    mine.column ? el("p", { class: "small" }, mine.said(position)) : "",
    cell ? el("p", { class: "acts" }, el("button", { type: "button", class: "button", onclick: () => { map.mark(cell.position); showWhole(cell); } }, `Back to cell ${number(cell.position)}`)) : "");
}

function hover({ position, left, top }) {
  litRow("types", position === null ? null : open.keys[open.row_n[position]]);
  showTip(open, position, left, top);
}

start().catch((error) => {
  $("wrong").hidden = false;
  $("wrong").textContent = typeof DecompressionStream === "undefined" ? "This browser is too old for this file. One from 2023 or later shows it." : `This file can’t be read: ${error.message}`;
});
