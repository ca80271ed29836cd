// The gene grid of a model: which gene lives on which pixel, and pictures on it as arrays.

import { read, readJson } from "./api.js";

const grids = new Map();
const SEEN = 3; // level from which on a gene was seen; the server's SEEN

// Asked for once a model, also when that fails: the next to ask tries again.
export function gridOf(model = "") {
  if (!grids.has(model)) {
    grids.set(model, readJson(`/api/grid?model=${encodeURIComponent(model)}`).then(prepared).catch((error) => { grids.delete(model); throw error; }));
  }
  return grids.get(model);
}

function prepared({ side, colors, pixels, symbols, chromosomes }) {
  const geneOf = new Int32Array(side * side).fill(-1);
  pixels.forEach((pixel, gene) => { geneOf[pixel] = gene; });
  return { side, geneOf, symbols, chromosomes, palette: colors.map(hexToRgb) };
}

const hexToRgb = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));

// Levels, and behind each pixel that shines its number.
export async function skyAt(path, grid) {
  const buffer = await (await read(path)).arrayBuffer();
  const size = grid.side ** 2;
  const levels = new Uint8Array(buffer, 0, size);
  const numbers = new DataView(buffer, size);
  const values = new Float32Array(size);
  let at = 0;
  for (let pixel = 0; pixel < size; pixel += 1) {
    if (levels[pixel] >= SEEN) { values[pixel] = numbers.getFloat32(at, true); at += 4; }
  }
  return { levels, values };
}

// A picture of few genes, all others unseen.
export function sparseLevels(grid, pixels, levels) {
  const out = Uint8Array.from(grid.geneOf, (gene) => (gene < 0 ? 0 : SEEN - 1));
  pixels.forEach((pixel, k) => { out[pixel] = levels[k]; });
  return out;
}

export function paint(canvas, levels, palette, side) {
  canvas.width = side;
  canvas.height = side;
  const image = new ImageData(side, side);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    const [red, green, blue] = palette[levels[pixel]];
    image.data.set([red, green, blue, 255], 4 * pixel);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// For a small picture: the brightest of each block of pixels.
export function coarse(levels, side, block) {
  const small = side / block;
  const out = new Uint8Array(small * small);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    const place = Math.floor(pixel / side / block) * small + Math.floor((pixel % side) / block);
    out[place] = Math.max(out[place], levels[pixel]);
  }
  return out;
}

// Log-normalised numbers, so that cells and means of types can be set against each other.
const PER = 1e4;
export function logs({ values }, isMean) {
  if (isMean) return values;
  const total = values.reduce((sum, value) => sum + value, 0) || 1;
  return values.map((value) => Math.log1p((PER * value) / total));
}

export const DIFFERENT = 24;

// Levels of a difference: the middle is none, above it more in the first, below more in the second.
export function difference(grid, first, second) {
  const apart = Float32Array.from(first, (value, pixel) => value - second[pixel]);
  const sizes = Float32Array.from(apart, Math.abs).filter((size) => size > 0).sort();
  const full = sizes[Math.floor(sizes.length * 0.995)] || 1;
  const levels = Uint8Array.from(apart, (value, pixel) => (grid.geneOf[pixel] < 0 ? 2 * DIFFERENT + 1
    : DIFFERENT + Math.round(DIFFERENT * Math.max(-1, Math.min(1, value / full)))));
  return { values: apart, levels };
}

// Amber for the first, blue for the second, the night between.
const AMBER = [255, 186, 92], BLUE = [96, 190, 255], NIGHT = [21, 25, 35], NOWHERE = [12, 15, 22];
export const DIVERGING = [...Array.from({ length: 2 * DIFFERENT + 1 }, (_, level) => {
  const share = (level - DIFFERENT) / DIFFERENT;
  const [to, far] = [share < 0 ? BLUE : AMBER, Math.abs(share) ** 0.8];
  return NIGHT.map((part, k) => Math.round(part + (to[k] - part) * far));
}), NOWHERE];

// The genes of which a picture of differences has most, on one side.
export function mostDifferent(grid, { values }, sign, count) {
  return Array.from(values.keys()).filter((pixel) => sign * values[pixel] > 0)
    .sort((a, b) => sign * (values[b] - values[a])).slice(0, count)
    .map((pixel) => geneAt(grid, pixel));
}

export const geneAt = (grid, pixel) =>
  ({ symbol: grid.symbols[grid.geneOf[pixel]], pixel: [Math.floor(pixel / grid.side), pixel % grid.side] });
