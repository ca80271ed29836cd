// The answers against the values of a column, such as the author's labels: shares by row, the largest near the diagonal.

import { crossed } from "./columns.js";
import { el } from "./dom.js";
import { showLabelled } from "./labelled.js";
import { inFull, shortOf } from "./named.js";
import { counted, number, percent } from "./words.js";

const MOST_COLUMNS = 24;
const MOST_ROWS = 60;

// Rows and columns in an order in which large fields lie near the diagonal: the largest field first, then the largest
// among the rows and columns that are left.
export function diagonal(count) {
  const fields = count.flatMap((row, r) => Array.from(row, (n, c) => ({ n, r, c }))).filter(({ n }) => n).sort((a, b) => b.n - a.n);
  const [rows, columns] = [[], []];
  for (const { r, c } of fields) {
    if (!rows.includes(r) && !columns.includes(c)) { rows.push(r); columns.push(c); }
  }
  for (const { r, c } of fields) {
    if (!rows.includes(r)) rows.push(r);
    if (!columns.includes(c)) columns.push(c);
  }
  return { rows, columns };
}

// How many cells have the commonest answer of their row.
export const together = (count) => count.reduce((sum, row) => sum + row.reduce((most, n) => Math.max(most, n), 0), 0);

export class Cross {
  constructor(place, columns, levels, { onPress }) {
    Object.assign(this, { columns, levels, onPress, seen: null, level: "" });
    this.controls = el("div", { class: "row controls" });
    this.body = el("div", {});
    this.under = el("div", { class: "labelled" });
    place.replaceChildren(this.controls, this.body, this.under);
  }

  async choose(key, level = this.level) {
    Object.assign(this, { column: await this.columns.load(key), level });
    const select = (text, options, value, onChoice) => el("label", { class: "choice" }, el("span", {}, text),
      el("select", { "aria-label": text, onchange: ({ target }) => onChoice(target.value) }, ...options.map(([name, worth]) => el("option", { value: worth, selected: worth === value }, name))));
    const focused = [...this.controls.children].findIndex((label) => label.contains(document.activeElement));
    this.controls.replaceChildren(
      select("Labels", this.columns.categories.map(({ name, key: own }) => [name, own]), key, (own) => { this.columns.looked.add(own); this.choose(own); }),
      select("Types", [["as named", ""], ...this.levels.map((name) => [name, name])], level, (name) => this.choose(key, name)));
    this.controls.children[focused]?.querySelector("select").focus();
    if (this.seen) this.show(this.seen);
    this.ask();
  }

  // What the labels mean, and whether the answers agree; anew when these change.
  ask() {
    if (this.column) showLabelled(this.under, this.columns.id, this.column, { onPress: this.onPress, termOf: (i) => this.termOf(i) });
  }

  // What a cell is called, as it is named.
  termOf(i) {
    const { groups, group_n } = this.seen.groupsAt("");
    return groups[group_n[i]].term;
  }

  // `seen` as for the comparison.
  show(seen) {
    this.seen = seen;
    if (!this.column) return;
    const { values, categories, name } = this.column;
    const { groups, group_n } = seen.groupsAt(this.level);
    const count = crossed(values, categories.length, group_n, groups.length, seen.isShown);
    const { rows, columns } = diagonal(count);
    const cells = count.reduce((sum, row) => sum + row.reduce((part, n) => part + n, 0), 0);
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const text = cells
      ? `${number(together(count))} of ${counted(cells, "cell")} (${percent(together(count) / cells)}) have the commonest answer of their ${name}. That is no measure of who is right.`
      : "No cell is left.";
    this.body.replaceChildren(el("p", { class: "finding" }, text), this.table(count, rows, columns, groups), ...hints(rows, columns));
    this.reach(focused);
  }

  table(count, rows, columns, groups) {
    const shown = columns.slice(0, MOST_COLUMNS);
    const head = el("tr", {}, el("th", { scope: "col" }, this.column.name), ...shown.map((c) => el("th", { scope: "col", title: inFull(groups[c]) }, el("span", {}, shortOf(groups[c])))));
    const line = (r) => {
      const total = count[r].reduce((sum, n) => sum + n, 0);
      return el("tr", {}, el("th", { scope: "row" }, el("bdi", {}, this.column.categories[r].name), el("small", {}, number(total))),
        ...shown.map((c) => el("td", {}, count[r][c] > 0 && this.field(r, groups[c], count[r][c], count[r][c] / total))));
    };
    return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": `Answers against ${this.column.name}`, onkeydown: (event) => this.move(event) },
      el("table", { class: "cross" }, el("caption", { class: "hidden" }, `Answers of the cells of each value of ${this.column.name}, as shares of the row; arrow keys move between fields, a press shows the cells on the map`),
        el("thead", {}, head), el("tbody", {}, ...rows.slice(0, MOST_ROWS).map(line))));
  }

  field(r, group, n, share) {
    const { key, values, categories, name } = this.column;
    const own = `${key} ${r} × ${group.term ?? group.name}`;
    const { group_n } = this.seen.groupsAt(this.level);
    const label = `${categories[r].name}, ${shortOf(group)}: ${counted(n, "cell")}, ${percent(share)}`;
    return el("button", { type: "button", class: share >= 0.5 ? "spot deep" : "spot", tabindex: -1, title: label, "aria-label": label, "aria-pressed": String(this.seen.chosen === own), "data-key": own,
      style: { "--share": `${Math.round(depth(share))}%` },
      onclick: () => this.onPress((i) => values[i] === r && group_n[i] === group.at, `${shortOf(group)}, ${name} ${categories[r].name}`, own) }, share < 0.005 ? "·" : `${Math.round(100 * share)}`);
  }

  // One field can be reached by the tab key, the others from it by the arrow keys.
  reach(key) {
    const all = [...this.body.querySelectorAll(".spot")];
    const own = all.find(({ dataset }) => dataset.key === key);
    const first = own ?? all[0];
    if (first) first.tabIndex = 0;
    own?.focus();
  }

  move(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const from = event.target.closest("td");
    if (!step || !from) return;
    event.preventDefault();
    const rows = [...from.closest("tbody").rows];
    let [r, c] = [rows.indexOf(from.parentNode) + step[0], from.cellIndex + step[1]];
    while (rows[r]?.cells[c]?.tagName === "TD" && !rows[r].cells[c].firstChild) { r += step[0]; c += step[1]; }
    const to = rows[r]?.cells[c]?.querySelector(".spot");
    if (!to) return;
    event.target.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}

// How dark a field is. Between these two no number can be read on it, in light or in dark.
const depth = (share) => (share < 0.5 ? 50 * (2 * share) ** 0.7 : 88 + 24 * (share - 0.5));

function hints(rows, columns) {
  const more = [
    columns.length > MOST_COLUMNS && `The ${columns.length - MOST_COLUMNS} rarest types have no column.`,
    rows.length > MOST_ROWS && `The first ${MOST_ROWS} of ${rows.length} values have a row.`,
  ].filter(Boolean);
  return [el("p", { class: "small" }, ["Numbers are per cent of a row; a dot is less than one in two hundred.", ...more].join(" "))];
}
