// A result: the map and all that looks at the same cells. What is looked at stands in `look`; `redraw` shows it.

import * as api from "./api.js";
import { showCell, showCellTrouble, showNoCell } from "./cell.js";
import { showComposition, showSamples, showStrip } from "./composition.js";
import { $, colour, el, inkOn, say, tabs } from "./dom.js";
import { anchors, byGene, byGroup, byScore, faint, groupsOf, ramp, tally } from "./groups.js";
import { groupKey, showGroups } from "./grouped.js";
import { CellMap } from "./map.js";
import { showScores } from "./scores.js";
import { showSettings } from "./settings.js";
import { startSearch } from "./search.js";
import { showTable } from "./table.js";
import { showCommands, showFiles } from "./take.js";
import { view } from "./view.js";
import { breakable, capital, counted, moment, number, percent, place, score, span } from "./words.js";

// Levels on which types are put together; on the finest each stands alone, which is what `type` shows.
const levelsOf = ({ levels, types }) => levels.filter(({ groups }) => groups.length < types.length);

const LABEL_FROM = 0.004;
// Up to this much above the least score that an answer has it isn’t sure.
const UNSURE = 0.2;
let open = null;
let showTab = null;

export function closeResult() {
  open?.map.close();
  open = null;
}

export async function showResult(job, { onDelete, onAgain, version }) {
  const [summary, cells] = await Promise.all([api.summary(job.id), api.map(job.id)]);
  if (summary.groups) cells.group = await api.groups(job.id);
  summary.levels = levelsOf(summary);
  closeResult();
  view("result", job.name);
  const look = { by: "type", level: 0, gene: null, chosen: null, unsure: false, below: Math.min(Math.max(summary.least_score, UNSURE) + UNSURE, 1) };
  const types = new Map(summary.types.map((type) => [type.index, type]));
  open = { job, summary, cells, look, types, map: new CellMap($("map"), { version, onPick: pick, onHover: hover, onReady: () => { $("map").dataset.drawn = "yes"; } }) };
  heading(job, summary);
  stage({ onDelete, onAgain });
  open.map.points(cells);
  redraw();
  showNoCell();
  showScores(cells, summary);
  showFiles(job.id);
  showSettings(job, summary);
  await showCommands(job.id);
}

function heading(job, { cells, named, allowed, tissues, levels, samples, changed_by_neighbours: changed }) {
  $("result-title").replaceChildren(...breakable(job.name));
  $("result-lead").textContent = `${number(named)} of ${counted(cells, "cell")} ${named === 1 ? "has" : "have"} a type (${percent(named / cells)}).${allowed ? ` Answers were kept to ${allowed}.` : ""}${tissues ? ` ${tissues}` : ""}${changed ? ` ${otherwise(changed)}` : ""}`;
  const broad = levels.length ? groupsOf(open.summary, 0) : groupsOf(open.summary);
  showStrip(broad, cells);
  showComposition(broad, open.types, { cells, unknown: cells - named, onPress: (group) => choose(group.types, group.name, group.term) });
  showSamples(samples);
  $("level").replaceChildren(...levels.map(({ name }, at) => el("option", { value: at }, capital(name))));
  const until = moment(job.expires);
  $("kept").textContent = job.expires
    ? `Kept on ${place()} for another ${span(until - Date.now())}, until ${until.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}; then deleted.`
    : "";
}

const otherwise = (changed) =>
  `${counted(changed, "cell")} ${changed === 1 ? "is" : "are"} named otherwise than alone, by ${changed === 1 ? "its" : "their"} neighbours.`;

function stage({ onDelete, onAgain }) {
  const { job, look } = open;
  showTab ??= tabs(document.querySelector("#result [role=tablist]"));
  showTab("tab-types");
  $("tab-groups").hidden = !open.summary.groups;
  $("delete").onclick = onDelete;
  $("once-more").onclick = onAgain;
  document.querySelector("input[name=by][value=type]").checked = true;
  document.querySelector("input[name=by][value=level]").closest("label").hidden = open.summary.levels.length === 0;
  $("gene-name").textContent = "Gene";
  document.querySelectorAll("input[name=by]").forEach((radio) => { radio.onchange = () => colourBy(radio.value); });
  $("level").onchange = () => { look.level = Number($("level").value); look.chosen = null; redraw(); };
  $("unsure").checked = false;
  $("below").value = look.below;
  $("unsure").onchange = () => { look.unsure = $("unsure").checked; redraw(); };
  $("below").oninput = () => { look.below = Number($("below").value); look.unsure = true; $("unsure").checked = true; redraw(); };
  $("go").onsubmit = (event) => { event.preventDefault(); visit($("which-cell").value.trim()); };
  startSearch(job.id, {
    types: () => [...open.types.values()].filter(({ cells }) => cells).map((type) => ({ ...type, types: [type.index] })),
    onType: (type) => choose(type.types, type.name, type.term), onGene: paintGene,
  });
}

window.addEventListener("theme", () => open && redraw());

// Without a gene there is nothing to colour by yet: the search box asks which.
function colourBy(what) {
  const { look } = open;
  if (what === "gene" && !look.gene) {
    document.querySelector(`input[name=by][value=${look.by}]`).checked = true;
    say("Which gene?");
    $("search").focus();
    return;
  }
  look.by = what;
  look.chosen = null;
  redraw();
}

function choose(types, name, key) {
  const own = new Set(types);
  highlight((i) => own.has(open.cells.type[i]), name, key);
}

// The cells that are highlighted, `has` says which; choosing them again lets go.
function highlight(has, name, key) {
  const { look } = open;
  look.chosen = look.chosen?.key === key ? null : { has, name, key };
  say(look.chosen ? `${name} is highlighted.` : "All cells are shown.");
  redraw();
}

function redraw() {
  const { summary, cells, look, map } = open;
  const groups = groupsOf(summary, look.by === "level" ? look.level : null);
  const isSure = (i) => !look.unsure || cells.score[i] < look.below;
  const isShown = look.chosen ? (i) => isSure(i) && look.chosen.has(i) : isSure;
  const grouped = byGroup(cells, groups);
  const paint = { score: () => byScore(cells), gene: () => byGene(cells, look.gene) }[look.by]?.() ?? grouped;
  const labels = look.by === "type" || look.by === "level" ? numbers(grouped, groups, isShown) : [];
  map.paint(look.unsure || look.chosen ? faint(paint, isShown) : paint, labels);
  if (summary.groups) {
    showGroups(summary.groups, cells.n, {
      chosen: look.chosen?.key, onGene: paintGene, onSort: () => redraw(),
      onPress: (at, name) => highlight((i) => cells.group[i] === at, `Group ${name}`, groupKey(at)),
    });
  }
  table(groups, tally(cells, grouped.group_n, groups.length + 1, isSure));
  describe(isShown);
  $("which").hidden = look.by !== "level" || summary.levels.length < 2;
  $("below-out").textContent = score(look.below);
}

function numbers(paint, groups, isShown) {
  const { cells, look } = open;
  const shown_n = look.chosen || look.unsure ? faint(paint, isShown).group_n : paint.group_n;
  return anchors(cells, shown_n, groups.length, Math.max(cells.n * LABEL_FROM, 1)).map(({ group, x, y }) =>
    ({ x, y, text: String(groups[group].number), color: groups[group].color, ink: inkOn(groups[group].color) }));
}

function table(groups, tallied) {
  const { summary, look, cells } = open;
  let rows = groups.map((group, at) => ({ ...group, ...tallied[at], key: group.term, isUnknown: false, share: tallied[at].cells / cells.n }));
  const unknown = tallied[groups.length];
  if (summary.unknown.cells) {
    rows.push({ key: "unknown", name: "unknown", term: null, color: "#9a9a9a", number: null, types: [65535], ...unknown, isUnknown: true, share: unknown.cells / cells.n });
  }
  if (look.unsure) rows = rows.filter((row) => row.cells);
  showTable("types", rows, { chosen: look.chosen?.key, onPress: (row) => choose(row.types, row.name, row.key), onSort: () => redraw() });
}

function describe(isShown) {
  const { cells, look } = open;
  let shown = 0;
  for (let i = 0; i < cells.n; i += 1) shown += isShown(i);
  const name = look.chosen ? `${look.chosen.name}: ` : "";
  $("shown").textContent = name || look.unsure ? `${name}${number(shown)} of ${counted(cells.n, "cell")}` : counted(cells.n, "cell");
  const scale = (low, high) => [low, el("span", { class: "scale" }, ...ramp(8).map((shade) => el("i", { style: { background: shade } }))), high];
  const key = { score: () => scale("score 0", "1"), gene: () => [el("b", {}, look.gene.symbol), ...scale("few", `${number(look.gene.max)} counts`)] }[look.by];
  $("key").replaceChildren(...(key?.() ?? ["numbers as in the table of types"]));
}

async function paintGene(symbol) {
  const { job, look } = open;
  try {
    look.gene = await api.gene(job.id, symbol);
  } catch (error) {
    $("shown").textContent = error.message;
    return;
  }
  look.by = "gene";
  look.chosen = null;
  $("gene-name").textContent = symbol;
  document.querySelector("input[name=by][value=gene]").checked = true;
  say(`The map is coloured by ${symbol}.`);
  redraw();
}

const pick = ({ position }) => visit(String(position));

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
    if ($("which-cell").value === typed) $("which-cell").value = cell.position;
    say(`Cell ${cell.position}: ${cell.type}, score ${score(cell.score)}`);
    showCell(cell, types.get(cells.type[cell.position])?.color ?? colour("--unknown"), { group: summary.groups?.[cells.group[cell.position]]?.name, onGene: paintGene });
  } catch (error) {
    if (!isLate()) showCellTrouble(error.message);
  }
}

function hover({ position, left, top }) {
  $("tip").hidden = position === null;
  if (position === null) return;
  const { cells, types } = open;
  const name = types.get(cells.type[position])?.name ?? "unknown";
  $("tip").replaceChildren(el("b", {}, name), ` ${score(cells.score[position])}`);
  const width = $("map").clientWidth;
  $("tip").style.left = `${Math.min(Math.max(left, 90), width - 90)}px`;
  $("tip").style.top = `${top}px`;
  $("tip").classList.toggle("below", top < 60);
}
