// Which types grow and which shrink between two values of a column: bars for all values, and a table of the changes.

import * as api from "./api.js";
import { barFigure } from "./barfigure.js";
import { crossed } from "./columns.js";
import { el } from "./dom.js";
import { shortOf, typeName } from "./named.js";
import { pictureButtons } from "./pictures.js";
import { shifts, wilson } from "./shifts.js";
import { otherState } from "./states.js";
import { counted, percent, sentence } from "./words.js";

// Values with a bar and a column in the table, and types in the table before the reader asks for the others.
const MOST_VALUES = 24;
const ROWS = 12;

// Groups of cells in each value: shares with intervals, and the change from the first to the second of a pair.
export function compared(column, groups, group_n, isShown, [first, second]) {
  const count = crossed(column.values, column.categories.length, group_n, groups.length, isShown);
  const totals = count.map((row) => row.reduce((sum, n) => sum + n, 0));
  const rows = groups.map((group, at) => {
    const shares = count.map((row, code) => ({ cells: row[at], share: totals[code] ? row[at] / totals[code] : 0, bounds: wilson(row[at], totals[code]), total: totals[code] }));
    const [from, to] = [shares[first], shares[second]];
    const isClear = totals[first] > 0 && totals[second] > 0 && (from.bounds[1] < to.bounds[0] || to.bounds[1] < from.bounds[0]);
    return { group, at, shares, cells: shares.reduce((sum, { cells }) => sum + cells, 0), change: totals[first] && totals[second] ? to.share - from.share : null, isClear };
  }).filter(({ cells }) => cells);
  rows.sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
  return { rows, totals };
}

export class Compare {
  // `onPress(has, name, key)` highlights cells, `onOpen(key, told)` a whole type; `isStimulated()` says whether a
  // programme that changes what cells are called is strong in many.
  constructor(place, columns, levels, { onPress, onOpen, isStimulated }) {
    Object.assign(this, { place, columns, levels, onPress, onOpen, isStimulated, all: false, notes: null, seen: null, states: new Map() });
    this.controls = el("div", { class: "row controls" });
    this.body = el("div", {});
    place.replaceChildren(this.controls, this.body);
  }

  // What is compared; plain, so that it can be written down.
  async choose(key, { level = this.level ?? "", pair = null, samples = null } = {}) {
    const column = await this.columns.load(key);
    const cells = column.categories.map(({ cells: n }, code) => [n, code]).filter(([n]) => n).map(([, code]) => code);
    Object.assign(this, { column, level, samples, pair: pair ?? [cells[0], cells[1] ?? cells[0]], notes: null });
    this.ask();
    this.control();
    if (this.seen) this.show(this.seen);
  }

  // The test and its remarks are about the cells that the filters leave; they come when they come.
  async ask() {
    const { column, pair: [first, second], samples } = this;
    const asked = (this.asked = {});
    if (first === second) return;
    let notes;
    try {
      notes = await api.changes(this.columns.id, column.place, first, second, samples);
    } catch (error) {
      notes = { notes: [error.message], states: [], changes: [], method: null };
    }
    if (this.asked !== asked) return;
    this.notes = notes;
    if (this.seen) this.show(this.seen);
  }

  control() {
    const { column, pair, level, samples } = this;
    const categories = this.columns.categories;
    const again = (changes) => {
      this.columns.looked.add(changes.key ?? column.key);
      return this.choose(changes.key ?? column.key, { level, pair, samples, ...changes });
    };
    const choice = (text, options, value, onChoice) => el("label", { class: "choice" }, el("span", {}, text),
      el("select", { "aria-label": text, onchange: ({ target }) => { this.focused = text; onChoice(target.value); } },
        ...options.map(([name, worth]) => el("option", { value: worth, selected: String(worth) === String(value) }, name))));
    const values = column.categories.map(({ name }, code) => [name, code]);
    const others = categories.filter(({ key }) => key !== column.key);
    this.controls.replaceChildren(
      choice("Compare by", categories.map(({ name, key }) => [name, key]), column.key, (key) => again({ key, pair: null, samples: null })),
      choice("from", values, pair[0], (code) => again({ pair: [Number(code), pair[1]] })),
      choice("to", values, pair[1], (code) => again({ pair: [pair[0], Number(code)] })),
      choice("Types", [["as named", ""], ...this.levels.map((name) => [name, name])], level, (name) => again({ level: name })),
      ...(others.length ? [choice("Samples", [["not told", ""], ...others.map(({ name, place }) => [name, place])], samples ?? "",
        (place) => again({ samples: place === "" ? null : Number(place) }))] : []));
    const back = [...this.controls.children].find((label) => label.firstChild.textContent === this.focused);
    this.focused = null;
    back?.querySelector("select").focus();
  }

  // `seen`: {groupsAt(level), isShown, chosen, labels}; `groupsAt` gives {groups, group_n} with `unknown` last.
  show(seen) {
    this.seen = seen;
    if (!this.column) return;
    const { groups, group_n } = seen.groupsAt(this.level);
    const { rows, totals } = compared(this.column, groups, group_n, seen.isShown, this.pair);
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.body.replaceChildren(
      this.finding(rows, totals),
      el("div", { class: "versus" }, el("div", {}, this.bars(groups, rows, totals), this.remarks(seen)), this.table(rows, totals)));
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  finding(rows, totals) {
    const place = el("p", { class: "finding" }, this.sentence(rows, totals));
    const grown = rows.find(({ isClear, change }) => isClear && change > 0);
    if (grown && !this.level && (this.isStimulated() || this.notes?.states.length)) this.tellState(grown.group, place);
    return place;
  }

  // Asked once for each type, as all is drawn anew with every filter.
  async tellState(group, place) {
    const known = this.states.get(group.term);
    if (typeof known === "string") place.append(known);
    else if (!known) {
      const { states } = this;
      states.set(group.term, otherState(this.columns.id, group));
      states.set(group.term, await states.get(group.term));
      if (this.states === states && this.seen) this.show(this.seen);
    }
  }

  // The same cells have other answers.
  answered() {
    this.states = new Map();
    if (this.column) this.ask();
  }

  sentence(rows, totals) {
    const [from, to] = this.pair.map((code) => this.column.categories[code]?.name);
    if (from === to) return "Choose two different values to see what changes.";
    if (this.pair.some((code) => !totals[code])) return "No cell is left of one of the two values.";
    const clear = rows.filter(({ isClear }) => isClear);
    const most = (sign) => clear.find(({ change }) => sign * change > 0);
    const told = ({ group, shares }, verb) => `${shortOf(group)} ${verb} most, from ${percent(shares[this.pair[0]].share)} to ${percent(shares[this.pair[1]].share)} of the cells`;
    const [up, down] = [most(1), most(-1)];
    const parts = [up && told(up, "grows"), down && told(down, "shrinks")].filter(Boolean);
    return parts.length ? `From ${from} to ${to}, ${parts.join("; ")}.` : `From ${from} to ${to}, no type changes clearly.`;
  }

  bars(groups, rows, totals) {
    const there = new Map(rows.map((row) => [row.at, row]));
    const order = groups.map((_, at) => there.get(at)).filter(Boolean).sort((a, b) => a.group.isUnknown - b.group.isUnknown || b.cells - a.cells);
    const shown = this.column.categories.map(({ name }, code) => ({ name, code })).filter(({ code }) => totals[code]);
    const line = ({ name, code }) => {
      const parts = order.filter(({ shares }) => shares[code].cells).map(({ group, shares }) =>
        el("i", { title: `${shortOf(group)}: ${percent(shares[code].share)}, ${counted(shares[code].cells, "cell")}`, style: { background: group.color, "flex-grow": shares[code].cells },
          onclick: () => this.press(group, code) }));
      return el("li", { class: this.pair.includes(code) ? "in-pair" : null }, el("bdi", {}, name), el("span", { class: "value" }, counted(totals[code], "cell")),
        el("span", { class: "cut tall", "aria-hidden": "true" }, ...parts));
    };
    const more = shown.length - MOST_VALUES;
    return el("div", { class: "stacks" }, el("ul", { class: "plain bars", "aria-label": `Cells of each value of ${this.column.name}; the table has the shares` }, ...shown.slice(0, MOST_VALUES).map(line)),
      more > 0 && el("p", { class: "small" }, `The first ${MOST_VALUES} of ${shown.length} values are shown.`),
      pictureButtons(() => barFigure(`Composition by ${this.column.name}`, shown.slice(0, MOST_VALUES).map(({ name, code }) => ({ name, note: counted(totals[code], "cell"),
        parts: order.map(({ group, shares }) => ({ name: shortOf(group), color: group.color, cells: shares[code].cells })) }))), "composition"));
  }

  table(rows, totals) {
    const [first, second] = this.pair;
    const rest = this.column.categories.map((_, code) => code).filter((code) => totals[code] && code !== first && code !== second);
    const codes = [first, ...(second === first ? [] : [second]), ...rest].slice(0, MOST_VALUES);
    const most = Math.max(...rows.map(({ change }) => Math.abs(change)), 0.01);
    const tested = this.notes?.method ? new Map(this.notes.changes.map((change) => [change.term, change.q])) : null;
    const shown = this.all ? rows : rows.slice(0, ROWS);
    const name = (code) => this.column.categories[code].name;
    const head = el("tr", {}, el("th", { scope: "col" }, "Type"), el("th", { scope: "col" }, "Change in points"), tested && el("th", { scope: "col" }, "q"),
      ...codes.map((code) => el("th", { scope: "col" }, el("bdi", {}, name(code)))));
    // a press beside the fields opens the row's type too
    const open = (event) => { if (!event.target.closest("button")) event.currentTarget.querySelector("button.name").click(); };
    const line = (row) => el("tr", { class: row.isClear ? null : "unclear", onclick: open },
      el("th", { scope: "row" }, this.opener(row.group)),
      el("td", { class: "change" }, changeBar(row, most)), tested && el("td", {}, qOf(tested.get(row.group.term))),
      ...codes.map((code) => el("td", {}, this.field(row, code))));
    return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Shares and changes of types" },
      el("table", { class: "types changes" }, el("caption", { class: "hidden" }, `Share of each type among the cells of each value of ${this.column.name}, with its interval; press a share to see its cells on the map`),
        el("thead", {}, head), el("tbody", {}, ...shown.map(line))),
      rows.length > ROWS && el("button", { type: "button", class: "button", "data-key": "all", "aria-expanded": String(this.all), onclick: () => { this.all = !this.all; this.show(this.seen); } },
        this.all ? "Show fewer types" : `Show all ${rows.length} types`));
  }

  // A press opens the type, as in the table of types.
  opener(group) {
    const key = group.isUnknown || !this.level ? group.term : `${group.term}+`;
    const told = group.isUnknown ? undefined : { types: group.types, name: shortOf(group) };
    return el("button", { type: "button", class: "plainly name", "aria-pressed": String(this.seen.chosen === key), "data-key": `type ${key}`, onclick: () => this.onOpen(key, told) },
      el("i", { class: "dot", "aria-hidden": "true", style: { background: group.color } }), typeName(group));
  }

  field({ group, shares }, code) {
    const { cells, share, bounds, total } = shares[code];
    if (!total) return "–";
    const key = this.keyOf(group, code);
    return el("button", { type: "button", class: "plainly part", disabled: !cells, "aria-pressed": String(this.seen.chosen === key), "data-key": key, onclick: () => this.press(group, code),
      title: `${counted(cells, "cell")}` }, percent(share), el("small", {}, `${bounds.map((bound) => (100 * bound).toFixed(1)).join("–")}`));
  }

  keyOf(group, code) {
    return `${this.column.key} ${code} ${group.term ?? group.name}`;
  }

  press(group, code) {
    const { values, categories, name, key } = this.column;
    this.columns.looked.add(key);
    const { group_n } = this.seen.groupsAt(this.level);
    this.onPress((i) => values[i] === code && group_n[i] === group.at, `${shortOf(group)}, ${name} ${categories[code].name}`, this.keyOf(group, code));
  }

  remarks(seen) {
    const notes = this.told(seen.groupsAt(this.level).groups);
    const lines = ["Small numbers are 95% intervals of a share: how far it would move if other cells of the same sample had been measured. Pale changes may be chance."];
    if (this.notes?.method) lines.push(`q: ${this.notes.method}, over ${this.notes.samples.join(" and ")} samples; cells of subtypes are counted too.`);
    return el("div", { class: "remarks" }, ...this.renamed(seen), ...[...lines, ...notes.map(sentence)].map((text) => el("p", { class: "small" }, text)));
  }

  // The notes, without those on types that aren't in the table.
  told(groups) {
    const { notes = [], states = [] } = this.notes ?? {};
    const first = notes.length - states.length;
    return notes.filter((_, at) => at < first || groups.some(({ term }) => term === states[at - first]));
  }

  // Cells of one label that are called otherwise: they may be the same cells in another state.
  renamed({ labels, isShown, groupsAt }) {
    const { column, pair } = this;
    if (!labels || labels.key === column.key || pair[0] === pair[1]) return [];
    const { groups, group_n } = groupsAt(this.level);
    const [from, to] = pair.map((code) => column.categories[code].name);
    const found = shifts(column, pair, labels, groups, group_n, isShown);
    if (!found.length) return [];
    const line = ({ label, group, shares }) => {
      const press = () => this.onPress((i) => labels.values[i] === label && column.values[i] === pair[1] && group_n[i] === group.at,
        `${labels.categories[label].name} of ${to} called ${shortOf(group)}`, `shift ${label} ${group.term}`);
      return el("li", {}, el("button", { type: "button", class: "plainly", "aria-pressed": String(this.seen.chosen === `shift ${label} ${group.term}`), "data-key": `shift ${label} ${group.term}`, onclick: press },
        el("b", {}, labels.categories[label].name), `: ${percent(shares[0])} are ${shortOf(group)} in ${from}, ${percent(shares[1])} in ${to}`));
    };
    return [el("h3", {}, `Same ${labels.name}, other answer`), el("ul", { class: "plain" }, ...found.map(line))];
  }
}

function changeBar({ change, group }, most) {
  if (change === null) return "–";
  const points = 100 * change;
  const text = `${points > 0 ? "+" : points < 0 ? "−" : ""}${Math.abs(points).toFixed(1)}`;
  const width = `${(50 * Math.abs(change)) / most}%`;
  return el("span", { class: "moved", title: `${text} percentage points: of 100 cells so many more or fewer` }, el("span", {}, text),
    el("span", { class: "both", "aria-hidden": "true" }, el("b", { style: { width, background: group.color, [change < 0 ? "right" : "left"]: "50%" } })));
}

const qOf = (q) => (q === undefined || q === null ? "–" : q < 0.001 ? "< 0.001" : q.toFixed(3));
