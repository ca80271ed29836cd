// The map of fingerprints as two pictures: coloured by type and by score. A picture has one path for each colour, whose
// points are strokes of length zero with round ends: a tenth of the size of circles.

import type { Annotation } from "../../annotation/result.ts";
import { argmax } from "../../base/arrays.ts";
import { fixed } from "../../base/words.ts";
import { GREY } from "../../biology/palette.ts";
import { UNKNOWN } from "../../keys.ts";
import type { Lineage, TypeRow } from "./composition.ts";

const SIDE = 600, MARGIN = 30;
// Cells that are drawn.
const DRAWN = 2000;
// Radius of a number on the map.
const BADGE = 13;
// Shades for scores from the least that an answer has up to 1.
const STEPS = 6;
// Types that are named under the map.
const LISTED = 24;

interface Placed {
  x: Float64Array;
  y: Float64Array;
  answers: Int32Array;
  scores: Float32Array;
}

interface Points {
  name: string | null;
  path: string;
  width: number;
  look: string;
}

// `places`: of all cells from 0 to 1, NaN for those without counts; null where no cell has one.
export function fingerprintMap(annotation: Annotation, lineages: Lineage[], places: { x: Float32Array; y: Float32Array }) {
  const held: number[] = [];
  for (let n = 0; n < places.x.length; n += 1) if (!Number.isNaN(places.x[n])) held.push(n);
  if (!held.length) return null;
  const step = Math.max(held.length / DRAWN, 1);
  const cells = Array.from({ length: Math.min(held.length, DRAWN) }, (_, i) => held[Math.floor(i * step)]);
  const on = (part: Float32Array) => Float64Array.from(cells, (n) => MARGIN + (SIDE - 2 * MARGIN) * part[n]);
  const placed: Placed = { x: on(places.x), y: on(places.y), answers: Int32Array.from(cells, (n) => annotation.answerN[n]), scores: Float32Array.from(cells, (n) => annotation.scoreN[n]) };
  const rows = lineages.flatMap((lineage) => lineage.rows).sort((one, other) => other.cells - one.cells);
  const radius = Math.min(Math.max(110 / Math.sqrt(cells.length), 2.2), 7);
  return {
    by_type: byType(placed, rows, radius),
    by_score: byScore(placed, annotation.leastScore, radius),
    numbers: numbersOf(placed, rows.slice(0, LISTED)),
    listed: rows.slice(0, LISTED).sort((one, other) => one.number - other.number),
    n_unlisted: Math.max(rows.length - LISTED, 0),
    drawn: cells.length,
    total: annotation.answerN.length,
    drawn_unknown: placed.answers.some((answer) => answer < 0),
    any_unknown: annotation.answerN.some((answer) => answer < 0),
    least_score: annotation.leastScore,
    method: held.length < 10 ? "PCA" : "t-SNE",
    unknown_color: GREY,
    side: SIDE,
    number_radius: BADGE,
    steps: STEPS,
  };
}

// By type, the largest type first so that it covers none.
function byType(placed: Placed, rows: TypeRow[], radius: number): Points[] {
  const groups = [{ name: UNKNOWN, answer: -1, color: GREY, size: radius * 0.8 }, ...rows.map(({ name, answer, color }) => ({ name, answer, color, size: radius }))];
  return groups
    .map(({ name, answer, color, size }) => ({ name, path: pathOf(placed, (i) => placed.answers[i] === answer), width: 2 * size, look: color }))
    .filter(({ path }) => path !== "");
}

// By score, the surest first, so that doubts lie on top.
function byScore(placed: Placed, least: number, radius: number): Points[] {
  const step = (score: number) => Math.min(Math.max(Math.trunc(((score - least) / Math.max(1 - least, 1e-6)) * STEPS), 0), STEPS - 1);
  const looks: [string | null, string, (i: number) => boolean][] = Array.from({ length: STEPS }, (_, i) => STEPS - 1 - i)
    .map((shade) => [null, `q${shade}`, (i) => placed.answers[i] >= 0 && step(placed.scores[i]) === shade]);
  looks.push([UNKNOWN, "none", (i) => placed.answers[i] < 0]);
  return looks.map(([name, look, has]) => ({ name, path: pathOf(placed, has), width: 2 * radius, look })).filter(({ path }) => path !== "");
}

function pathOf({ x, y }: Placed, has: (i: number) => boolean): string {
  let path = "";
  for (let i = 0; i < x.length; i += 1) if (has(i)) path += `M${fixed(x[i], 0)} ${fixed(y[i], 0)}h0`;
  return path;
}

// Puts each type's number where its cells are densest, but not on another number.
function numbersOf({ x, y, answers }: Placed, rows: TypeRow[]) {
  const taken: [number, number][] = [];
  return rows.flatMap((type) => {
    const own: number[] = [];
    for (let i = 0; i < x.length; i += 1) if (answers[i] === type.answer) own.push(i);
    if (!own.length) return [];
    const density = own.map((i) => {
      if (taken.some(([atX, atY]) => Math.hypot(x[i] - atX, y[i] - atY) <= 2 * BADGE)) return 0;
      return own.filter((j) => Math.hypot(x[i] - x[j], y[i] - y[j]) <= SIDE / 12).length;
    });
    const best = argmax(density);
    if (density[best] === 0) return [];
    const place: [number, number] = [Math.round(x[own[best]]), Math.round(y[own[best]])];
    taken.push(place);
    return [{ type: { number: type.number, name: type.name, color: type.color }, x: place[0], y: place[1] }];
  });
}
