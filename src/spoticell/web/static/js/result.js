// A result: the map and all that looks at the same cells. What is looked at stands in `look`; `redraw` shows it.

import * as address from "./address.js";
import * as api from "./api.js";
import { startAsking } from "./asking.js";
import { showCell, showCellTrouble, showNoCell } from "./cell.js";
import { pictureOf, skyUnderMouse, startSkies } from "./skies.js";
import { showComposition, showSamples, showStrip } from "./composition.js";
import { openSheet, startDesk } from "./desk.js";
import { showDifferences } from "./differences.js";
import { $, colour, el, named, say, tabs } from "./dom.js";
import { markGrade, showGrades } from "./grades.js";
import { groupsOf, tally } from "./groups.js";
import { groupKey, showGroups } from "./grouped.js";
import { figureOf, keyOf } from "./legend.js";
import { litRow, positions, startLights } from "./lit.js";
import { keepTo } from "./kept.js";
import { CellMap } from "./map.js";
import { meaningOf } from "./meaning.js";
import { shortOf } from "./named.js";
import { levelsOf, painted, typeRows } from "./painted.js";
import { recount } from "./recount.js";
import { otherwise, showRenamed } from "./renamed.js";
import { startSample } from "./sample.js";
import { showScores } from "./scores.js";
import { showSettings } from "./used.js";
import { startSearch } from "./search.js";
import { stageThreshold } from "./threshold.js";
import { showTable } from "./table.js";
import { markFiles, showCommands, showFiles } from "./take.js";
import { showTip } from "./tip.js";
import { view } from "./view.js";
import { place } from "./reach.js";
import { breakable, capital, counted, moment, number, score, span } from "./words.js";

// Up to this much above the least score that an answer has it isn’t sure.
const UNSURE = 0.2;
let open = null, showTab = null;

export function closeResult() {
  open?.map.close();
  open?.unlisten();
  open = null;
}

export async function showResult(job, { onDelete, onAgain, onSave, version, hasIndex }) {
  // What only a result needs is fetched with it, not with the start.
  const [summary, cells, columns, { Mine }] = await Promise.all([api.summary(job.id), api.map(job.id), api.columns(job.id), import("./mine.js")]);
  if (summary.groups) cells.group = await api.groups(job.id);
  summary.levels = levelsOf(summary);
  closeResult();
  view("result", job.name);
  const below = Math.min(Math.max(summary.least_score, UNSURE) + UNSURE, 1);
  const look = { by: "type", level: 0, gene: null, chosen: null, unsure: false, below };
  const types = new Map(summary.types.map((type) => [type.index, type]));
  const map = new CellMap($("map"), { version, onPick: pick, onHover: hover, onReady: () => { $("map").dataset.drawn = "yes"; },
    describe: () => figureOf(open), onLocated: ({ path }) => open?.sample.located(path) });
  open = { job, summary, cells, look, types, map, hasIndex, usual: below, unlisten: address.onChange(follow) };
  open.mine = new Mine(job, cells, summary, columns, {
    onChange: () => { recounted(); note(); }, onHighlight: highlight, onOpen: choose, onColour: byOwnColumn, onMove: moved, onTrouble: refused,
  });
  heading(job, summary);
  stage({ onDelete, onAgain });
  startPanels();
  open.map.points(cells);
  open.mine.stage();
  showFiles(open);
  count();
  showNoCell();
  startSkies({ job, summary, onGene: paintGene });
  showSettings(job, { threshold: summary.saved_threshold ?? summary.threshold });
  stageThreshold(job.id, summary, { onMoved: showAnswers, onSave });
  await follow(address.read());
  await Promise.all([showCommands(job), open.mine.start()]);
  recounted();
}

// The same cells with other answers: those at another threshold.
function showAnswers(summary, { score: score_n, type }) {
  const { job, cells, look, types, mine } = open;
  Object.assign(cells, { score: score_n, type });
  open.summary = { ...summary, levels: levelsOf(summary) };
  types.clear();
  summary.types.forEach((kind) => types.set(kind.index, kind));
  if (look.by === "level" && !open.summary.levels[look.level]) Object.assign(look, { by: "type", level: 0 });
  look.chosen = null;
  mine.answered(open.summary);
  startPanels();
  document.querySelector("input[name=by][value=level]").closest("label").hidden = open.summary.levels.length === 0;
  heading(job, open.summary);
  controls();
  recounted();
  if ($("panel-cell").hidden || !$("which-cell").value) showNoCell();
  else visit($("which-cell").value);
}

function heading(job, { cells, named: answered, allowed, tissues, levels, samples, differences, changed_by_neighbours: changed }) {
  $("result-title").replaceChildren(...breakable(job.name));
  $("result-lead").textContent = `${number(answered)} of ${counted(cells, "cell")} ${answered === 1 ? "has" : "have"} a type.${allowed ? ` Answers were kept to ${allowed}.` : ""}${tissues ? ` ${tissues}` : ""}${changed ? ` ${otherwise(changed)}` : ""}`;
  showGrades(open.cells, open.summary, choose);
  showRenamed(open.summary);
  showSamples(samples);
  showDifferences(differences, { onOpen: openChange });
  $("level").replaceChildren(...levels.map(({ name }, at) => el("option", { value: at }, capital(name))));
  const until = moment(job.expires);
  $("kept").textContent = job.expires
    ? `Kept on ${place()} for another ${span(until - Date.now())}, until ${until.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}; then deleted.`
    : "";
}

function startPanels() {
  const acts = { hasIndex: open.hasIndex, controls, highlight, note, onCell: (position) => visit(String(position)), paintGene, redraw, setBy, showTab };
  Object.assign(open, { sample: startSample(open, acts), ask: startAsking(open, acts) });
}

// All that counts cells but isn't drawn with the map.
function count() {
  const { cells, mine, summary, types } = open;
  const broad = summary.levels.length ? groupsOf(summary, 0) : groupsOf(summary);
  const { groups, types: own, cells: n, unknown } = recount(cells, broad, types, (i) => mine.has(i));
  showStrip(groups, n);
  showComposition(groups, own, { cells: n, unknown, onPress: (group) => choose(`${group.term}+`) });
  showScores({ n, score: cells.score.filter((_, i) => mine.has(i)) }, mine.isOn ? { ...summary, unknown: { cells: unknown } } : summary);
  $("sample-all").hidden = !mine.isOn;
  keepTo(mine.filters);
  markFiles(open.job.id, mine.filters);
}

window.addEventListener("filtered", () => open?.mine.refiltered());
// A type of the table of differences, which may be one that no cell has as its answer: all that are below it.
function openChange({ term, name, short }) {
  const own = open.summary.types.filter(({ path }) => path.some((above) => above.term === term)).map(({ index }) => index);
  const isOne = term === "unknown" || (own.length === 1 && open.types.get(own[0]).term === term);
  choose(isOne ? term : `${term}+`, isOne ? undefined : { types: own, name: shortOf({ name, short }) });
}

// What follows comes when the server has answered: the reader may have left by then.
function recounted() {
  if (!open) return;
  count();
  redraw();
}

function byOwnColumn() {
  if (!open) return;
  setBy("column");
  showTab("tab-column");
  redraw();
  note();
}

function refused(error) {
  if (!open) return;
  controls();
  $("shown").textContent = error.message;
}

// The cells lie elsewhere: on a map of the file, or back on ours.
function moved(name) {
  if (!open) return;
  placed(name);
  redraw();
  note();
}

function placed(name) {
  $("map-title").textContent = name;
  open.map.points(open.cells);
}

function stage({ onDelete, onAgain }) {
  const { job, look } = open;
  if (!showTab) {
    showTab = tabs(document.querySelector("#result [role=tablist]"));
    startLights(["types", "groups-table"], { cellsOf, onLight: (lit) => open?.map.light(lit) });
    startDesk();
  }
  showTab("tab-types");
  $("tab-groups").hidden = !open.summary.groups;
  $("delete").onclick = onDelete;
  $("once-more").onclick = onAgain;
  document.querySelector("input[name=by][value=level]").closest("label").hidden = open.summary.levels.length === 0;
  document.querySelectorAll("input[name=by]").forEach((radio) => { radio.onchange = () => colourBy(radio.value); });
  $("level").onchange = () => { look.level = Number($("level").value); look.chosen = null; open.sample.card(null); redraw(); note(); };
  $("unsure").onchange = () => { look.unsure = $("unsure").checked; redraw(); note(); };
  $("below").oninput = () => { look.below = Number($("below").value); look.unsure = true; $("unsure").checked = true; redrawSoon(); note({ quietly: true }); };
  $("go").onsubmit = (event) => { event.preventDefault(); visit($("which-cell").value.trim()); };
  startSearch(job.id, {
    types: () => groupsOf(open.summary), columns: open.mine.columns.list, onColumn: (hit) => open.ask.column(hit), colorOf: (index) => open.types.get(index).color,
    onType: ({ term, name, short, types }) => choose(types.length === 1 ? open.types.get(types[0]).term : `${term}+`, { types, name: shortOf({ name, short }) }), onGene: paintGene,
  });
}

window.addEventListener("theme", () => open && redraw());

// What the address says is looked at; a part that the result doesn't have is passed over.
async function follow(wish) {
  const { look, summary } = open;
  const here = open;
  const level = summary.levels.findIndex(({ name }) => name === wish.level);
  look.level = Math.max(level, 0);
  look.unsure = wish.below > 0 && wish.below <= 1;
  look.below = look.unsure ? Number(wish.below) : open.usual;
  look.by = { score: "score", gene: wish.gene ? "gene" : null, tree: "tree", level: level >= 0 ? "level" : null }[wish.by] ?? "type";
  const name = await open.mine.follow(wish);
  if (open !== here) return;
  if (name) placed(name);
  if (wish.by === "column" && open.mine.column) { look.by = "column"; showTab("tab-column"); }
  if (wish.gene && wish.gene !== look.gene?.symbol) {
    look.gene = await api.gene(open.job.id, wish.gene).catch(() => null);
    if (open !== here) return;
    if (!look.gene && look.by === "gene") look.by = "type";
  }
  look.chosen = wish.chosen ? meaningOf(open, wish.chosen) : null;
  if (look.by === "tree") look.by = open.ask.follow(wish) ? "tree" : "type";
  controls();
  count();
  open.sample.card(look.chosen?.types && look.by !== "tree" ? look.chosen : null, { quietly: true });
  redraw();
  if ((wish.cell ?? null) === (look.cell ?? null)) return;
  look.cell = wish.cell ?? null;
  if (look.cell) await visit(look.cell);
  else { open.asked = null; open.map.mark(null); showNoCell(); }
}

// Write down what is looked at.
function note(options) {
  const { look, summary } = open;
  address.write({
    by: ["type", "curated"].includes(look.by) ? null : look.by,
    level: look.by === "level" ? summary.levels[look.level].name : null,
    gene: look.by === "gene" ? look.gene.symbol : null,
    chosen: look.chosen?.isPassing ? null : look.chosen?.key, cell: look.cell, below: look.unsure ? look.below : null,
    ...open.mine.noted(look.by),
  }, options);
}

function controls() {
  const { look } = open;
  document.querySelectorAll("input[name=by]").forEach((radio) => { radio.checked = radio.value === look.by; });
  $("gene-name").textContent = look.gene?.symbol ?? "Gene";
  $("level").value = look.level;
  $("unsure").checked = look.unsure;
  $("below").value = look.below;
}

// Without a gene there is nothing to colour by yet: the search box asks which.
function colourBy(what) {
  const { look } = open;
  if (what === "gene" && !look.gene) {
    controls();
    say("Which gene?");
    $("search").focus();
    return;
  }
  if (what === "column") {
    open.mine.take();
    return;
  }
  setBy(what);
  if (what === "type" || what === "level") open.sample.card(null);
  redraw();
  note();
}

function setBy(what) {
  Object.assign(open.look, { by: what, chosen: null });
  controls();
}

// Choosing the same again lets go.
function choose(key, told) {
  const { look } = open;
  look.chosen = look.chosen?.key === key ? null : meaningOf(open, key, told);
  open.sample.card(look.chosen?.types ? look.chosen : null);
  highlighted();
}

// The same for cells that no key of an address can mean: `has` says which.
function highlight(has, name, key) {
  const { look } = open;
  look.chosen = look.chosen?.key === key ? null : { has, name, key, isPassing: true };
  highlighted();
}

function highlighted() {
  const { chosen } = open.look;
  open.ask.leave();
  say(chosen ? `${chosen.name}: highlighted.` : "All cells are shown.");
  redraw();
  note();
}

// A row's cells, to be lit up while it is pointed at.
function cellsOf(key) {
  const { cells, look, isSure } = open;
  const found = meaningOf(open, key);
  if (!found || look.chosen) return null;
  return { key, position: positions(cells.n, (i) => found.has(i) && isSure(i)), color: open.colors.get(key) ?? colour("--unknown") };
}

let soon = null;

// However many steps a slider makes, the page shows the latest once a frame.
function redrawSoon() {
  soon ??= requestAnimationFrame(() => { soon = null; if (open) redraw(); });
}

function redraw() {
  const { summary, cells, look, map, mine } = open;
  const groups = groupsOf(summary, look.by === "level" ? look.level : null);
  const isScored = (i) => !look.unsure || cells.score[i] < look.below;
  const isSure = (i) => mine.has(i) && isScored(i);
  const isShown = look.chosen ? (i) => isSure(i) && look.chosen.has(i) : isSure;
  Object.assign(open, { isSure, isShown });
  const { paint, labels, row_n } = painted(open, groups, { isShown, isPart: isPart() });
  Object.assign(open, { paint, isPart: isPart() });
  map.paint(paint, labels);
  // the ring of a cell that isn't shown would seem to be of what is
  const ringed = look.cell && Number(look.cell);
  map.mark(Number.isInteger(ringed) && ringed < cells.n && isShown(ringed) ? ringed : null);
  if (summary.groups) {
    const own = tally(cells, cells.group, 65536, isSure);
    showGroups(summary.groups.map((group, at) => ({ ...group, cells: own[at].cells })), cells.n, {
      chosen: look.chosen?.key, onGene: paintGene, onSort: () => redraw(),
      onPress: (at) => choose(groupKey(at)),
    });
  }
  mine.show({ isShown: isSure, isScored, chosen: look.chosen?.key });
  open.ask.show(isSure);
  $("which-column").hidden = look.by !== "column";
  open.keys = [...groups.map(({ term }) => term), "unknown"];
  open.row_n = row_n;
  open.colors = new Map([...groups.map(({ term, color }) => [term, color]), ...(summary.groups ?? []).map(({ color }, at) => [groupKey(at), color])]);
  markGrade(look.chosen?.key);
  const rows = typeRows(open, groups, tally(cells, row_n, groups.length + 1, isSure), look.unsure || mine.isOn);
  showTable("types", rows, { chosen: look.chosen?.key, onPress: (row) => choose(row.key), onSort: () => redraw() });
  describe(isShown);
  $("which").hidden = look.by !== "level" || summary.levels.length < 2;
  $("below-out").textContent = score(look.below);
}

// Whether some cells are faint.
const isPart = () => open.look.unsure || open.look.chosen || open.mine.isOn;

function describe(isShown) {
  const { cells, look } = open;
  let shown = 0;
  for (let i = 0; i < cells.n; i += 1) shown += isShown(i);
  const all = counted(cells.n, "cell");
  $("shown").replaceChildren(...(look.chosen ? [named(look.chosen.name), ": "] : []), isPart() ? `${number(shown)} of ${all}` : all);
  $("ask-shown").hidden = !isPart() || look.chosen?.types !== undefined || Boolean(look.chosen?.key.startsWith("selection"));
  $("key").replaceChildren(...(look.by === "column" ? open.mine.key() : keyOf(look)));
}

async function paintGene(symbol) {
  const { job, look } = open;
  try {
    look.gene = await api.gene(job.id, symbol);
  } catch (error) {
    $("shown").textContent = error.message;
    return;
  }
  setBy("gene");
  say(`The map is coloured by ${symbol}.`);
  redraw();
  note();
}

function pick({ position }) {
  visit(String(position));
  openSheet();
}

async function visit(which) {
  const { job, map, types, cells, summary } = open;
  showTab("tab-cell");
  // The answer may come after another cell was asked for, or while the next is being typed.
  const asked = (open.asked = {}), typed = $("which-cell").value;
  const isLate = () => open?.asked !== asked;
  try {
    const cell = await api.cell(job.id, which);
    if (isLate()) return;
    map.mark(cell.position);
    open.look.cell = String(cell.position);
    note();
    if ($("which-cell").value === typed) $("which-cell").value = cell.position;
    say(`Cell ${cell.position}: ${cell.type}, score ${score(cell.score)}`);
    showCell(cell, types.get(cells.type[cell.position])?.color ?? colour("--unknown"), { group: summary.groups?.[cells.group[cell.position]]?.name, onGene: paintGene, picture: pictureOf(cell) });
  } catch (error) {
    if (!isLate()) showCellTrouble(error.message);
  }
}

function hover({ position, left, top }) {
  if (!open) return; // the mouse leaves the map of a result that was just deleted
  skyUnderMouse(position);
  litRow("types", position === null ? null : open.keys[open.row_n[position]]);
  showTip(open, position, left, top);
}
