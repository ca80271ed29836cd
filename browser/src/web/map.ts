// The map of the fingerprints: some cells are laid out, the others placed beside them.

import { takeRows, type Matrix } from "../base/matrix.ts";
import { chooseMapped, placeNear, project } from "../report/map.ts";
import type { Hands } from "./hands.ts";

// Cells that are placed at a time.
const AT_ONCE = 4096;

export class MapMaker {
  // Cells that are laid out.
  private chosen: number[] = [];
  private laidOut: Promise<Float64Array | null> | null = null;

  constructor(private readonly fingerprints: Matrix, private readonly hands: Hands | null) {}

  // Begins once all fingerprints are there.
  begin(): void {
    const { data, width } = this.fingerprints, held: number[] = [];
    for (let at = 0; at < data.length; at += width) {
      let d = at;
      while (d < at + width && data[d] === 0) d += 1;
      if (d < at + width) held.push(at / width);
    }
    this.chosen = Array.from(chooseMapped(held.length), (place) => held[place]);
    if (this.hands !== null && this.chosen.length) this.laidOut = this.hands.project(this.landmarks);
  }

  // Of all cells, from 0 to 1; NaN for those without counts.
  async places(nCountsN: Float32Array): Promise<{ x: Float32Array; y: Float32Array }> {
    const n = nCountsN.length, x = new Float32Array(n).fill(NaN), y = new Float32Array(n).fill(NaN), { chosen, landmarks } = this;
    if (!chosen.length) return { x, y };
    const placeL = (await this.laidOut) ?? project(landmarks), placed = placeNear(this.parts(), landmarks, placeL, n);
    chosen.forEach((cell, l) => placed.set(placeL.subarray(2 * l, 2 * l + 2), 2 * cell));
    for (let i = 0; i < n; i += 1) {
      if (nCountsN[i] === 0) continue;
      x[i] = placed[2 * i];
      y[i] = placed[2 * i + 1];
    }
    return { x, y };
  }

  private get landmarks(): Matrix {
    return takeRows(this.fingerprints, this.chosen);
  }

  private *parts(): Generator<Float32Array> {
    const { data, width } = this.fingerprints;
    for (let start = 0; start < data.length; start += AT_ONCE * width) yield data.subarray(start, start + AT_ONCE * width);
  }
}
