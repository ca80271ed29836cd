// Drawings as files: SVG as it is, and PNG with 300 dots an inch, as journals ask for.

import { colour, el, svg } from "./dom.js";
import { keep } from "./keep.js";

const PER_INCH = 300;
const DENSE = PER_INCH / 96; // dots of a picture for each pixel of the page
const PER_METRE = Math.round(PER_INCH / 0.0254);
const EDGE = 14; // around a drawing
const HEAD = 33; // bytes of a PNG before what may say its density: signature and first chunk

// `drawing`: an svg with its size. `format`: "png" or "svg".
export async function keepPicture(drawing, file, format) {
  const [width, height] = ["width", "height"].map((name) => Number(drawing.getAttribute(name)) + 2 * EDGE);
  const framed = svg("svg", { width, height, viewBox: `${-EDGE} ${-EDGE} ${width} ${height}` },
    svg("rect", { x: -EDGE, y: -EDGE, width, height, fill: colour("--card") }), drawing.cloneNode(true));
  if (format === "svg") return keep(textOf(framed), `${file}.svg`, "image/svg+xml");
  return keep(await pngOf([textOf(framed)], { width, height }), `${file}.png`, "image/png");
}

// Two buttons that save what `draw()` gives.
export const pictureButtons = (draw, file, more = []) => el("p", { class: "row acts" },
  ...["png", "svg"].map((format) => el("button", { type: "button", class: "button", onclick: () => keepPicture(draw(), file, format) }, `Save ${format.toUpperCase()}`)), ...more);

export function textOf(drawing) {
  const copy = drawing.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

// Layers are texts of SVG, or {url, x, y, width, height} of a picture; the first lies lowest.
export async function pngOf(layers, { width, height }) {
  const canvas = el("canvas", { width: Math.round(width * DENSE), height: Math.round(height * DENSE) });
  const pen = canvas.getContext("2d");
  for (const layer of layers) {
    if (typeof layer !== "string") {
      pen.drawImage(await loaded(layer.url), ...[layer.x, layer.y, layer.width, layer.height].map((part) => part * DENSE));
      continue;
    }
    const url = URL.createObjectURL(new Blob([layer], { type: "image/svg+xml" }));
    pen.drawImage(await loaded(url), 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
  }
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
  return withDensity(new Uint8Array(await blob.arrayBuffer()));
}

async function loaded(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

// Say in a PNG how large it is on paper: a canvas doesn't.
function withDensity(png) {
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, at) => chunk.setUint8(4 + at, letter.charCodeAt(0)));
  chunk.setUint32(8, PER_METRE);
  chunk.setUint32(12, PER_METRE);
  chunk.setUint8(16, 1);
  chunk.setUint32(17, checksum(new Uint8Array(chunk.buffer, 4, 13)));
  return new Blob([png.subarray(0, HEAD), chunk, png.subarray(HEAD)], { type: "image/png" });
}

// The CRC that PNG has behind each chunk.
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
