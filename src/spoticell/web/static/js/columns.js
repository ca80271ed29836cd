// The columns of the file: what they are called, what they say of each cell, and the colours of their values.

import * as api from "./api.js";
import { colour } from "./dom.js";
import { byShade, ramp } from "./groups.js";
import { number, percent } from "./words.js";

export const MISSING = 65535;
export const NO_VALUE = "no value";
const SHADES = 12;
// The share of cells at either end that get the last colour, so that few extreme cells don't take the whole scale.
const EXTREME = 0.01;
// Neighbours in the list differ much, and each can be seen on light and on dark.
const COLOURS = [
  "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a5195", "#e15759", "#4e9a3b", "#a0522d",
  "#3f7fbf", "#c77f00", "#2a9d8f", "#b5487e", "#8a8a1f", "#6f7fd0", "#d98880", "#1b8fa8", "#9467bd", "#6b8e23",
];

export const colourOf = (code) => COLOURS[code % COLOURS.length];

export class Columns {
  constructor(id, listed) {
    this.id = id;
    this.list = (listed?.columns ?? []).map((column, place) => ({ ...column, place, key: `${column.ours ? "run" : "file"} ${column.name}` }));
    this.maps = listed?.maps ?? [];
    this.leftOut = listed?.left_out ?? [];
    this.byKey = new Map(this.list.map((column) => [column.key, column]));
    this.loaded = new Map();
    // those that the reader asked for; the page loads some by itself
    this.looked = new Set();
  }

  // Categories that can be set against the types.
  get categories() {
    return this.list.filter(({ kind }) => kind === "category");
  }

  ours(name) {
    return this.byKey.get(`run ${name}`);
  }

  // The values are asked for once, when they are first needed.
  async load(key) {
    const column = this.byKey.get(key);
    if (column && !this.loaded.has(key)) this.loaded.set(key, await api.column(this.id, column.place, column.kind));
    return column && { ...column, values: this.loaded.get(key) };
  }

  get(key) {
    return { ...this.byKey.get(key), values: this.loaded.get(key) };
  }
}

// For the map: a group for each category, the last for cells without one; or shades of a number.
export function byColumn({ kind, values, categories }) {
  if (kind === "category") {
    return {
      group_n: values.map((code) => (code === MISSING ? categories.length : code)),
      colours: [...categories.map((_, code) => colourOf(code)), colour("--unknown")],
      sorted: true,
    };
  }
  const { low, high } = span(values);
  const shade = (i) => (Number.isNaN(values[i]) ? 0 : Math.max(1 + ((values[i] - low) / (high - low || 1)) * SHADES, 1));
  return byShade(values.length, shade, [colour("--unseen"), ...ramp(SHADES)]);
}

// Between which numbers the colours go.
export function span(values) {
  const known = Float32Array.from(values.filter((value) => !Number.isNaN(value))).sort();
  const at = (share) => known[Math.round(share * (known.length - 1))] ?? 0;
  const [low, high] = [at(EXTREME), at(1 - EXTREME)];
  return low < high ? { low, high } : { low: at(0), high: at(1) };
}

// A number as people read it; a share of the run's as a percentage.
export function written({ name, ours }, value) {
  if (ours && name.endsWith("share")) return percent(value);
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return number(value);
  return String(Number(value.toPrecision(3)));
}

// What a cell has in a column, in words.
export function said(column, i) {
  const value = column.values[i];
  if (column.kind === "category") return column.categories[value]?.name ?? NO_VALUE;
  return Number.isNaN(value) ? NO_VALUE : written(column, value);
}

// Cells by two lists of places; those that aren't shown, or have a place beyond either, are left out.
export function crossed(rows, nRows, columns, nColumns, isShown) {
  const count = Array.from({ length: nRows }, () => new Uint32Array(nColumns));
  for (let i = 0; i < rows.length; i += 1) {
    if (rows[i] < nRows && columns[i] < nColumns && isShown(i)) count[rows[i]][columns[i]] += 1;
  }
  return count;
}
