// Judging what a matrix holds: the scale that explains its cells, unless something speaks against counts. The
// counterpart of spoticell/biology/judging.py.
//
// The winner must explain most of the cells that can be tested. Where none does, values may still be proportional to
// counts; else the matrix is refused with the two best guesses.
//
// Axes: n cells of a sample, s scales.

import { median } from "../base/arrays.ts";
import { Csr } from "../base/csr.ts";
import { rint } from "../base/rounding.ts";
import { reduced } from "../base/sums.ts";
import { comma, commaFixed, commaGeneral, fixed, percent } from "../base/words.ts";
import { LOW } from "./droplets.ts";
import { Fit, isCustomary } from "./fit.ts";
import { type Doubt, doubt, doubtOfGenes, doubtOfLevels, geneSpread } from "./plausible.ts";
import { readCells } from "./reading.ts";
import { type CountsVerdict, REMEDY, divided, leastOf, meanOf, oneCount, undo, workedBack } from "./recovery.ts";
import { remarksOn } from "./remarks.ts";
import type { CellSample } from "./sample.ts";
import { COMMON_TARGETS, CONSTANT_WITHIN, type Kind, Moments, SCALES, type Sparse, TINY, decimals, withData } from "./scales.ts";
import { MAYBE_LOG, UNTOLD, toldLogarithm } from "./shared_ratios.ts";
import { DEEP, FLAT, type Tallies } from "./tallies.ts";

// Share of the tested cells that a scale must fit, exactly or nearly.
const EXACT_SHARE = 0.5, NEAR_SHARE = 0.75;
// A cell's total grows with its genes at least with this exponent in counts, and hardly in RPKM, FPKM and TPM.
const GROWS = 0.4;
// Share of whole numbers among values that only counts reach.
const MOSTLY_WHOLE = 0.75;
// Sums that vary by less are the same by intention: of proportions with any total.
const STEADY = 2e-3;
// Exponent, with three standard errors, below which totals surely don't grow with the genes, and what a cell of RPKM or
// FPKM sums to at least: in counts of reads of seven laboratories it is .36 or more.
const LEVEL = 0.3, DEEP_READS = 5e4;

// What a verdict says beside what all say.
type More = Partial<CountsVerdict> & { exact: boolean };

// Weighs what all cells and a sample of them say.
export class Judge {
  private readonly fitted = new Map<number, Fit>();
  private keptNv = Csr.empty(0);
  private floorN: Float64Array = new Float64Array(0);

  // tallies: of all cells; sample: of the cells that have values.
  constructor(private readonly tallies: Tallies, private readonly sample: CellSample) {}

  verdict(): CountsVerdict {
    const { tallies } = this;
    if (tallies.nFull === 0) {
      const what = tallies.nFloored > 0 ? "the one that nearly all genes share" : "zero";
      return this.refuse("nothing", `None of the ${comma(tallies.nCells)} cells has a value above ${what}.`);
    }
    [this.keptNv, this.floorN] = this.sample.cells();
    const found = doubtOfLevels(this.keptNv, this.floorN);
    if (found !== null) return this.doubted(found);
    const position = this.winner();
    if (position !== null) return this.accept(this.fit(position));
    const whole = this.keptNv.data.every((value) => Math.abs(value - rint(value)) < 1e-6);
    return whole ? this.judgeWhole() : this.judgeFractional();
  }

  // The sampled cells with each of the scales undone.
  private get fits(): Fit[] {
    return [...SCALES.keys()].map((position) => this.fit(position));
  }

  // A scale is undone when it is first asked for: most matrices are on the first that is tried.
  private fit(position: number): Fit {
    const known = this.fitted.get(position);
    if (known !== undefined) return known;
    const undoneE = undo(this.keptNv, this.floorN, position), sums = new Moments(), { indptr } = this.keptNv;
    sums.add(Array.from(this.floorN, (_, cell) => reduced(undoneE, indptr[cell], indptr[cell + 1])));
    const fit = new Fit(position, this.tallies.largest <= SCALES[position].largest, withData(this.keptNv, undoneE), sums);
    this.fitted.set(position, fit);
    return fit;
  }

  // The scale that explains most of the cells, null where none explains enough.
  private winner(): number | null {
    const { nTested, nExactS, nFittingS } = this.tallies;
    if (nTested === 0) return this.winnerOfFew();
    const printed = this.printed();
    for (const [nS, least] of [[nExactS, EXACT_SHARE], [nFittingS, NEAR_SHARE]] as const) {
      if (printed) nS[0] = 0;
      const most = Math.max(...nS);
      if (most < least * nTested) continue;
      const best = [...nS.keys()].filter((position) => nS[position] >= 0.95 * most);
      const constant = best.filter((position) => this.fit(position).target !== null);
      return constant.length > 0 ? this.leastOdd(constant) : best[0];
    }
    return null;
  }

  // Of scales on which all cells sum to the same the one that varies least, of those with a customary sum if there are any.
  private leastOdd(positions: number[]): number {
    const customary = positions.filter((position) => isCustomary(this.fit(position).sums.mean, CONSTANT_WITHIN));
    return leastBy(customary.length > 0 ? customary : positions, (position) => this.fit(position).spread);
  }

  // Tests the values of all sampled cells together, where each cell alone has too few.
  private winnerOfFew(): number | null {
    return this.fits.find((fit) => fit.possible && this.tellsFew(fit.undoneNv))?.position ?? null;
  }

  private tellsFew(undoneNv: Sparse): boolean {
    const { data, indptr } = undoneNv;
    let nTelling = 0, nWhole = 0, nLow = 0;
    for (let cell = 0; cell < this.floorN.length; cell += 1) {
      const least = Math.max(leastOf(undoneNv, cell), TINY);
      for (let e = indptr[cell]; e < indptr[cell + 1]; e += 1) {
        const ratio = data[e] / least;
        if (!(ratio > 1.05 && ratio <= 30)) continue;
        nTelling += 1;
        if (Math.abs(ratio - rint(ratio)) < 0.1) nWhole += 1;
        if (ratio < 3.2) nLow += 1;
      }
    }
    return nTelling >= 20 && nWhole >= 0.8 * nTelling && nLow >= 0.15 * nTelling;
  }

  // Whether plain numbers are multiples only of the last decimal that was written.
  private printed(): boolean {
    const { data } = this.keptNv, last = decimals(data);
    if (last === null || last === 1 || !(this.middleUnit() < 3.5 * last)) return false;
    const ones = shareOf(data, (value) => value < 1.5 * last);
    return ones < 0.25 && !(this.tallies.slope >= GROWS);
  }

  private accept(fit: Fit): CountsVerdict {
    const { tallies } = this, { position } = fit;
    const nExact = tallies.nExactS[position], nFitting = tallies.nFittingS[position];
    const exact = 2 * nExact >= nFitting;
    const counted = position === 0 && 2 * tallies.nCounted >= nExact;
    const unit = counted && exact ? 1 : exact ? tallies.unit(position) : null;
    let kind = fit.kind;
    if (position === 0 && unit !== null) kind = "counts";
    else if (position === 0 && !exact && fit.target === null && this.isNearOne()) kind = "fractional counts";
    const verdict = this.say(kind, this.evidence(fit, kind, nFitting, exact), {
      targetSum: kind === "counts" || kind === "fractional counts" ? null : fit.target,
      unit,
      exact,
      rounded: !exact && decimals(this.keptNv.data) !== null,
      recovers: kind === "fractional counts" ? "proportions" : "counts",
      plain: kind === "counts" && tallies.nCounted === tallies.nTested && tallies.nFloored === 0,
      meanWithin: tallies.nOdd > 0 ? this.means(fit) : null,
      beside: Array.from(tallies.others(position).keys(), (scale) => SCALES[scale].kind),
    });
    const found = (position === 0 ? this.flat() : null) ?? doubt(workedBack(this.keptNv, this.floorN, verdict));
    if (found !== null) return this.doubted(found);
    if (kind === "counts" && this.rounded()) return this.proportions(fit, "whole numbers that sum to nearly the same");
    if (kind === "counts" && this.level(fit)) return this.perLength(fit, `${verdict.evidence.slice(0, -1)}, but ${this.hardlyGrows()}.`);
    const emptyUpTo = exact && tallies.dropletsS[position].empty(tallies.nFull) ? LOW : 0;
    return remarksOn({ ...verdict, emptyUpTo }, tallies, position);
  }

  // The median of what one count is in the sampled cells, read as plain numbers.
  private middleUnit(): number {
    const reading = readCells(this.keptNv, this.floorN, 0);
    return median(Float64Array.from(this.floorN, (_, cell) => reading.unit(cell, 0)).filter((unit) => !Number.isNaN(unit)));
  }

  private isNearOne(): boolean {
    const unit = this.middleUnit();
    return unit >= 0.8 && unit <= 1.25;
  }

  // Between which means of their values, the scale undone, the cells lie that it fits.
  private means(fit: Fit): [number, number] {
    const reading = readCells(this.keptNv, this.floorN, fit.position);
    const fitting = [...this.floorN.keys()].filter((cell) => reading.fit(cell, fit.position) > 0);
    if (fitting.length === 0) return [0, 0];
    const logMeanN = fitting.map((cell) => Math.log(meanOf(fit.undoneNv, cell))), middle = median(logMeanN);
    const width = Math.max(4.5 * median(logMeanN.map((mean) => Math.abs(mean - middle))), 0.5);
    return [Math.exp(middle - width), Math.exp(middle + width)];
  }

  // Finds whole numbers whose large ones are missing, as in rounded logarithms.
  private flat(): Doubt | null {
    const { tallies } = this, flat = tallies.nDeepFlat / Math.max(tallies.nDeep, 1);
    // counts may be flat too, but their totals grow with their genes; thinned counts may all sum to the same
    const lags = tallies.slopeAtMost < 0.95 && tallies.totals.spread > 1e-3;
    if (tallies.nDeep < 20 || flat < 0.9 || !lags) return null;
    return {
      kind: "rounded logarithms",
      evidence:
        `${percent(flat)} of the cells with ${DEEP} genes or more have no value above ${FLAT}, and totals grow slower ` +
        `than the number of genes (exponent ${fixed(tallies.slope, 2)})`,
    };
  }

  // Whether cells sum to nearly the same but not quite: rounded after they were normalised.
  private rounded(): boolean {
    const { totals } = this.tallies;
    const customary = COMMON_TARGETS.some((target) => totals.mean / target >= 0.95 && totals.mean / target <= 1.01);
    return totals.n >= 10 && totals.spread > 1e-7 && totals.spread < 0.03 && customary;
  }

  // Whether whole numbers without molecular barcodes sum to much the same, however many genes a cell has.
  private level(fit: Fit): boolean {
    const level = this.tallies.slopeAtMost < LEVEL && this.tallies.totals.spread > STEADY;
    return level && fit.sums.mean > DEEP_READS && geneSpread(fit.undoneNv).within > 1;
  }

  private hardlyGrows(): string {
    return (
      `totals don't grow with the number of genes as counts do (exponent ${fixed(this.tallies.slope, 2)}): they look ` +
      "like RPKM, FPKM or TPM, which are divided by gene length"
    );
  }

  private judgeWhole(): CountsVerdict {
    const { largest } = this.tallies, all = `All values are whole numbers up to ${commaFixed(largest, 0)}`;
    if (this.tallies.nTested === 0) return this.say("counts", `${all}.`, { exact: true, unit: 1 });
    const seen = `${all}, but in most cells none is 1`;
    if (largest <= 40) {
      return this.refuse("rounded logarithms", `${seen}, as there always is in counts: they look like rounded logarithms.`);
    }
    if (this.fit(0).target !== null) {
      return this.perLength(
        this.fit(0),
        `${seen}, and all cells sum to about ${commaFixed(this.tallies.totals.mean, 0)}: they look like rounded TPM or ` +
          "other proportions that are no multiples of one count.",
      );
    }
    const leastN = Float32Array.from(this.floorN, (_, cell) => leastOf(this.keptNv, cell)), least = median(leastN);
    const [first, second, third] = [0, 1, 2].map((step) => shareOf(this.keptNv.data, (value) => value === least + step));
    if (shareOf(leastN, (value) => value === least) >= 0.8 && first > second && second > third && first >= 0.1) {
      return this.say("fractional counts", `${seen}; ${fixed(least, 0)} is the commonest.`, {
        exact: false,
        recovers: "proportions",
        remarks: [`counts below ${fixed(least, 0)} are missing: expect broader types.`],
      });
    }
    if (this.tallies.slope < GROWS) return this.perLength(this.fit(0), `${seen}, and ${this.hardlyGrows()}.`);
    return this.refuse("unknown", `${seen}, as there always is in counts, and they are no multiples of one number.${this.guesses()}`);
  }

  private judgeFractional(): CountsVerdict {
    const constant = this.fits.filter((fit) => fit.possible && fit.target !== null);
    if (constant.length > 0) return this.judgeConstant(leastBy(constant, (fit) => fit.spread));
    const { data } = this.keptNv, whole = shareOf(data, (value) => Math.abs(value - rint(value)) < 0.01);
    const { largest, slope } = this.tallies;
    const seen = `${percent(whole)} of the values are whole numbers, the largest is ${commaGeneral(largest, 4)}`;
    if (largest > 25 && slope < GROWS && whole < 0.25) {
      return this.perLength(this.fit(0), `${seen}, and ${this.hardlyGrows()}.`);
    }
    const told = toldLogarithm(this.fits.filter(({ possible }) => possible));
    if (told !== null) {
      return this.perLength(
        told,
        `Read as ${told.kind}, pairs of cells have one ratio in many genes, as RPKM and FPKM do, and on ` +
          `no other logarithm; cells sum to ${commaFixed(told.sums.mean, 0)} (spread ${percent(told.sums.spread)}).`,
      );
    }
    // shared reads leave hardly anything of some genes, which says nothing against the whole numbers of the others
    const counted = whole >= MOSTLY_WHOLE, keptNv = withData(this.keptNv, new Float64Array(data));
    const found = counted ? doubt(keptNv) : this.doubtOfGenes(this.fit(0));
    const one = median(oneCount(keptNv));
    const near = one >= 0.2 && one <= 3 && (whole >= 0.25 || (largest > 12 && slope >= GROWS));
    if (found === null && (counted || near)) return this.fractional(seen);
    const telling = found !== null && largest > 25;
    const untold = largest >= MAYBE_LOG[0] && largest <= MAYBE_LOG[1] && whole < MOSTLY_WHOLE ? UNTOLD : "";
    return this.refuse(telling ? found.kind : "unknown", `${seen}.${telling ? ` Read as counts, ${found.evidence}.` : ""}${untold}${this.guesses()}`);
  }

  private fractional(seen: string): CountsVerdict {
    const evidence =
      `${seen}, and totals vary by ${percent(this.tallies.totals.spread)} between cells, as counts corrected for ` +
      "ambient RNA or shared reads do.";
    return this.say("fractional counts", evidence, {
      exact: false,
      recovers: "proportions",
      remarks: [
        "the counts are fractions, as correction for ambient RNA or sharing of reads leaves them: answers " +
          "for cells with few counts are less sure than their scores say.",
      ],
    });
  }

  private judgeConstant(fit: Fit): CountsVerdict {
    const seen = `Read as ${fit.kind}, all cells sum to ${commaFixed(fit.sums.mean, 0)} but the values aren't multiples of one count`;
    const million = [1e6, ...(fit.kind === "log2 of 1 + normalised" ? [1e5] : [])];
    if (million.some((sum) => Math.abs(fit.sums.mean / sum - 1) < CONSTANT_WITHIN)) return this.perLength(fit, `${seen}: they look like TPM, which is divided by gene length.`);
    const found = this.doubtOfGenes(fit);
    if (found?.kind === "RPKM, FPKM or TPM" && fit.spread < STEADY) return this.perLength(fit, `${seen}, and ${found.evidence}.`);
    return found === null ? this.proportions(fit, "no multiples of one count") : this.refuse(found.kind, `${seen}, and ${found.evidence}.`);
  }

  private proportions(fit: Fit, why: string): CountsVerdict {
    return this.say(fit.kind, `Read as ${fit.kind}, cells sum to ${commaFixed(fit.sums.mean, 0)} (spread ${percent(fit.sums.spread, 2)}).`, {
      exact: false,
      recovers: "proportions",
      targetSum: fit.target,
      remarks: [`the values are ${why}: how many counts a cell has is estimated, and scores are less sure than they say.`],
    });
  }

  // Takes values as proportions of which nobody knows how many counts they are, but no other values.
  private perLength(fit: Fit, evidence: string): CountsVerdict {
    const found = this.doubtOfGenes(fit);
    if (found !== null && found.kind !== "RPKM, FPKM or TPM") return this.refuse(found.kind, `${evidence} But ${found.evidence}.`);
    return this.say(fit.position === 0 ? "RPKM, FPKM or TPM" : fit.kind, evidence, {
      exact: false,
      recovers: "proportions",
      targetSum: fit.target,
      byGenes: true,
      remarks: [
        "the values are TPM, FPKM or the like, divided by gene length, so how deep a cell was sequenced isn't " +
          "known: its counts are estimated from the genes that it has. Scores are less sure than they say; give " +
          "counts if there are any.",
      ],
    });
  }

  // Asks whether rare genes look as counted, and whether cells are more alike than chance allows.
  private doubtOfGenes(fit: Fit): Doubt | null {
    return doubtOfGenes(withData(fit.undoneNv, divided(fit.undoneNv, oneCount(fit.undoneNv))));
  }

  // Names the two scales that come nearest.
  private guesses(): string {
    const { nFittingS, nTested } = this.tallies, possible = this.fits.filter((fit) => fit.possible);
    possible.sort((one, other) => nFittingS[other.position] - nFittingS[one.position] || one.spread - other.spread);
    const guesses = possible.slice(0, 2).map(
      (fit) => `${fit.kind} (${comma(nFittingS[fit.position])} of ${comma(nTested)} cells fit, sums vary by ${percent(fit.sums.spread)})`,
    );
    return guesses.length > 0 ? ` Nearest come ${guesses.join(" and ")}.` : "";
  }

  private evidence(fit: Fit, kind: Kind, nFitting: number, exact: boolean): string {
    const { tallies } = this;
    if (kind === "counts" && tallies.nCounted === tallies.nTested) {
      const whole = `All ${comma(tallies.nValues)} values are whole numbers up to ${commaFixed(tallies.largest, 0)}`;
      return `${whole}; a typical cell sums to ${commaFixed(Math.exp(tallies.logTotals.mean), 0)}.`;
    }
    const how = exact ? "are whole multiples" : "lie near multiples", share = tallies.nTested > 0 ? nFitting / tallies.nTested : 1;
    return (
      `Read as ${kind}, cells sum to ${commaFixed(fit.sums.mean, 0)} (spread ${percent(fit.sums.spread, 2)}) and in ` +
      `${percent(share, 1)} of the cells tested values ${how} of one count.`
    );
  }

  private doubted(found: Doubt): CountsVerdict {
    return this.refuse(found.kind, `The values look like ${found.kind}, not counts: ${found.evidence}.`);
  }

  private refuse(kind: Kind, evidence: string): CountsVerdict {
    return this.say(kind, `${evidence} ${REMEDY}`, { usable: false, exact: false, recovers: "proportions" });
  }

  private say(kind: Kind, evidence: string, more: More): CountsVerdict {
    const { tallies } = this;
    return {
      kind,
      evidence,
      usable: true,
      nCells: tallies.nCells,
      nEmpty: tallies.nCells - tallies.nFull,
      recovers: "counts",
      rounded: false,
      nValues: tallies.nValues - (more.exact ? tallies.nOddValues : 0),
      targetSum: null,
      unit: null,
      plain: false,
      meanWithin: null,
      byGenes: false,
      emptyUpTo: 0,
      beside: [],
      remarks: [],
      ...more,
    };
  }
}

// The first of those for which a number is least.
const leastBy = <T>(among: T[], number: (one: T) => number): T => among.reduce((best, one) => (number(one) < number(best) ? one : best));

const shareOf = (values: Float32Array, holds: (value: number) => boolean): number =>
  values.reduce((n, value) => n + Number(holds(value)), 0) / values.length;
