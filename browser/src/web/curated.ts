// Names that the reader gave to cells. A later name replaces an earlier one, and the last can be undone.
// Axis: n cells.

import { readName } from "../biology/everyday.ts";
import { oklch, termColor } from "../biology/palette.ts";
import { UNKNOWN } from "../keys.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";

// How often the cells of a run may be named.
const MOST_EDITS = 500;
// Degrees between the hues of two names that are no types: any number of them stay apart.
const TURN = 137.5;

// A naming: a bit for each cell, and what those with a bit are called.
export interface Edit {
  bits: Uint8Array;
  name: string;
}

export interface Given {
  name: string;
  term: string | null;
  color: string;
  cells: number;
}

// Calls some cells by a name.
export function addName(results: Results, memberN: Uint8Array, name: string): void {
  if (results.edits.length >= MOST_EDITS) throw new Refusal(409, `The cells were named ${MOST_EDITS} times already. Undo some first.`);
  const bits = new Uint8Array(Math.ceil(memberN.length / 8));
  memberN.forEach((isMember, n) => { bits[n >> 3] |= isMember << (n & 7); });
  results.edits.push({ bits, name });
}

// Takes the last name back.
export function undoName(results: Results): void {
  if (results.edits.pop() === undefined) throw new Refusal(409, "No cell was named, so there is nothing to undo.");
}

// The names in the order in which they were first given, and for each cell its name's place, from 1.
function names(results: Results): { names: string[]; codeN: Uint16Array; cells: Int32Array } {
  const codeN = new Uint16Array(results.nCells), given = new Map<string, number>();
  for (const { bits, name } of results.edits) {
    if (!given.has(name)) given.set(name, given.size + 1);
    const code = given.get(name)!;
    for (let n = 0; n < codeN.length; n += 1) if ((bits[n >> 3] >> (n & 7)) & 1) codeN[n] = code;
  }
  const cells = new Int32Array(given.size + 1);
  for (const code of codeN) cells[code] += 1;
  return { names: [...given.keys()], codeN, cells };
}

// The names with their cells; one that has none any more is left out.
export function toldNames(results: Results): { names: Given[]; edits: number } {
  const found = names(results);
  const told = found.names.map((name, place) => given(place, name, found.cells[place + 1])).filter(({ cells }) => cells);
  return { names: told, edits: results.edits.length };
}

// For each cell its name's place in what is told, from 1; 0 where it has none.
export function shownNames(results: Results): Uint16Array {
  const { codeN, cells } = names(results), place = new Uint16Array(cells.length);
  let left = 0;
  for (let code = 1; code < cells.length; code += 1) if (cells[code]) place[code] = left += 1;
  return codeN.map((code) => place[code]);
}

function given(place: number, name: string, cells: number): Given {
  const term = readName(name);
  return { name, term, color: term === null ? oklch(TURN * place, 0.66, 0.13) : termColor(term), cells };
}

// Each cell's given name, or else the name of its type; null where no name was given.
export function curatedNames(results: Results): string[] | null {
  const found = names(results);
  if (found.cells[0] === results.nCells) return null;
  const types = [...results.shown.nodes.map((node) => results.bundle.nodeNames[node]), UNKNOWN], unknown = types.length - 1;
  return Array.from(found.codeN, (code, n) => (code ? found.names[code - 1] : types[Math.min(results.shown.typesN[n], unknown)]));
}
