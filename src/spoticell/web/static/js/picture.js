// Rings and names for the genes that stand out on a picture of the gene grid.

import { svg } from "./dom.js";

const SIZE = 6.2;
const pen = document.createElement("canvas").getContext("2d");
const LINE = 7;

export function marks(genes, side) {
  const points = genes.map(({ symbol, pixel: [row, column] }) => ({ symbol, x: column + 0.5, y: row + 0.5 }));
  const taken = points.map(({ x, y }) => ({ left: x - 2.5, right: x + 2.5, top: y - 2.5, bottom: y + 2.5 }));
  return points.flatMap(({ symbol, x, y }) => {
    const ring = svg("circle", { cx: x, cy: y, r: 2.2 });
    const place = free(symbol, x, y, taken, side);
    if (!place) return [ring];
    taken.push(place.box);
    const far = Math.hypot(place.x - x, place.y - 2 - y) > 11;
    const thread = far && svg("path", { d: `M${x} ${y}L${place.x} ${place.y - 2}` });
    return [thread, ring, svg("text", { x: place.x, y: place.y, "text-anchor": "middle" }, symbol)].filter(Boolean);
  });
}

// The nearest place around a pixel where the name neither leaves the picture nor covers another.
function free(symbol, x, y, taken, side) {
  pen.font = `650 ${10 * SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  const width = pen.measureText(symbol).width / 10 + 1.5;
  for (const distance of [0, 5, 10, 16, 24]) {
    for (const angle of [90, 270, 0, 180, 45, 135, 225, 315]) {
      const turn = (angle * Math.PI) / 180;
      const middle = x + Math.cos(turn) * (distance + 5 + (width / 2) * Math.abs(Math.cos(turn)));
      const base = y + 2.4 + Math.sin(turn) * (distance + 6);
      const box = { left: middle - width / 2, right: middle + width / 2, top: base - LINE + 1.5, bottom: base + 1.5 };
      if (box.left < 1 || box.right > side - 1 || box.top < 1 || box.bottom > side - 1) continue;
      if (!taken.some((other) => box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top)) {
        return { x: middle, y: base, box };
      }
    }
  }
  return null;
}
