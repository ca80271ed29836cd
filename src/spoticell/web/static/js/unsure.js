// Cells whose answers aren't sure, with the reason of each: a list to walk through, on the map too.

import * as api from "./api.js";
import { whoseMixed } from "./cautions.js";
import { $, el, named, say } from "./dom.js";
import { LIKELY } from "./glossary.js";
import { UNKNOWN } from "./groups.js";
import { shortOf } from "./named.js";
import { counted, number, percent, score } from "./words.js";

const PAGE = 50;
// What the server calls cells whose answer is sure, but which are called another type alone.
const MOVED = "named by neighbours";
const MIXED = "looks like two cells";
// Where letters are typed they are no commands.
const TYPED = "input, textarea, select, [contenteditable]";

export class UnsureCells {
  // `has(i)` says which cells the filters leave; `onCell(position)` shows one, `onMark(position)` marks it on the map,
  // `onHighlight(has, name, key)` highlights several.
  // `cells` with the types of all, `summary` as it is shown.
  constructor(place, id, { cells, summary }, does) {
    Object.assign(this, { place, id, cells, summary, types: summary.types, does, type: null, reason: null, codes: null, pages: new Map(), told: null, at: -1 });
    place.replaceChildren(el("p", { class: "small" }, "Looking for unsure cells …"));
  }

  // The first look at the panel asks.
  async start() {
    if (this.codes) {
      this.draw();
      return;
    }
    this.codes = new Uint8Array(0);
    try {
      const [codes] = await Promise.all([api.unsureCodes(this.id), this.row(0)]);
      this.codes = codes;
      this.draw();
    } catch (error) {
      this.codes = null;
      this.place.replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
    }
  }

  async row(k) {
    const page = Math.floor(k / PAGE);
    const { reason, type } = this;
    if (!this.pages.has(page)) {
      const told = await api.unsure(this.id, { reason, type, start: page * PAGE, most: PAGE });
      if (reason !== this.reason || type !== this.type) return null;
      this.pages.set(page, told.rows);
      this.told = told;
    }
    return this.pages.get(page)[k - page * PAGE] ?? null;
  }

  async take({ reason, code }, type = this.type) {
    Object.assign(this, { reason, type, at: -1 });
    this.pages.clear();
    if (!(await this.tried(this.row(0)))) return;
    const { codes, cells } = this;
    const isOf = (i) => type === null || cells.type[i] === type;
    const name = [reason ? `Unsure: ${reason}` : "Unsure cells", type !== null && this.nameOf(type)].filter(Boolean).join(", ");
    this.does.onHighlight((i) => isOf(i) && (code === null ? codes[i] > 0 : codes[i] === code), name, `unsure ${reason ?? "all"} ${type ?? ""}`);
    this.draw();
  }

  nameOf(type) {
    return type === UNKNOWN ? "unknown" : shortOf(this.types.find(({ index }) => index === type));
  }

  // A choice of one type, of those that have unsure cells.
  choice() {
    const count = new Map();
    this.codes.forEach((code, i) => { if (code) count.set(this.cells.type[i], (count.get(this.cells.type[i]) ?? 0) + 1); });
    const types = [...count].sort((a, b) => b[1] - a[1]);
    const all = types.reduce((sum, [, n]) => sum + n, 0);
    const options = [["", "all types", all], ...types.map(([type, n]) => [type, this.nameOf(type), n])];
    return el("label", { class: "choice" }, el("span", {}, "Type"), el("select", { "data-key": "type", "aria-label": "Type of the unsure cells",
      onchange: ({ target }) => this.take({ reason: null, code: null }, target.value === "" ? null : Number(target.value)) },
      ...options.map(([value, name, n]) => el("option", { value, selected: String(value) === String(this.type ?? "") }, `${name} (${number(n)})`))));
  }

  // What was asked for, or nothing and a word why not.
  async tried(answer) {
    try {
      return await answer;
    } catch (error) {
      say(error.message);
      return null;
    }
  }

  // To the next cell that the filters leave, or the one before.
  async step(by) {
    if (!this.told) return;
    const mine = (this.walking = {});
    for (let k = this.at + by; k >= 0 && k < this.told.cells; k += by) {
      const row = await this.tried(this.row(k));
      if (mine !== this.walking || !row) return;
      if (this.does.has(row.position)) {
        this.go(k, row);
        return;
      }
    }
    say(by > 0 ? "That was the last." : "That was the first.");
  }

  go(k, row) {
    this.at = k;
    this.does.onMark(row.position);
    say(`${number(k + 1)} of ${number(this.told.cells)}: cell ${number(row.position)}, ${row.short}, score ${score(row.score)}, ${why(row)}`);
    this.draw();
    this.place.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  }

  // A letter anywhere beside or on the map, while the list is what is looked at.
  press(event) {
    const by = { n: 1, p: -1 }[event.key];
    if (!by || $("panel-unsure").hidden || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(TYPED)) return;
    event.preventDefault();
    this.step(by);
  }

  draw() {
    const { told, at } = this;
    if (!told) return;
    const all = told.reasons.reduce((sum, { cells }) => sum + cells, 0);
    const moved = told.reasons.find(({ reason }) => reason === MOVED)?.cells ?? 0;
    const doubtful = all - moved;
    if (!all && this.type === null) {
      this.place.replaceChildren(el("div", { class: "empty few" }, el("p", { class: "big" }, "All answers are sure"), el("p", {}, `No cell has a score below ${score(LIKELY)}, stayed unknown or is contradicted.`)));
      return;
    }
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const top = this.place.querySelector("ol")?.scrollTop ?? 0;
    const start = Math.floor(Math.max(at, 0) / PAGE) * PAGE;
    const rows = (this.pages.get(start / PAGE) ?? []).map((row, k) => [start + k, row]).filter(([, row]) => this.does.has(row.position));
    const step = (by, text) => el("button", { type: "button", class: "button", "data-key": text, disabled: by < 0 ? at <= 0 : at >= told.cells - 1, onclick: () => this.step(by) }, text);
    this.place.replaceChildren(
      el("p", { class: "small" }, `${counted(doubtful, "cell")} ${this.type === null ? `(${percent(doubtful / this.cells.n)})` : `called ${this.nameOf(this.type)}`} ${doubtful === 1 ? "isn’t" : "aren’t"} sure.${moved ? ` ${counted(moved, "more cell")} would be called another type alone: ${moved === 1 ? "its" : "their"} neighbours decided.` : ""} Press a reason to see its cells.`),
      this.choice(),
      el("ul", { class: "plain unsure-reasons" }, ...[{ reason: null, code: null, cells: all }, ...told.reasons].map((one) => this.chip(one))),
      ...(told.reasons.some(({ reason }) => reason === MIXED) && whoseMixed(this.summary) ? [el("p", { class: "small" }, whoseMixed(this.summary))] : []),
      el("div", { class: "walk" }, step(-1, "← Previous"), el("span", { class: "small" }, at < 0 ? counted(told.cells, "cell") : `${number(at + 1)} of ${number(told.cells)}`), step(1, "Next →")),
      el("p", { class: "small" }, "Keys: ", el("kbd", {}, "n"), " next, ", el("kbd", {}, "p"), " previous. The cell is ringed on the map."),
      el("ol", { class: "plain unsure-list", start: start + 1 }, ...rows.map(([k, row]) => this.line(k, row))),
      el("p", { class: "small" }, rows.length ? `In the annotated h5ad and the table the reason is in the column spoticell_reason${moved ? "; what a cell is called alone is in spoticell_single_cell_type" : ""}.` : "The filters leave none of these."));
    this.place.querySelector("ol").scrollTop = top;
    if (focused) this.place.querySelector(`[data-key="${CSS.escape(focused)}"]:not(:disabled)`)?.focus({ preventScroll: true });
  }

  chip(one) {
    const key = one.reason ?? "all reasons";
    return el("li", {}, el("button", { type: "button", class: "chip", "data-key": key, "aria-pressed": String(one.reason === this.reason), onclick: () => this.take(one) }, el("span", {}, key), el("b", {}, number(one.cells))));
  }

  line(k, row) {
    const isHere = k === this.at;
    return el("li", { "aria-current": isHere ? "true" : null },
      el("button", { type: "button", class: "plainly", "data-key": `row ${k}`, onclick: () => this.go(k, row) }, el("span", { class: "type-name" }, row.short), el("span", { class: "value" }, score(row.score)),
        el("small", {}, why(row)), el("small", { class: "cell-name" }, named(row.name), ` · ${counted(row.n_counts, "count")}`)),
      isHere && el("button", { type: "button", class: "button", "data-key": "look", onclick: () => this.does.onCell(row.position) }, "Look at this cell"));
  }
}

const why = ({ reason, short, second, alone }) => `${second ? `between ${short} and ${second}` : reason}${alone ? `; alone ${alone}` : ""}`;
