// Which cells are looked at. A filter keeps some values of one column, or a range of its numbers; several combine.
// `state` is plain, so that it can be written into an address: {key: {keep: [names]} or {low, high}}, ends that are
// null are open, and "" stands for cells without a value.

import { MISSING, NO_VALUE, written } from "./columns.js";
import { $, el } from "./dom.js";
import { counted, number } from "./words.js";

const MOST_NAMES = 3;

export class Filters {
  constructor(columns, n) {
    this.columns = columns;
    this.n = n;
    this.state = {};
    this.tests = [];
    this.mask = null;
    this.kept = n;
  }

  get isOn() {
    return this.mask !== null;
  }

  has(i) {
    return this.mask === null || this.mask[i] === 1;
  }

  // The same without the filter of one column, for what shows that column's own values.
  hasBut(key, i) {
    return this.tests.every((test) => test.key === key || test.passes(i));
  }

  // Filters of columns that aren't there are let go: an old address may name some.
  async take(state) {
    for (const key of Object.keys(state)) if (await this.columns.load(key)) this.columns.looked.add(key);
    this.state = Object.fromEntries(Object.entries(state).filter(([key, rule]) => this.columns.byKey.has(key) && rule));
    this.count();
  }

  async set(key, rule) {
    const { [key]: _, ...rest } = this.state;
    await this.take(rule ? { ...rest, [key]: rule } : rest);
  }

  count() {
    this.tests = Object.entries(this.state).map(([key, rule]) => ({ key, passes: testOf(this.columns.get(key), rule) }));
    this.mask = this.tests.length ? Uint8Array.from({ length: this.n }, (_, i) => Number(this.tests.every(({ passes }) => passes(i)))) : null;
    this.kept = this.mask ? this.mask.reduce((sum, one) => sum + one, 0) : this.n;
  }
}

function testOf({ kind, values, categories }, { keep, low, high }) {
  if (kind === "category") {
    const names = new Set(keep);
    const passes = categories.map(({ name }) => names.has(name));
    return (i) => (values[i] === MISSING ? names.has("") : passes[values[i]]);
  }
  return (i) => values[i] >= (low ?? -Infinity) && values[i] <= (high ?? Infinity);
}

// Above the map: each filter with a press to remove it, and how many cells are left.
export function showChips(filters, onSet) {
  const all = Object.entries(filters.state);
  const focused = $("chips").contains(document.activeElement);
  $("chips").hidden = !all.length;
  $("chips").replaceChildren(
    ...all.map(([key, rule]) => {
      const text = `${filters.columns.byKey.get(key).name}: ${words(filters.columns.byKey.get(key), rule)}`;
      return el("button", { type: "button", class: "chip", "aria-label": `Remove the filter ${text}`, onclick: () => onSet(key, null) },
        el("span", {}, text), el("span", { "aria-hidden": "true" }, "×"));
    }),
    el("span", { class: "small" }, `${number(filters.kept)} of ${counted(filters.n, "cell")}`),
    ...(all.length > 1 ? [el("button", { type: "button", class: "plainly small link", onclick: () => onSet(null, null) }, "Remove all filters")] : []));
  // A removed chip takes the focus with it.
  if (focused) ($("chips").querySelector("button") ?? $("map")).focus();
}

function words(column, { keep, low, high }) {
  if (column.kind === "category") {
    const left = [...column.categories.map(({ name }) => name), ...(column.missing ? [""] : [])].filter((name) => !keep.includes(name));
    const isShort = keep.length <= MOST_NAMES || keep.length <= left.length;
    const list = (names) => names.slice(0, MOST_NAMES).map((name) => name || NO_VALUE).join(", ") + (names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "");
    return isShort ? list(keep) || "none" : `not ${list(left)}`;
  }
  const [from, to] = [low, high].map((end) => (end === null ? null : written(column, end)));
  if (from === null) return `up to ${to}`;
  return to === null ? `from ${from}` : `${from} to ${to}`;
}
