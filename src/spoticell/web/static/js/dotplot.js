// Genes by type as pictures that can be kept: dots for several genes, and the spread of one.

import { colour, inkOn, svg } from "./dom.js";
import { ramp } from "./groups.js";
import { percent } from "./words.js";

export const STEP = 22;
export const BIG = 9.5;
const LABEL = 168;
export const TOP = 74;
const ROOM = LABEL - 36; // for the name of a type
export const SHADES = 9;
const FONT = { "font-family": "system-ui, sans-serif", "font-size": 12, stroke: "none" };

const pen = document.createElement("canvas").getContext("2d");

function fitting(name) {
  pen.font = `${FONT["font-size"]}px ${FONT["font-family"]}`;
  let words = name;
  while (pen.measureText(words).width > ROOM) words = `${words.replace(/…$/, "").slice(0, -1).trimEnd()}…`;
  return words;
}

export const text = (x, y, words, more = {}) => svg("text", { x, y, fill: colour("--ink"), ...FONT, ...more }, words);

// A row begins with the number that its type has in the table and on the map.
export const row = ({ name, short, number, color }, y) => [svg("circle", { cx: 9, cy: y, r: 8.5, fill: color, stroke: "none" }),
  text(9, y + 3.5, String(number), { fill: inkOn(color), "font-size": 10, "font-weight": 650, "text-anchor": "middle" }), svg("g", {}, svg("title", {}, name), text(23, y + 4, fitting(short || name)))];

export const frame = (width, height, label, ...inside) =>
  svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    svg("rect", { width, height, fill: colour("--card"), stroke: "none" }), ...inside);

// `genes`: {symbol, share, mean}, each with a value for each row; size is the share of cells, colour the mean.
export function dotPlot(genes, rows) {
  const most = Math.max(...genes.flatMap(({ mean }) => rows.map(({ at }) => mean[at])), 1e-9);
  const shades = ramp(SHADES);
  const bottom = TOP + rows.length * STEP + 10;
  const width = Math.max(LABEL + genes.length * STEP + 44, 330);
  const dots = genes.flatMap(({ symbol, share, mean }, k) => rows.map(({ at, name }, r) =>
    svg("circle", {
      cx: LABEL + k * STEP + STEP / 2, cy: TOP + r * STEP, r: BIG * Math.sqrt(share[at]), stroke: "none",
      fill: shades[Math.min(Math.floor((mean[at] / most) * SHADES), SHADES - 1)],
    }, svg("title", {}, `${symbol}, ${name}: in ${percent(share[at])} of the cells, mean ${mean[at].toFixed(2)}`))));
  const names = genes.map(({ symbol }, k) => {
    const x = LABEL + k * STEP + STEP / 2 + 3;
    return text(x, TOP - 16, symbol, { transform: `rotate(-55 ${x} ${TOP - 16})`, "font-style": "italic" });
  });
  const label = `${genes.length} genes in ${rows.length} types: the size of a dot is the share of cells that have the gene, its colour the mean. The table below has the numbers.`;
  return frame(width, bottom + 58, label, ...rows.flatMap((kind, r) => row(kind, TOP + r * STEP)), ...names, ...dots, ...key(bottom + 14, most, shades));
}

export function key(y, most, shades) {
  const sizes = [0.1, 0.5, 1].flatMap((share, k) => [
    svg("circle", { cx: 18 + k * 52, cy: y + 8, r: BIG * Math.sqrt(share), fill: colour("--dim"), stroke: "none" }),
    text(31 + k * 52, y + 12, percent(share), { "font-size": 11 })]);
  const scale = shades.map((fill, k) => svg("rect", { x: 190 + k * 10, y, width: 10, height: 12, fill, stroke: "none" }));
  return [...sizes, text(8, y + 34, "of the cells have it", { "font-size": 11 }), ...scale,
    text(184, y + 11, "0", { "font-size": 11, "text-anchor": "end" }), text(284, y + 11, most.toFixed(1), { "font-size": 11 }),
    text(190, y + 34, "mean, log-normalised", { "font-size": 11 })];
}

// `spread`: {symbol, most, cells}: of each row, how many cells that have the gene lie in each step.
export function violins({ symbol, most, cells }, rows, shareOf) {
  const [left, wide, half] = [LABEL + 44, 150, STEP / 2 - 1];
  const height = rows.length * STEP + 58;
  const shapes = rows.flatMap((kind, r) => {
    const y = 16 + r * STEP;
    return [...row(kind, y), text(left - 6, y + 4, percent(shareOf(kind.at)), { "text-anchor": "end", "font-size": 11, fill: colour("--dim") }),
      shape(cells[kind.at], left, y, wide, half, kind.color)];
  });
  const end = height - 36;
  const axis = [svg("path", { d: `M${left} ${end}h${wide}`, stroke: colour("--edge"), "stroke-width": 1 }),
    text(left, end + 15, "0", { "font-size": 11 }), text(left + wide, end + 15, most.toFixed(1), { "font-size": 11, "text-anchor": "end" }),
    text(left + wide / 2, end + 30, `${symbol}, log-normalised`, { "font-size": 11, "text-anchor": "middle" })];
  const label = `Spread of ${symbol} over the cells of each type that have it: ${rows.map(({ name, at }) => `${name} ${percent(shareOf(at))}`).join(", ")}.`;
  return frame(left + wide + 12, height, label, ...shapes, ...axis);
}

function shape(steps, left, y, wide, half, color) {
  if (!steps.some(Boolean)) return svg("path", { d: "" });
  const smooth = steps.map((_, k) => [-2, -1, 0, 1, 2].reduce((sum, d) => sum + (steps[k + d] ?? 0) * (3 - Math.abs(d)), 0));
  const most = Math.max(...smooth);
  const points = smooth.map((value, k) => [left + ((k + 0.5) / steps.length) * wide, (value / most) * half]);
  const upper = points.map(([x, high]) => `${x.toFixed(1)} ${(y - high).toFixed(1)}`);
  const lower = points.reverse().map(([x, high]) => `${x.toFixed(1)} ${(y + high).toFixed(1)}`);
  return svg("path", { d: `M${[...upper, ...lower].join("L")}Z`, fill: color, stroke: "none" });
}
