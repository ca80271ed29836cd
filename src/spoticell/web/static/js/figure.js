// A picture of the map to keep: the points as an image, and names, legend and title as text that can still be changed.

import { svg } from "./dom.js";
import { keep } from "./keep.js";
import { pngOf, textOf } from "./pictures.js";

const EDGE = 16;
const TITLE = 44;
const ROW = 20;
const GAP = 16;
const COLUMNS = 2;
const FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif";
const LONGEST = 36;
const DOT = 28; // room for a dot, or a number on it
const pen = document.createElement("canvas").getContext("2d");

function wide(text, size, weight = 400) {
  pen.font = `${weight} ${size}px ${FONT}`;
  return pen.measureText(text).width;
}

const fitting = (name) => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

// `legend`: [{color, number, name, note}], without a number as a plain dot, or {colours, low, high}; `theme`: {ground, ink, dim}.
export async function saveFigure({ url, width, height, names, title, file, legend, theme, format }) {
  const rows = Array.isArray(legend) ? legend : [];
  const perColumn = Math.max(Math.floor(height / ROW), 1);
  const columns = Math.min(Math.ceil(rows.length / perColumn), COLUMNS);
  const column = Math.max(...rows.map((row) => DOT + wide(`${fitting(row.name)}  ${row.note}`, 12)), 0) + GAP;
  const size = { width: Math.ceil(Math.max(width + 2 * EDGE + columns * column, wide(title, 17, 700) + 2 * EDGE)), height: height + TITLE + EDGE + (rows.length ? 0 : 2 * ROW) };
  const image = svg("image", { href: url, x: EDGE, y: TITLE, width, height });
  const words = [
    write(title, EDGE, TITLE - 16, { size: 17, weight: 700, fill: theme.ink }),
    svg("g", { transform: `translate(${EDGE} ${TITLE})` }, ...names.flatMap((name) => label(name, theme))),
    ...(rows.length ? list(rows, { columns, column, perColumn, left: EDGE * 2 + width, theme }) : scale(legend, { top: TITLE + height + 14, theme })),
  ];
  const whole = (...inside) => svg("svg", { xmlns: "http://www.w3.org/2000/svg", ...size, viewBox: `0 0 ${size.width} ${size.height}`, "font-family": FONT }, ...inside);
  const back = svg("rect", { ...size, fill: theme.ground });
  if (format === "svg") return keep(textOf(whole(back, image, ...words)), `${file}.svg`, "image/svg+xml");
  const points = { url, x: EDGE, y: TITLE, width, height };
  return keep(await pngOf([textOf(whole(back)), points, textOf(whole(...words))], size), `${file}.png`, "image/png");
}

function write(text, x, y, { size = 13, weight = 400, fill, anchor = "start" }) {
  return svg("text", { x, y, "font-size": size, "font-weight": weight, fill, "text-anchor": anchor }, text);
}

function label({ kind, text, left, top, color, ink }, theme) {
  if (kind === "number") return [chip(left, top, text, color, ink)];
  const halo = { "paint-order": "stroke", stroke: theme.ground, "stroke-width": 3.5, "stroke-linejoin": "round" };
  return [svg("text", { x: left, y: top + 4.5, "text-anchor": "middle", "font-size": 12.5, "font-weight": 700, fill: theme.ink, ...halo }, text)];
}

function chip(x, y, text, color, ink) {
  const width = 12 + 6 * text.length;
  return svg("g", {}, svg("rect", { x: x - width / 2, y: y - 8.5, width, height: 17, rx: 8.5, fill: color }),
    write(text, x, y + 4, { size: 11, weight: 700, fill: ink, anchor: "middle" }));
}

function list(rows, { columns, column, perColumn, left, theme }) {
  const room = columns * perColumn;
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows;
  const place = (k) => [left + column * Math.floor(k / perColumn), TITLE + ROW * (k % perColumn) + ROW / 2];
  const lines = shown.map(({ color, ink, number, name, note }, k) => {
    const [x, y] = place(k);
    const mark = number === null ? svg("circle", { cx: x + 10, cy: y, r: 5.5, fill: color }) : chip(x + 10, y, String(number), color, ink);
    return svg("g", {}, mark, svg("text", { x: x + DOT, y: y + 4, "font-size": 12, fill: theme.ink }, fitting(name), svg("tspan", { fill: theme.dim }, `  ${note}`)));
  });
  if (shown.length < rows.length) {
    const [x, y] = place(shown.length);
    lines.push(write(`and ${rows.length - shown.length} more`, x + DOT, y + 4, { size: 12, fill: theme.dim }));
  }
  return lines;
}

function scale({ colours, low, high }, { top, theme }) {
  const step = 22;
  const from = EDGE + 8 + 7 * low.length;
  return [
    write(low, EDGE, top + 11, { fill: theme.ink }),
    ...colours.map((fill, k) => svg("rect", { x: from + k * step, y: top, width: step, height: 13, fill })),
    write(high, from + colours.length * step + 8, top + 11, { fill: theme.ink }),
  ];
}
