// Remarks on how counts were had from a matrix, for its owner to read. The counterpart of spoticell/biology/remarks.py.

import { comma, commaFixed, general } from "../base/words.ts";
import { type CountsVerdict, inLine } from "./recovery.ts";
import { SCALES } from "./scales.ts";
import type { OddCell, Pattern, Tallies } from "./tallies.ts";

// A verdict with what its owner should know of the cells; position is the place in SCALES of the scale that most are on.
export function remarksOn(verdict: CountsVerdict, tallies: Tallies, position: number): CountsVerdict {
  return {
    ...verdict,
    remarks: [
      ...ofScale(verdict, tallies),
      ...ofMultiples(verdict, tallies),
      ...ofOthers(verdict, tallies, tallies.others(position)),
      ...ofOdd(verdict, tallies),
      ...ofLumps(verdict, tallies),
      ...ofDroplets(verdict, tallies, position),
    ],
  };
}

function ofScale(verdict: CountsVerdict, tallies: Tallies): string[] {
  const remarks: string[] = [];
  if (2 * tallies.nFloored > tallies.nFull) {
    remarks.push("no gene is zero in any cell: the value that most genes of a cell share was taken for zero.");
  }
  if (verdict.kind === "fractional counts") {
    remarks.push("the counts are fractions near whole numbers, taken as they stand.");
  } else if (verdict.kind === "counts") {
    if (verdict.unit !== 1) {
      remarks.push(`the values are multiples of ${general(verdict.unit!, 4)}: they were divided by it to have counts.`);
    }
  } else if (verdict.exact) {
    remarks.push(`the values are ${verdict.kind}, not counts: counts were worked back from them.`);
  } else if (verdict.rounded) {
    remarks.push(`the values are ${verdict.kind}, rounded: the counts worked back may be off by a few percent.`);
  } else {
    remarks.push(
      `the values come near ${verdict.kind} but aren't exactly that: the counts worked back are rough, and ` +
        "scores are less sure than they say.",
    );
  }
  return remarks;
}

// Names the cells that are on another scale than most; fractions near counts only seem to be.
function ofOthers(verdict: CountsVerdict, tallies: Tallies, others: Map<number, Pattern[]>): string[] {
  if (verdict.kind === "fractional counts") return [];
  return Array.from(others, ([scale, patterns]) => {
    const first = Math.min(...patterns.map((pattern) => tallies.firstCell.get(pattern)!));
    const some = cells(tallies.nOf(patterns), first, tallies);
    return `${some} on another scale than the rest (${SCALES[scale].kind}); counts were worked back from it.`;
  });
}

function ofMultiples(verdict: CountsVerdict, tallies: Tallies): string[] {
  const { n, first, unit } = tallies.multiples;
  if (verdict.kind !== "counts" || verdict.unit !== 1 || n === 0) return [];
  return [`${cells(n, first, tallies)} multiples of another number than 1 (${general(unit, 4)} in the first); they were divided by it.`];
}

// Names the cells that no scale fits: those taken as they stand, and those left out.
function ofOdd(verdict: CountsVerdict, tallies: Tallies): string[] {
  const remarks: string[] = [];
  // the odd cells are remembered as they are stored, so that only those among counts can be told
  const taken = (odd: OddCell) => (verdict.kind === "counts" ? inLine(odd.mean, odd.whole, verdict) : verdict.meanWithin !== null);
  const lost = tallies.odd.filter((odd) => !taken(odd));
  const fractional = tallies.odd.filter((odd) => taken(odd) && !odd.whole);
  if (fractional.length > 0) {
    remarks.push(`${cells(fractional.length, fractional[0].cell, tallies)} no whole multiples of one count, and taken as proportions.`);
  }
  if (lost.length > 0) {
    const n = tallies.nOdd === tallies.odd.length ? lost.length : tallies.nOdd - fractional.length;
    remarks.push(`${cells(n, lost[0].cell, tallies)} on no scale that is known, and left unknown.`);
  }
  return remarks;
}

// Finds cells among counts that sum suspiciously often to nearly the same round number.
function ofLumps(verdict: CountsVerdict, tallies: Tallies): string[] {
  const lumps = [...tallies.nAtTarget].filter(
    ([target, n]) => verdict.kind === "counts" && n >= 10 && n >= 0.7 * tallies.nNearTarget.get(target)!,
  );
  return lumps.map(
    ([target, n]) =>
      `${comma(n)} of ${comma(tallies.nCells)} cells sum to nearly ${commaFixed(target, 0)}: if they were normalised and rounded, their ` +
      "scores are less sure than they say.",
  );
}

function ofDroplets(verdict: CountsVerdict, tallies: Tallies, position: number): string[] {
  if (verdict.emptyUpTo === 0) return [];
  const { nLow } = tallies.dropletsS[position];
  return [
    `${comma(nLow)} of ${comma(tallies.nCells)} barcodes have ${verdict.emptyUpTo} counts or fewer and ` +
      "look like empty droplets, which stay unknown: give the filtered matrix if there is one.",
  ];
}

const cells = (n: number, first: number, tallies: Tallies): string =>
  `${comma(n)} of ${comma(tallies.nCells)} cells (the first is cell ${comma(first)}, counting from 0) ${n === 1 ? "is" : "are"}`;
