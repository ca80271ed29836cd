// Bars that are cut into parts, as a drawing to keep: with names, cells, and what the colours mean.

import { colour, inkOn, svg } from "./dom.js";
import { percent } from "./words.js";

const [EDGE, WIDE, TITLE, NAME, BAR, GAP, KEY, COLUMNS] = [2, 720, 34, 18, 18, 12, 20, 2];
const FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif";
const LONGEST = 34;
// From more bars on the key has shares of all cells, not one for each bar.
const MOST_SHARES = 3;
const GUTTER = 24; // between columns of the key
const [SMALL, INSIDE] = [10.5, 4]; // letters within a bar, and the room around them
const pen = document.createElement("canvas").getContext("2d");

const write = (x, y, words, more = {}) => svg("text", { x, y, "font-size": 12, fill: colour("--ink"), stroke: "none", ...more }, words);

const fitting = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

// A colour of the style sheet as a file can hold it.
const plain = (color) => { const [, name] = color.match(/^var\((.+)\)$/) ?? []; return name ? colour(name) : color; };

const sum = (parts) => parts.reduce((all, { cells }) => all + cells, 0);

// `bars`: [{name, note, parts: [{name, color, cells}]}], all with the same parts; the key has them in the same order.
export function barFigure(title, bars) {
  const key = (bars[0]?.parts ?? []).map((part, at) => ({ ...part, cells: bars.map(({ parts }) => parts[at].cells) })).filter(({ cells }) => cells.some(Boolean));
  const perColumn = Math.ceil(key.length / COLUMNS);
  const room = (WIDE + GUTTER) / COLUMNS - GUTTER;
  const step = NAME + BAR + GAP;
  const head = TITLE + bars.length * step + 8;
  const below = head + KEY;
  const [width, height] = [WIDE + 2 * EDGE, below + perColumn * KEY + EDGE];
  const rows = bars.flatMap(({ name, note, parts }, k) => {
    const y = TITLE + k * step;
    return [write(EDGE, y + NAME - 5, name), write(EDGE + WIDE, y + NAME - 5, note, { "text-anchor": "end", fill: colour("--dim") }), ...cut(parts, y + NAME)];
  });
  const each = bars.length <= MOST_SHARES;
  const totals = bars.map(({ parts }) => sum(parts) || 1);
  const shares = (cells) => (each ? cells.map((n, k) => percent(n / totals[k])).join(" · ")
    : percent(cells.reduce((all, n) => all + n, 0) / totals.reduce((all, n) => all + n, 0)));
  const meanings = key.flatMap(({ name, color, cells }, k) => {
    const [x, y] = [EDGE + Math.floor(k / perColumn) * (room + GUTTER), below + (k % perColumn) * KEY];
    return [svg("circle", { cx: x + 5, cy: y + 6, r: 5, fill: plain(color), stroke: "none" }),
      svg("g", {}, svg("title", {}, name), write(x + 17, y + 10, fitting(name))), write(x + room, y + 10, shares(cells), { "text-anchor": "end", fill: colour("--dim") })];
  });
  const told = each ? `Shares of the cells of ${bars.map(({ name }) => fitting(name)).join(" · ")}` : "Shares of the cells of all bars";
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": FONT },
    svg("rect", { width, height, fill: colour("--card"), stroke: "none" }),
    write(EDGE, TITLE - 16, title, { "font-size": 17, "font-weight": 700 }), ...rows, write(EDGE, head + 8, `${told}, in the order of the bars`, { fill: colour("--dim") }), ...meanings);
}

// The name stands in a part where there is room: colours alone may be near each other.
function cut(parts, y) {
  const all = sum(parts) || 1;
  let from = EDGE;
  return parts.filter(({ cells }) => cells).flatMap(({ name, color, cells }) => {
    const width = (WIDE * cells) / all;
    const piece = svg("rect", { x: from.toFixed(2), y, width: Math.max(width - 0.75, 0.25).toFixed(2), height: BAR, fill: plain(color), stroke: "none" }, svg("title", {}, `${name}: ${cells}`));
    pen.font = `${SMALL}px ${FONT}`;
    const hasRoom = pen.measureText(name).width + 2 * INSIDE < width;
    const word = hasRoom && write(from + INSIDE, y + BAR / 2 + 4, name, { "font-size": SMALL, fill: color.startsWith("#") ? inkOn(color) : colour("--ink") });
    from += width;
    return word ? [piece, word] : [piece];
  });
}
