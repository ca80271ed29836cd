// Texts that are spelled much like another one, as Python's difflib finds them.

import { compare } from "./text.ts";

// The most alike of some texts, likeliest first: at most so many, and none that is less alike than the cutoff.
export function closeMatches(text: string, among: Iterable<string>, most: number, cutoff: number): string[] {
  const matcher = new Matcher([...text]), found: [number, string][] = [];
  for (const other of among) {
    const ratio = matcher.ratio([...other], cutoff);
    if (ratio >= cutoff) found.push([ratio, other]);
  }
  return found.sort((a, b) => b[0] - a[0] || compare(b[1], a[1])).slice(0, most).map(([, other]) => other);
}

// How alike other texts are to one: twice the letters of their common blocks by the letters of both.
class Matcher {
  // Places of each letter, but of those that are met very often in a long text.
  private readonly places = new Map<string, number[]>();
  private readonly count = new Map<string, number>();

  constructor(private readonly b: string[]) {
    b.forEach((letter, j) => {
      const there = this.places.get(letter);
      if (there) there.push(j);
      else this.places.set(letter, [j]);
    });
    for (const [letter, { length }] of this.places) {
      this.count.set(letter, length);
      if (b.length >= 200 && length > Math.floor(b.length / 100) + 1) this.places.delete(letter);
    }
  }

  // The ratio, or something below the cutoff if it can't reach that.
  ratio(a: string[], cutoff: number): number {
    const length = a.length + this.b.length;
    const share = (letters: number): number => (length ? (2 * letters) / length : 1);
    if (share(Math.min(a.length, this.b.length)) < cutoff || share(this.shared(a)) < cutoff) return -1;
    return share(this.common(a, 0, a.length, 0, this.b.length));
  }

  // Letters that both have, wherever they stand.
  private shared(a: string[]): number {
    const left = new Map(this.count);
    let letters = 0;
    for (const letter of a) {
      const there = left.get(letter) ?? 0;
      if (there > 0) letters += 1;
      left.set(letter, there - 1);
    }
    return letters;
  }

  // Letters of the longest common block, and of those on both sides of it.
  private common(a: string[], aFrom: number, aTo: number, bFrom: number, bTo: number): number {
    const [i, j, size] = this.longest(a, aFrom, aTo, bFrom, bTo);
    if (!size) return 0;
    return size + this.common(a, aFrom, i, bFrom, j) + this.common(a, i + size, aTo, j + size, bTo);
  }

  private longest(a: string[], aFrom: number, aTo: number, bFrom: number, bTo: number): [number, number, number] {
    let bestI = aFrom, bestJ = bFrom, best = 0, sizes = new Map<number, number>();
    for (let i = aFrom; i < aTo; i += 1) {
      const next = new Map<number, number>();
      for (const j of this.places.get(a[i]) ?? []) {
        if (j < bFrom || j >= bTo) continue;
        const size = (sizes.get(j - 1) ?? 0) + 1;
        next.set(j, size);
        if (size > best) [bestI, bestJ, best] = [i - size + 1, j - size + 1, size];
      }
      sizes = next;
    }
    // letters that are met very often only make a block longer
    for (; bestI > aFrom && bestJ > bFrom && a[bestI - 1] === this.b[bestJ - 1]; best += 1) [bestI, bestJ] = [bestI - 1, bestJ - 1];
    while (bestI + best < aTo && bestJ + best < bTo && a[bestI + best] === this.b[bestJ + best]) best += 1;
    return [bestI, bestJ, best];
  }
}
