// Columns of the file, and values in them, that a text in the search box may mean.

import { colourOf } from "./columns.js";
import { el, named } from "./dom.js";
import { counted } from "./words.js";

const MOST = 5;
// A single letter is in too many values.
const VALUE_FROM = 2;

const plain = (text) => text.toLowerCase().replaceAll(/[\s_.-]+/g, " ").trim();
const begins = (name, text) => plain(name).split(" ").some((_, at, words) => words.slice(at).join(" ").startsWith(text));

// {column, code}: `code` is the place of a value, null for the whole column. Those that are called so come first.
export function findColumns(list, asked) {
  const text = plain(asked);
  if (!text) return [];
  const columns = list.filter(({ name }) => begins(name, text)).map((column) => ({ column, code: null, name: column.name }));
  const values = text.length < VALUE_FROM ? [] : list.flatMap((column) =>
    (column.categories ?? []).map(({ name, cells }, code) => ({ column, code, name, cells })).filter(({ name, cells }) => cells && begins(name, text)));
  const all = [...columns, ...values];
  return [...all.filter(({ name }) => plain(name) === text), ...all.filter(({ name }) => plain(name) !== text)].slice(0, MOST);
}

export const isNamed = ({ name }, asked) => plain(name) === plain(asked);

export function columnHit({ column, code, name, cells }) {
  if (code === null) return [el("b", {}, named(name)), el("small", {}, column.ours ? "column of the run" : "column")];
  return [el("i", { class: "dot", style: { background: colourOf(code) } }), named(name), el("small", {}, named(column.name), `, ${counted(cells, "cell")}`)];
}
