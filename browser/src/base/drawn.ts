// Cells that are drawn by chance, always the same: those that NumPy's default_rng(0).choice draws.

import { Generator } from "./random.ts";

// Beyond so many, and where more than one in fifty is drawn, the end of a shuffled list is taken.
const LISTED = 10_000, PART = 50;

// Some of n places, each as likely, rising: sorted(default_rng(0).choice(n, size, replace=False)).
export function drawnPlaces(n: number, size: number): Int32Array {
  const generator = new Generator(0);
  if (n > LISTED && size > Math.floor(n / PART)) {
    const places = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i >= Math.max(n - size, 1); i -= 1) {
      const other = generator.upTo(i), held = places[other];
      places[other] = places[i];
      places[i] = held;
    }
    return places.slice(n - size).sort();
  }
  const found = new Set<number>();
  for (let last = n - size; last < n; last += 1) {
    const place = generator.upTo(last);
    found.add(found.has(place) ? last : place);
  }
  return Int32Array.from(found).sort();
}
