// A picture with a palette as PNG, https://www.w3.org/TR/png-3/.

import { zlibSync } from "fflate";
import { joined } from "./joined.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

// One byte a pixel, row by row; colors as #rrggbb.
export function palettePng(pixels: Uint8Array, side: number, colors: readonly string[]): Uint8Array {
  const rows = new Uint8Array(pixels.length + pixels.length / side);
  for (let row = 0; row * side < pixels.length; row += 1) rows.set(pixels.subarray(row * side, (row + 1) * side), row * (side + 1) + 1);
  const head = new Uint8Array(13), view = new DataView(head.buffer);
  view.setUint32(0, side);
  view.setUint32(4, pixels.length / side);
  head.set([8, 3], 8);
  const palette = Uint8Array.from(colors.flatMap((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))));
  const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head), chunk("PLTE", palette), chunk("IDAT", zlibSync(rows, { level: 9 })), chunk("IEND", new Uint8Array(0))];
  return joined(Uint8Array, parts);
}

function chunk(kind: string, data: Uint8Array): Uint8Array {
  const made = new Uint8Array(12 + data.length), view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  made.set(data, 8);
  view.setUint32(8 + data.length, sumOf(made.subarray(4, 8 + data.length)));
  return made;
}

// The sum by which a reader sees that a part came whole (CRC-32).
function sumOf(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}
