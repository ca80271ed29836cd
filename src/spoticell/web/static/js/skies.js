// Pictures of a result's cells and types on the gene grid: of one cell, of the cell under the mouse, of each type, and
// two of them side by side with what sets them apart.

import { cellSky, typeSkies, read } from "./api.js";
import { $, el, say } from "./dom.js";
import { DIVERGING, difference, gridOf, logs, mostDifferent, skyAt } from "./grid.js";
import { openLesson } from "./lesson.js";
import { shortOf, typeName } from "./named.js";
import { sky, small } from "./sky.js";
import { startWhy } from "./why.js";
import { counted, number } from "./words.js";

const NAMED = 8;
const FIRST = 16; // types that are shown before one asks for all
const KEPT = 300; // pictures of cells that are kept for the mouse
let open = null;

export function startSkies({ job, summary, onGene }) {
  open?.watch.disconnect();
  const mine = { id: job.id, summary, onGene, pins: [], seen: new Map(), wanted: null, busy: false, watch: null };
  open = mine;
  startWhy({ id: job.id, model: summary.model, onGene });
  mine.grid = gridOf(summary.model);
  mine.grid.catch(() => {}); // whoever needs it says what went wrong
  stageInset();
  $("type-skies").replaceChildren();
  $("more-skies").hidden = true;
  showPins();
  // the pictures of types cost a look at all counts: not before somebody comes near them
  mine.watch = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    mine.watch.disconnect();
    showTypes(mine);
  }, { rootMargin: "300px" });
  mine.watch.observe($("skies"));
  for (const button of document.querySelectorAll("#result [data-lesson]")) button.onclick = () => openLesson({ model: summary.model });
}

// One cell

const counts = (value) => (value ? counted(value, "count") : "no count");
const level = (value) => `mean ${value.toFixed(2)}`;

export function pictureOf(cell) {
  const mine = open;
  const names = cell.genes.map(({ symbol, counts: n }) => `${symbol} ${n}`).join(", ");
  const label = `The cell on the gene grid. Genes that stand out: ${names}.`;
  const place = el("div", { class: "sky-place" }, el("div", { class: "sky" }));
  draw();
  return place;

  async function draw() {
    try {
      const grid = await mine.grid;
      const picture = await skyAt(cellSky(mine.id, cell.position), grid);
      const pin = { kind: "cell", key: `cell ${cell.position}`, name: `Cell ${number(cell.position)}`, about: cell.type, picture, genes: cell.genes };
      place.replaceChildren(
        sky(grid, picture, { label, genes: cell.genes, word: counts, onGene: mine.onGene }),
        el("p", { class: "row" },
          el("button", { type: "button", class: "button small-button", onclick: () => { addPin(mine, pin); } }, "Pin"),
          el("button", { type: "button", class: "button small-button", onclick: () => openLesson({ model: mine.summary.model, levels: picture.levels, genes: cell.genes }) }, "What is this?")));
    } catch (error) {
      place.replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
    }
  }
}

// The cell under the mouse

function stageInset() {
  $("inset")?.remove();
  if (!matchMedia("(hover: hover)").matches) return;
  const canvas = el("canvas", { "aria-hidden": "true", width: 1, height: 1 });
  const inset = el("div", { id: "inset", class: "inset" }, canvas,
    el("button", { type: "button", class: "quiet", onclick: () => toggle(inset) }));
  $("map").append(inset);
  dress(inset, localStorage.getItem("inset") !== "closed");
}

function dress(inset, isOpen) {
  inset.classList.toggle("closed", !isOpen);
  inset.querySelector("button").textContent = isOpen ? "×" : "✦";
  inset.querySelector("button").setAttribute("aria-label", isOpen ? "Hide the picture of the cell under the mouse" : "Show the picture of the cell under the mouse");
}

function toggle(inset) {
  const isOpen = inset.classList.contains("closed");
  localStorage.setItem("inset", isOpen ? "open" : "closed");
  dress(inset, isOpen);
}

// One question at a time; of those that come meanwhile the latest wins.
export async function skyUnderMouse(position) {
  const mine = open;
  const inset = $("inset");
  if (!mine || !inset || inset.classList.contains("closed")) return;
  mine.wanted = position;
  if (position === null) { inset.classList.remove("lit"); return; }
  if (mine.busy) return;
  mine.busy = true;
  try {
    const grid = await mine.grid;
    while (mine.wanted !== null && open === mine) {
      const asked = mine.wanted;
      const levels = await levelsOf(mine, grid, asked);
      if (open !== mine || mine.wanted === null) break;
      inset.querySelector("canvas").replaceWith(small(grid, levels));
      inset.classList.add("lit");
      if (mine.wanted === asked) break;
    }
  } catch { /* the picture is a side dish; the panel says what is wrong when the cell is chosen */ }
  mine.busy = false;
}

async function levelsOf(mine, grid, position) {
  if (!mine.seen.has(position)) {
    if (mine.seen.size >= KEPT) mine.seen.delete(mine.seen.keys().next().value);
    mine.seen.set(position, (await skyAt(cellSky(mine.id, position), grid)).levels);
  }
  return mine.seen.get(position);
}

// The types

async function showTypes(mine) {
  $("type-skies").replaceChildren(el("li", { class: "small" }, "Working out the pictures …"));
  try {
    const grid = await mine.grid;
    const levels = new Uint8Array(await (await read(typeSkies(mine.id))).arrayBuffer());
    if (open !== mine) return;
    mine.levels = levels;
    tiles(mine, grid);
    document.querySelectorAll("#skies input[name=tiles]").forEach((radio) => { radio.onchange = () => tiles(mine, grid); });
    showPins();
  } catch (error) {
    if (open === mine) $("type-skies").replaceChildren(el("li", { class: "warning", role: "alert" }, error.message));
  }
}

function tiles(mine, grid, isAll = false) {
  const against = document.querySelector("#skies input[name=tiles]:checked").value === "against";
  const { types } = mine.summary;
  const shown = isAll || types.length <= FIRST + 2 ? types : types.slice(0, FIRST);
  const rest = types.length - shown.length;
  $("type-skies").replaceChildren(...shown.map((type) => tile(mine, grid, type, against)));
  $("more-skies").hidden = !rest;
  $("more-skies").textContent = `Show all ${types.length} types`;
  $("more-skies").onclick = () => {
    tiles(mine, grid, true);
    $("type-skies").children[FIRST].querySelector("button").focus();
  };
  showPins();
}

function tile(mine, grid, type, against) {
  const picture = against ? small(grid, difference(grid, levelsOfType(mine, grid, type.index), othersOf(mine, grid, type.index)).levels, DIVERGING)
    : small(grid, levelsOfType(mine, grid, type.index));
  return el("li", {}, el("button", { type: "button", class: "plainly tile", "data-pin": type.term, "aria-pressed": "false", onclick: () => pinType(mine, grid, type) },
    picture, el("span", {}, el("i", { class: "dot", style: { background: type.color } }), typeName(type), el("small", {}, ` ${number(type.cells)}`))));
}

const levelsOfType = ({ levels }, { side }, index) => levels.subarray(index * side ** 2, (index + 1) * side ** 2);

// The mean of the other types' pictures, each for as much as it has cells; of a type that is alone, its own.
function othersOf(mine, grid, index) {
  const { types } = mine.summary;
  if (!mine.sum) {
    mine.sum = new Float32Array(grid.side ** 2);
    for (const type of types) levelsOfType(mine, grid, type.index).forEach((bright, pixel) => { mine.sum[pixel] += type.cells * bright; });
  }
  const own = levelsOfType(mine, grid, index);
  const { cells } = types.find((type) => type.index === index);
  const others = types.reduce((sum, type) => sum + type.cells, 0) - cells;
  return others ? mine.sum.map((sum, pixel) => (sum - cells * own[pixel]) / others) : own;
}

async function pinType(mine, grid, type) {
  if (mine.pins.some(({ key }) => key === type.term)) return removePin(mine, type.term);
  try {
    const picture = await skyAt(typeSkies(mine.id, type.index), grid);
    addPin(mine, { kind: "type", key: type.term, name: shortOf(type), about: counted(type.cells, "cell"), color: type.color, picture, genes: ownGenes(mine, grid, type.index) });
  } catch (error) {
    say(error.message);
  }
}

// What is brighter in a type's picture than in the others': what is brightest is much alike in all.
function ownGenes(mine, grid, index) {
  const own = Float32Array.from(levelsOfType(mine, grid, index));
  const others = othersOf(mine, grid, index);
  return mostDifferent(grid, { values: own.map((bright, pixel) => bright - others[pixel]) }, 1, NAMED);
}

// Pins: two at most; a third takes the place of the second.

function addPin(mine, pin) {
  if (mine !== open || mine.pins.some(({ key }) => key === pin.key)) return;
  mine.pins = [...mine.pins.slice(0, 1), pin];
  say(`${pin.name} is pinned.`);
  showPins();
  if (pin.kind === "cell") $("skies").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function removePin(mine, key) {
  mine.pins = mine.pins.filter((pin) => pin.key !== key);
  showPins();
}

async function showPins() {
  const mine = open;
  const { pins } = mine;
  document.querySelectorAll("#type-skies [data-pin]").forEach((button) => button.setAttribute("aria-pressed", pins.some(({ key }) => key === button.dataset.pin)));
  $("pins").hidden = pins.length === 0;
  if (!pins.length) return $("pins").replaceChildren();
  const grid = await mine.grid;
  if (open !== mine || mine.pins !== pins) return;
  $("pins").replaceChildren(...pins.map((pin) => pinned(mine, grid, pin)), ...(pins.length === 2 ? [apart(mine, grid, pins)] : []));
}

function pinned(mine, grid, pin) {
  return el("div", { class: "pinned" },
    el("div", { class: "above" },
      el("h3", {}, pin.color && el("i", { class: "dot", style: { background: pin.color } }), pin.name, el("small", {}, ` ${pin.about}`)),
      el("button", { type: "button", class: "quiet", "aria-label": `Take ${pin.name} away`, onclick: () => removePin(mine, pin.key) }, "×")),
    sky(grid, pin.picture, { label: `${pin.name} on the gene grid.`, genes: pin.genes, word: pin.kind === "cell" ? counts : level, onGene: mine.onGene }));
}

function apart(mine, grid, [first, second]) {
  const between = difference(grid, logs(first.picture, first.kind === "type"), logs(second.picture, second.kind === "type"));
  const [more, less] = [1, -1].map((sign) => mostDifferent(grid, between, sign, NAMED));
  const side = (pin, genes, kind) => el("p", { class: "small" }, el("i", { class: `swatch ${kind}` }), `More in ${pin.name}: `, ...genes.map(({ symbol }) => geneButton(symbol, mine.onGene)));
  return el("div", { class: "pinned" },
    el("div", { class: "above" }, el("h3", {}, "The difference"),
      el("button", { type: "button", class: "button small-button", onclick: () => { mine.pins = []; showPins(); $("skies-title").scrollIntoView({ block: "nearest" }); } }, "Clear both")),
    sky(grid, between, {
      label: `What sets ${first.name} and ${second.name} apart.`, genes: [...more.slice(0, NAMED / 2), ...less.slice(0, NAMED / 2)], palette: DIVERGING, onGene: mine.onGene,
      word: (value) => (value ? `${Math.abs(value).toFixed(2)} more in ${value > 0 ? first.name : second.name}` : "no difference"),
    }),
    side(first, more, "first"), side(second, less, "second"),
    el("p", { class: "small" }, "Of log-normalised counts (10,000 counts a cell, natural logarithm)."));
}

const geneButton = (symbol, onGene) => el("button", { type: "button", class: "plainly gene", title: `Colour the map by ${symbol}`, onclick: () => onGene(symbol) }, symbol);
