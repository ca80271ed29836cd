// The file's own columns on the page: to colour by, to choose cells by, to set against the types; and its own maps.

import * as api from "./api.js";
import { offerActs } from "./caution_acts.js";
import { whoseMixed } from "./cautions.js";
import { Columns, NO_VALUE, byColumn, colourOf, said, span, written } from "./columns.js";
import { showColumn } from "./columnpanel.js";
import { Compare } from "./compare.js";
import { Cross } from "./cross.js";
import { $, colour, el, say } from "./dom.js";
import { Filters, showChips } from "./filters.js";
import { byGroup, groupsOf, ramp } from "./groups.js";
import { startQuality } from "./quality.js";
import { showWays } from "./ways.js";

// From so many columns on they are looked for by typing.
const MANY = 12;
const IN_KEY = 6;
// The run's own column of what mixed cells are mixed of.
const MIXED = "run mixed";
const CONDITIONS = ["condition", "stim", "treat", "disease", "status", "genotype", "group", "time", "sample", "donor", "patient", "batch"];
const LABELS = ["celltype", "annot", "label", "ident", "type", "cluster", "leiden", "louvain"];
// Of a column that is offered first: more values are no conditions.
const FEW = 24;

// Cautions on programmes that can give cells the name of a type near their own.
const PROGRAM = "program";

export class Mine {
  // `onChange()` draws all again, `onHighlight(has, name, key)` highlights cells, `onColour()` colours by the column,
  // `onMove(name)` shows a map's cells where they now are, `onTrouble(error)` says why that can't be.
  constructor(job, cells, summary, listed, does) {
    this.columns = new Columns(job.id, listed);
    this.filters = new Filters(this.columns, cells.n);
    Object.assign(this, { id: job.id, cells, summary, does, column: null, placed: "", levels: new Map(), home: { x: cells.x, y: cells.y } });
  }

  // What there is to choose from.
  stage() {
    const { columns } = this;
    document.querySelector("input[name=by][value=column]").closest("label").hidden = !columns.list.length;
    $("tab-column").hidden = true;
    this.listColumns();
    this.listMaps();
    this.chips();
    for (const id of ["compare", "cross"]) $(id).hidden = !columns.categories.length;
    $("compare-none").hidden = columns.categories.length > 0;
  }

  async start() {
    const { columns } = this;
    const levels = this.summary.levels.map(({ name }) => name);
    const does = { onPress: (has, name, key) => { this.does.onHighlight(has, name, key); $("desk").scrollIntoView({ block: "nearest" }); },
      onOpen: this.does.onOpen,
      isStimulated: () => this.summary.cautions?.some(({ kind }) => kind === PROGRAM) };
    this.compare = new Compare($("compare-place"), columns, levels, does);
    this.cross = new Cross($("cross-place"), columns, levels, does);
    this.quality = await startQuality(columns, (key, rule) => this.filter(key, rule));
    if (!columns.categories.length) return;
    const condition = liked(columns.categories, CONDITIONS);
    await this.compare.choose(condition.key);
    await this.cross.choose(liked(columns.categories.filter(({ key }) => key !== condition.key), LABELS)?.key ?? condition.key);
  }

  listColumns() {
    const { list } = this.columns;
    const isLong = list.length > MANY;
    const names = new Map(list.map((column) => [`${column.name}${list.some((other) => other !== column && other.name === column.name) && column.ours ? " (of the run)" : ""}`, column.key]));
    const options = [...names].map(([name, key]) => el("option", isLong ? { value: name } : { value: key }, isLong ? "" : name));
    const change = ({ target }) => {
      const key = isLong ? names.get(target.value) : target.value;
      if (key) this.take(key);
    };
    const box = isLong
      ? [el("input", { id: "column", "aria-label": "Column", list: "column-names", autocomplete: "off", placeholder: "Search a column", onchange: change }), el("datalist", { id: "column-names" }, ...options)]
      : [el("select", { id: "column", "aria-label": "Column", onchange: change }, ...options)];
    $("which-column").replaceChildren(...box);
    this.nameOf = (key) => (isLong ? [...names].find(([, own]) => own === key)?.[0] : key);
  }

  listMaps() {
    const { maps } = this.columns;
    $("which-map").hidden = !maps.length;
    $("map-choice").replaceChildren(el("option", { value: "" }, "Map of fingerprints"), ...maps.map(({ name }, at) => el("option", { value: at }, `${name} of the file`)));
    $("map-choice").onchange = () => this.move($("map-choice").value);
  }

  // To the places of a map of the file, or of the fingerprints.
  async move(place) {
    const name = await this.place(place);
    if (!name) return;
    say(`${name} is shown.`);
    this.does.onMove(name);
  }

  // Put the cells there, and give the map's name; nothing if another was asked for meanwhile, or there is none.
  async place(place) {
    const asked = (this.asked = {});
    const to = place === "" ? this.home : await this.tried(api.fileMap(this.id, Number(place)));
    if (this.asked !== asked || !to) return null;
    Object.assign(this.cells, to);
    this.placed = place;
    return place === "" ? "Map of the fingerprints" : `Map ${this.columns.maps[place].name} of the file`;
  }

  // What an address says of columns, filters and maps. Gives the map's name where it is another than before.
  async follow({ column, filter, map = "" }) {
    if (this.columns.byKey.has(column)) this.use(await this.tried(this.columns.load(column)));
    await this.filters.take(rulesIn(filter));
    this.chips();
    const there = this.columns.maps.findIndex(({ name }) => name === map);
    const place = there < 0 ? "" : String(there);
    if (place === this.placed) return null;
    const name = await this.place(place);
    $("map-choice").value = this.placed;
    return name;
  }

  // The same for an address to be written.
  noted(by) {
    return {
      column: by === "column" ? this.column.key : null, filter: this.isOn ? JSON.stringify(this.filters.state) : null,
      map: this.columns.maps[this.placed]?.name ?? null,
    };
  }

  chips() {
    showChips(this.filters, (key, rule) => this.filter(key, rule));
  }

  // Colour by a column; the first of the file if none was chosen yet.
  async take(key = this.column?.key ?? (liked(this.columns.categories, CONDITIONS) ?? this.columns.list[0]).key) {
    const column = await this.tried(this.columns.load(key));
    if (!column) return;
    this.use(column);
    this.does.onColour();
    say(`The map is coloured by ${this.column.name}.`);
  }

  // The columns that could tell samples, and the likeliest of them.
  samples() {
    const columns = this.columns.categories;
    return { columns, first: columns.length ? liked(columns, CONDITIONS) : null };
  }

  use(column) {
    if (!column) return;
    this.column = column;
    this.columns.looked.add(column.key);
    $("column").value = this.nameOf(column.key);
    $("tab-column").hidden = false;
  }

  async filter(key, rule) {
    await (key === null ? this.filters.take({}) : this.filters.set(key, rule));
    this.chips();
    // The last of many moves within a frame is enough.
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.does.onChange(); });
  }

  // What was asked for, or nothing and a word why not.
  async tried(answer) {
    try {
      return await answer;
    } catch (error) {
      this.does.onTrouble(error);
      return null;
    }
  }

  has(i) {
    return this.filters.has(i);
  }

  get isOn() {
    return this.filters.isOn;
  }

  paint() {
    return byColumn(this.column);
  }

  // What the colours mean, for the line under the map.
  key() {
    const { column } = this;
    if (column.kind === "category") {
      const shown = column.categories.map(({ name }, code) => ({ name, code })).filter(({ code }) => column.categories[code].cells);
      const more = shown.length - IN_KEY;
      return [...shown.slice(0, IN_KEY).map(({ name, code }) => el("span", {}, el("i", { class: "dot", style: { background: colourOf(code) } }), el("bdi", {}, name))),
        ...(more > 0 ? [`and ${more} more`] : [])];
    }
    const { low, high } = span(column.values);
    return [el("b", {}, column.name), written(column, low), el("span", { class: "scale" }, ...ramp(8).map((shade) => el("i", { style: { background: shade } }))), written(column, high)];
  }

  said(i) {
    return `${this.column.name}: ${said(this.column, i)}`;
  }

  // All that counts cells, again.
  show({ isShown, isScored, chosen }) {
    const seen = { groupsAt: (level) => this.groupsAt(level), isShown, chosen, labels: this.cross?.column };
    this.compare?.show(seen);
    this.cross?.show(seen);
    this.quality?.(this.filters);
    showWays({ compare: this.compare?.column, cross: this.cross?.column });
    offerActs(this);
    if (this.column) {
      const { filters } = this;
      // What a filter of categories leaves out keeps its counts, to be ticked again.
      const isCounted = this.column.kind === "number" ? isShown : (i) => isScored(i) && filters.hasBut(this.column.key, i);
      showColumn(this.column, { filters, isShown: isCounted, chosen, onSet: (key, rule) => this.filter(key, rule), onPress: this.does.onHighlight,
        note: this.column.key === MIXED ? whoseMixed(this.summary) : "" });
    }
  }

  // What the server counts, anew: the filters leave other cells.
  refiltered() {
    if (this.compare?.column) this.compare.ask(); // or none is chosen yet
    this.cross?.ask();
  }

  // The same cells have other answers.
  answered(summary) {
    this.summary = summary;
    this.levels.clear();
    this.compare?.answered();
    this.cross?.ask();
  }

  // What the colours mean, for a saved picture.
  legend() {
    const { column } = this;
    if (column.kind === "category") {
      return { title: column.name, rows: [...column.categories.map(({ name }, code) => ({ name, color: colourOf(code) })), { name: NO_VALUE, color: colour("--unknown") }] };
    }
    const { low, high } = span(column.values);
    return { title: column.name, low: written(column, low), high: written(column, high) };
  }

  // Types, or broader groups of them, and the group of each cell; reckoned once.
  groupsAt(level) {
    if (!this.levels.has(level)) this.levels.set(level, this.grouped(level));
    return this.levels.get(level);
  }

  grouped(level) {
    const place = this.summary.levels.findIndex(({ name }) => name === level);
    const groups = groupsOf(this.summary, place < 0 ? null : place);
    const unknown = { name: "unknown", term: "unknown", color: "var(--unknown)", isUnknown: true };
    return { group_n: byGroup(this.cells, groups).group_n, groups: [...groups, unknown].map((group, own) => ({ isUnknown: false, ...group, at: own })) };
  }
}

// Whoever gets a link may have changed it.
function rulesIn(text) {
  try {
    const rules = JSON.parse(text ?? "{}");
    return rules && typeof rules === "object" ? rules : {};
  } catch {
    return {};
  }
}

// The column whose name says most; of those, one with few values.
function liked(categories, words) {
  const plain = ({ name }) => name.toLowerCase().replace(/[^a-z]/g, "");
  const few = categories.filter(({ categories: values }) => values.length <= FEW);
  for (const word of words) {
    const found = few.find((column) => plain(column).includes(word) && !plain(column).includes("ontology"));
    if (found) return found;
  }
  return few[0] ?? categories[0];
}
