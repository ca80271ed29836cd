// A picture of the map to keep: the points as an image, and names, legend and title as text that can still be changed.

import { el, svg } from "./dom.js";

const EDGE = 16;
const TITLE = 44;
const ROW = 20;
const COLUMN = 250;
const COLUMNS = 2;
const DENSE = 2; // pixels of a PNG for each on the screen
const FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif";
const LONGEST = 36;

// `legend`: [{color, number, name, note}] or {colours, low, high}; `theme`: {ground, ink, dim}.
export async function saveFigure({ url, width, height, names, title, file, legend, theme, format }) {
  const rows = Array.isArray(legend) ? legend : [];
  const perColumn = Math.max(Math.floor(height / ROW), 1);
  const columns = Math.min(Math.ceil(rows.length / perColumn), COLUMNS);
  const size = { width: width + 2 * EDGE + columns * COLUMN, height: height + TITLE + EDGE + (rows.length ? 0 : 2 * ROW) };
  const image = svg("image", { href: url, x: EDGE, y: TITLE, width, height });
  const words = [
    write(title, EDGE, TITLE - 16, { size: 17, weight: 700, fill: theme.ink }),
    svg("g", { transform: `translate(${EDGE} ${TITLE})` }, ...names.flatMap((name) => label(name, theme))),
    ...(rows.length ? list(rows, { columns, perColumn, left: EDGE * 2 + width, theme }) : scale(legend, { top: TITLE + height + 14, theme })),
  ];
  const whole = (...inside) => svg("svg", { xmlns: "http://www.w3.org/2000/svg", ...size, viewBox: `0 0 ${size.width} ${size.height}`, "font-family": FONT }, ...inside);
  const back = svg("rect", { ...size, fill: theme.ground });
  const blob = format === "svg" ? asBlob(whole(back, image, ...words)) : await asPng(size, theme.ground, image, whole(...words));
  keep(blob, `${file}.${format}`);
}

const asBlob = (node) => new Blob([new XMLSerializer().serializeToString(node)], { type: "image/svg+xml" });

async function asPng({ width, height }, ground, points, words) {
  const canvas = el("canvas", { width: width * DENSE, height: height * DENSE });
  const pen = canvas.getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const [x, y, wide, high] = ["x", "y", "width", "height"].map((name) => DENSE * Number(points.getAttribute(name)));
  pen.drawImage(await loaded(points.getAttribute("href")), x, y, wide, high);
  const address = URL.createObjectURL(asBlob(words));
  pen.drawImage(await loaded(address), 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function loaded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
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
  const wide = 12 + 6 * text.length;
  return svg("g", {}, svg("rect", { x: x - wide / 2, y: y - 8.5, width: wide, height: 17, rx: 8.5, fill: color }),
    write(text, x, y + 4, { size: 11, weight: 700, fill: ink, anchor: "middle" }));
}

function list(rows, { columns, perColumn, left, theme }) {
  const room = columns * perColumn;
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows;
  const place = (k) => [left + COLUMN * Math.floor(k / perColumn), TITLE + ROW * (k % perColumn) + ROW / 2];
  const lines = shown.map(({ color, ink, number, name, note }, k) => {
    const [x, y] = place(k);
    const text = name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
    return svg("g", {}, chip(x + 10, y, String(number ?? "?"), color, ink),
      svg("text", { x: x + 28, y: y + 4, "font-size": 12, fill: theme.ink }, text, svg("tspan", { fill: theme.dim }, `  ${note}`)));
  });
  if (shown.length < rows.length) {
    const [x, y] = place(shown.length);
    lines.push(write(`and ${rows.length - shown.length} more`, x + 28, y + 4, { size: 12, fill: theme.dim }));
  }
  return lines;
}

function scale({ colours, low, high }, { top, theme }) {
  const wide = 22;
  const from = EDGE + 8 + 7 * low.length;
  return [
    write(low, EDGE, top + 11, { fill: theme.ink }),
    ...colours.map((fill, k) => svg("rect", { x: from + k * wide, y: top, width: wide, height: 13, fill })),
    write(high, from + colours.length * wide + 8, top + 11, { fill: theme.ink }),
  ];
}

function keep(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
