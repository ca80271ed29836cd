// One HTML file of what a reader looks at: map, types, scores, some columns and genes, that opens anywhere.
//
// All words and numbers lie in it gzipped in base64, so no text of an upload can become a part of the page. Names of cells
// and counts of other genes don't go in.
//
//     uint32       length of the words
//     words        JSON: what the page says, and where each array lies: {name: [kind, first byte, values]}
//     arrays       little-endian, each begins at a multiple of 8

import { gzipSync } from "fflate";
import { base64 } from "../base/base64.ts";
import { packagedText } from "../base/packaged.ts";
import { comma } from "../base/words.ts";
import { shownNames, toldNames } from "./curated.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";
import { unpackedBits } from "./selection.ts";

// Steps of a place on the map, far below a pixel; one more stands for no place.
const STEPS = 65534;
const NAMELESS = "its name is not in this file";

// What a shared page shows, and what goes into it.
export interface ShareOrder {
  // What stands behind the # of the page's address.
  view: string;
  gene: string[];
  column: number[];
  map: number | null;
  cell: number | null;
  cells: string | null;
  name: string;
}

// What of the job the page says.
export interface SharedJob {
  name: string;
  settings: Record<string, unknown>;
  warnings: string[];
  // Of Spoticell.
  version: string;
}

type Arrays = Map<string, Uint8Array | Uint16Array | Float32Array>;
const KINDS = new Map<unknown, string>([[Uint8Array, "u1"], [Uint16Array, "u2"], [Float32Array, "f4"]]);

export function sharedPage(results: Results, job: SharedJob, order: ShareOrder): string {
  const arrays = cells(results, order), words: Record<string, unknown> = wordsOf(results, job, order);
  words.columns = columns(results, order, arrays);
  words.genes = genes(results, order, arrays);
  words.given = given(results, arrays);
  if (order.cells !== null) {
    arrays.set("chosen", unpackedBits(order.cells, results.nCells));
    words.chosen = order.name;
  }
  words.frame = packagedText("map.html");
  const data = base64(gzipSync(packed(words, arrays), { mtime: 0 })), title = escaped(`${job.name} · Spoticell`);
  return packagedText("shared.html").replace(/\[\[(title|data)\]\]/g, (_, field) => (field === "title" ? title : data));
}

function cells({ left, shown }: Results, order: ShareOrder): Arrays {
  let { x, y } = left;
  if (order.map !== null) {
    const map = shown.columns.maps[order.map];
    if (map === undefined) throw new Refusal(422, "There is no such map.");
    x = map.places.subarray(0, x.length);
    y = map.places.subarray(x.length);
  }
  const arrays: Arrays = new Map<string, Uint8Array | Uint16Array | Float32Array>([["x", steps(x)], ["y", steps(y)], ["score", shown.scoreN], ["type", shown.typesN]]);
  if (left.groupN !== null) arrays.set("group", left.groupN);
  return arrays;
}

const steps = (placeN: Float32Array): Uint16Array =>
  Uint16Array.from(placeN, (place) => (Number.isFinite(place) ? Math.round(Math.min(Math.max(place, 0), 1) * STEPS) : STEPS + 1));

function wordsOf(results: Results, job: SharedJob, order: ShareOrder): Record<string, unknown> {
  const settings = Object.fromEntries(Object.entries(job.settings).filter(([, value]) => value !== null));
  return {
    made: new Date().toISOString().slice(0, 10),
    version: job.version,
    steps: STEPS,
    job: { name: job.name, settings, warnings: job.warnings },
    view: order.view,
    // names of samples and conditions are those of columns, which may not be asked for
    summary: { ...results.shown.summary, samples: null, differences: null },
    map: order.map === null ? null : results.shown.columns.maps[order.map].name,
    cell: order.cell === null ? null : cell(results, order.cell),
    chosen: null,
  };
}

function cell(results: Results, n: number): Record<string, unknown> {
  if (n >= results.nCells) throw new Refusal(422, `There is no such cell. Give a position from 0 to ${comma(results.nCells - 1)}.`);
  return { ...results.cell(n), name: NAMELESS, picture: results.pictureUrl(n) };
}

// Puts the values of the columns with the arrays, and gives the list of columns as the page gets it.
function columns({ shown }: Results, order: ShareOrder, arrays: Arrays): Record<string, unknown> {
  const kept = [...new Set(order.column)].map((place, at) => {
    const column = shown.columns.columns[place];
    if (column === undefined) throw new Refusal(422, "There is no such column.");
    arrays.set(`column ${at}`, column.values);
    return shown.columns.described[place];
  });
  return { columns: kept, left_out: [], maps: [] };
}

function genes(results: Results, order: ShareOrder, arrays: Arrays): { symbol: string; max: number }[] {
  const found = new Set(order.gene.map((symbol) => results.gene(symbol)).filter((g) => g !== null));
  return [...found].map((g, at) => {
    const { levelN, most } = results.geneLevels(g);
    arrays.set(`gene ${at}`, levelN);
    return { symbol: results.bundle.vocabulary.symbols[g], max: most };
  });
}

function given(results: Results, arrays: Arrays): unknown[] {
  const { names } = toldNames(results);
  if (names.length) arrays.set("given", shownNames(results));
  return names;
}

function packed(words: Record<string, unknown>, arrays: Arrays): Uint8Array {
  const places: Record<string, [string, number, number]> = {}, padded = (size: number): number => Math.ceil(size / 8) * 8;
  let start = 0;
  for (const [name, array] of arrays) {
    const kind = KINDS.get(array.constructor)!;
    places[name] = [kind, start, array.length];
    start += padded(array.byteLength);
  }
  const head = new TextEncoder().encode(JSON.stringify({ ...words, arrays: places })), begin = padded(4 + head.length);
  const all = new Uint8Array(begin + start).fill(32, 4 + head.length, begin);
  new DataView(all.buffer).setUint32(0, begin - 4, true);
  all.set(head, 4);
  for (const [name, array] of arrays) all.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), begin + places[name][1]);
  return all;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" })[letter]!);
