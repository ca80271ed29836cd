// Cells that look like two cells of different types: doublets, and platelets on other cells.
//
// Some cells of the sample are named before all are, doublets are made of pairs of them, and each cell is compared with
// both: how many of its neighbours are made, whether two types explain its counts better than one, and how many counts and
// genes it has beside cells of its type. A rule of a few numbers says how likely it is to be mixed.
// Axes: n cells, s cells of the sample, r those that neighbours are looked for among, made doublets last, g genes,
// d numbers that say where a cell is, k neighbours, m ontology nodes.

import { argmax, bincount, median, sum, unique } from "../base/arrays.ts";
import { U64Array } from "../base/bits.ts";
import type { Csr } from "../base/csr.ts";
import type { Column } from "../base/frame.ts";
import { takeRows, vstack, type Matrix } from "../base/matrix.ts";
import { Points } from "../base/nearest.ts";
import { compare } from "../base/text.ts";
import { Generator } from "../base/random.ts";
import { Blends, makeDoublets, type MadeDoublets } from "../biology/doublets.ts";
import { loadOntology } from "../biology/ontology.ts";
import { withPlatelets } from "../biology/platelets.ts";
import { countsKeys } from "../biology/sample.ts";
import type { Sketch } from "../biology/sketch.ts";
import { UNKNOWN } from "../keys.ts";
import type { Runtime } from "../model/runtime.ts";
import { answersAt } from "./decision.ts";
import { SKETCH } from "./looks.ts";
import { AnnotatedBlock, type FirstBlock } from "./result.ts";
import type { Kept } from "./seen.ts";

// Probability from which a cell is called mixed.
export const BOUND = Math.fround(0.6);
// Doublets that are made at most, and cells of the sample beside which neighbours are looked for.
export const MADE = 1024, AMONG = 1024;
// Doublets that are made at least, and cells of the sample that a type has at least.
export const FEWEST_MADE = 256, FEWEST_CELLS = 6;
// Score from which a cell's type is taken as known.
export const SURE = 0.5;
// Median counts of cells from which they are reads, not molecules: what is said here doesn't hold for these.
export const READS = 50_000;
export const NEIGHBOURS = 20;
// Share of made neighbours below which a cell isn't looked at further.
export const SUSPECT = 0.25;
// The rule, found on data sets for training where one cell in twenty was made. Its signs: share of made neighbours, and of
// those of one pair of types; how much better two types explain the counts; counts and genes, as logarithms, beside those
// of cells of the type.
export const WEIGHTS = [5.289, 1.697, 0.71, -1.051, 2.571], OFFSET = -5.915;
// Signs beyond these count as these.
export const MOST_GAIN = 3.0, MOST_APART = 2.0;
// Mononuclear phagocytes: a stimulated monocyte looks like one and a macrophage.
export const CLOSE: ReadonlySet<string> = new Set(["CL:0000113"]);
export const PLATELET = " + platelet";
// Broad types that platelets are looked for on; megakaryocytes and their precursors have these genes themselves.
export const CARRIERS: ReadonlySet<string> = new Set(["CL:0000084", "CL:0000236", "CL:0000623", "CL:0000576", "CL:0000451", "CL:0000775"]);

// Which of n cells are mixed.
export class Marks {
  constructor(
    // Probability that a cell is mixed, if one in twenty is; 0 where nothing speaks for it.
    readonly scoreN: Float32Array,
    // Place of its two types among the names; -1 where it isn't mixed.
    readonly pairN: Int16Array,
    // Names of the pairs of types, such as "T cell + monocyte".
    readonly names: readonly string[],
  ) {}

  // The two types of each cell; missing where it isn't mixed.
  words(): Extract<Column, { kind: "category" }> {
    const categories = [...new Set(unique(this.pairN).filter((pair) => pair >= 0).map((pair) => this.names[pair]))].sort(compare);
    const place = this.names.map((name) => categories.indexOf(name));
    return { kind: "category", codes: Int32Array.from(this.pairN, (pair) => (pair < 0 ? -1 : place[pair])), categories };
  }

  // How many cells each pair has, the commonest first.
  counted(): Map<string, number> {
    const { codes, categories } = this.words(), cells = bincount(codes.filter((code) => code >= 0), categories.length);
    const order = categories.map((_, code) => code).sort((a, b) => cells[b] - cells[a] || a - b);
    return new Map(order.map((code) => [categories[code], cells[code]]));
  }
}

// Gathers the marks of n cells.
export class MixedTally {
  private readonly scoreN: Float32Array;
  private readonly pairN: Int16Array;
  private names: readonly string[] | null = null;

  constructor(n: number) {
    this.scoreN = new Float32Array(n);
    this.pairN = new Int16Array(n).fill(-1);
  }

  // Takes in the next cells.
  see({ alone, kept }: FirstBlock): void {
    if (kept === null || kept.mixed === null) return;
    this.scoreN.set(kept.mixed.scoreN, alone.start);
    this.pairN.set(kept.mixed.pairN, alone.start);
    this.names = kept.mixed.names;
  }

  // The marks of all cells; null where none was looked at.
  finish(): Marks | null {
    return this.names === null ? null : new Marks(this.scoreN, this.pairN, this.names);
  }
}

// Logarithms of the counts and genes of each cell.
function depth({ alone }: FirstBlock): [Float64Array, Float64Array] {
  const logs = (values: ArrayLike<number>) => Float64Array.from(values, (value) => Math.log(Math.max(value, 1)));
  return [logs(alone.nCountsN), logs(alone.nGenesN)];
}

// What is usual for the cells of each type: the medians of some cells; those of all for a type of which there are too few.
class Usual {
  private readonly usual: Float64Array[];

  constructor(block: FirstBlock, familyN: Int32Array, nFamilies: number) {
    const told = placesWhere(block.toldN, (counts) => counts > 0);
    this.usual = depth(block).map((logs) => {
      const own: number[][] = Array.from({ length: nFamilies }, () => []), all = Array.from(told, (i) => logs[i]), middle = median(all);
      for (const i of told) own[familyN[i]].push(logs[i]);
      return Float64Array.from(own, (values) => (values.length >= FEWEST_CELLS ? median(values) : middle));
    });
  }

  // What cells have beside what is usual for their types: counts, and genes.
  beside(block: FirstBlock, familyN: Int32Array): Float64Array[] {
    return depth(block).map((logs, at) => logs.map((log, i) => clip(log - this.usual[at][familyN[i]], MOST_APART)));
  }
}

const clip = (value: number, most: number): number => Math.min(Math.max(value, -most), most);

const placesWhere = (values: ArrayLike<number>, holds: (value: number) => boolean): number[] =>
  Array.from(values).flatMap((value, place) => (holds(value) ? [place] : []));

// Where cells are, by fingerprint and sketch, as the second look has it.
class Places {
  private readonly mean: Float64Array;
  private readonly spread: number;

  // Middle and spread are those of some cells.
  constructor({ data, width }: Matrix) {
    const mean = (this.mean = new Float64Array(width)), n = data.length / width;
    for (let e = 0; e < data.length; e += 1) mean[e % width] += data[e] / n;
    let squares = 0;
    for (let e = 0; e < data.length; e += 1) squares += (data[e] - mean[e % width]) ** 2;
    this.spread = Math.sqrt(squares / n) || 1;
  }

  of(fingerprintNd: Matrix, sketchNk: Matrix): Matrix {
    const prints = fingerprintNd.width, width = prints + sketchNk.width, n = fingerprintNd.data.length / prints, data = new Float32Array(n * width);
    for (let i = 0; i < n; i += 1) {
      for (let d = 0; d < prints; d += 1) data[i * width + d] = (fingerprintNd.data[i * prints + d] - this.mean[d]) / this.spread;
      for (let k = 0; k < sketchNk.width; k += 1) data[i * width + prints + k] = SKETCH * sketchNk.data[i * sketchNk.width + k];
    }
    return { data, width };
  }
}

// Cells of the sample and made doublets, among which neighbours are looked for.
class Company {
  private readonly points: Points;
  // Cells with one key, at most.
  private readonly most: number;

  constructor(
    placeRd: Matrix,
    // Keys of the cells, which come first: none is its own neighbour.
    private readonly keyR: U64Array,
    // Place of the pair of each made doublet; the number of pairs where it is a cell.
    private readonly pairR: Int32Array,
    private readonly nPairs: number,
  ) {
    this.points = new Points(placeRd, Int32Array.from(pairR, (_, r) => r));
    const order = keyR.argsort();
    let most = 1;
    for (let i = 1, same = 1; i < order.length; i += 1) {
      same = keyR.compare(order[i], order[i - 1]) === 0 ? same + 1 : 1;
      most = Math.max(most, same);
    }
    this.most = most;
  }

  // The shares of made neighbours, and of those of the commonest pair, and that pair.
  of(placeNd: Matrix, keyN: U64Array): { madeN: Float64Array; shareN: Float64Array; pairN: Int32Array } {
    const n = keyN.length, some = Math.min(NEIGHBOURS, this.points.size - 1), cells = new Int32Array(this.nPairs);
    const { place, count } = this.points.nearest(placeNd, Int32Array.from({ length: n }, (_, i) => i), some + this.most);
    const madeN = new Float64Array(n), shareN = new Float64Array(n), pairN = new Int32Array(n);
    for (let i = 0; i < n; i += 1) {
      cells.fill(0);
      let left = some;
      for (let k = 0; k < count && left > 0; k += 1) {
        const near = place[i * count + k];
        if (near < this.keyR.length && this.keyR.high[near] === keyN.high[i] && this.keyR.low[near] === keyN.low[i]) continue;
        if (this.pairR[near] < this.nPairs) cells[this.pairR[near]] += 1;
        left -= 1;
      }
      pairN[i] = argmax(cells);
      madeN[i] = sum(cells) / some;
      shareN[i] = cells[pairN[i]] / some;
    }
    return { madeN, shareN, pairN };
  }
}

// Which broad types exclude each other, row by row: not one and a narrower one, nor two kinds of phagocytes.
export function apart(terms: readonly string[]): Uint8Array {
  const ontology = loadOntology(), above = terms.map((term) => ontology.ancestors(term));
  return Uint8Array.from({ length: terms.length ** 2 }, (_, at) => {
    const [i, j] = [Math.floor(at / terms.length), at % terms.length], own = above[i], others = above[j];
    return Number(!others.has(terms[i]) && !own.has(terms[j]) && ![...CLOSE].some((term) => own.has(term) && others.has(term)));
  });
}

// Says which cells are mixed, block by block: by some cells of the sample, named alone, the sketch of the sample's
// expression, the model, and which of its genes were measured.
export class MixedFinder {
  // Whether cells can be marked at all.
  readonly countsMolecules: boolean;
  // Whether the sample has two types of which doublets could be made.
  readonly findsPairs: boolean;
  // Names of the pairs of types.
  readonly names: readonly string[];
  private readonly families: string[];
  // Of each node its family; unknown's is last.
  private readonly familyM: Int32Array;
  private readonly stuckF: Int32Array;
  private usual!: Usual;
  private places!: Places;
  private company!: Company;
  private blends!: Blends;

  constructor(given: FirstBlock, sketch: Sketch, private readonly runtime: Runtime, private readonly measuredG: Uint8Array) {
    const sample = this.own(given), ontology = loadOntology();
    const broadM = [...runtime.bundle.nodes.map((node) => ontology.broad(node)), UNKNOWN];
    this.families = [...new Set(broadM)].sort(compare);
    this.familyM = Int32Array.from(broadM, (one) => this.families.indexOf(one));
    const names = this.families.map((one) => (ontology.has(one) ? ontology.name(one) : UNKNOWN));
    const told = placesWhere(sample.toldN, (counts) => counts > 0);
    this.countsMolecules = told.length > 0 && median(told.map((i) => sample.toldN[i])) <= READS;
    let pairs: [number, number][] = [];
    if (this.countsMolecules) {
      this.usual = new Usual(sample, this.familiesOf(sample.alone.answerN), names.length);
      // the order of the cells changes nothing
      const order = countsKeys(sample.countsNg.rows(told)).argsort();
      pairs = this.make(sample, Int32Array.from(order, (place) => told[place]), sketch)?.pairs ?? [];
    }
    this.findsPairs = pairs.length > 0;
    const found = pairs.map((pair) => pair.map((one) => names[one]).join(" + "));
    this.stuckF = Int32Array.from(this.families, (term, family) => (CARRIERS.has(term) ? found.push(names[family] + PLATELET) - 1 : -1));
    this.names = found;
  }

  private familiesOf(answerN: Int32Array): Int32Array {
    return answerN.map((answer) => this.familyM[answer < 0 ? this.familyM.length - 1 : answer]);
  }

  // Makes doublets of the sample's cells, and learns what its types are like; null where it has one type only.
  private make(sample: FirstBlock, cellsS: Int32Array, sketch: Sketch): MadeDoublets | null {
    const { alone } = sample, countsSg = sample.countsNg.rows(cellsS), answerS = cellsS.map((cell) => alone.answerN[cell]);
    const familyS = this.familiesOf(answerS), unknown = this.familyM[this.familyM.length - 1];
    const isSure = Array.from(cellsS, (cell, s) => familyS[s] !== unknown && alone.scoreN[cell] > SURE);
    const families = enough(familyS.filter((_, s) => isSure[s])), apartFf = apart(families.map((family) => this.families[family]));
    if (!apartFf.some(Boolean)) return null;
    const typeS = familyS.map((family, s) => (isSure[s] ? families.indexOf(family) : -1));
    const number = Math.min(Math.max(cellsS.length, FEWEST_MADE), MADE), made = makeDoublets(countsSg, typeS, apartFf, number, new Generator(0));
    this.places = new Places(takeRows(alone.fingerprintNd, cellsS));
    const among = cellsS.slice(0, AMONG), nearSg = countsSg.slice(0, among.length);
    const places = [
      this.places.of(takeRows(alone.fingerprintNd, among), sketch.apply(nearSg)),
      this.places.of(this.runtime.predict(made.countsPg, this.measuredG).fingerprintNd, sketch.apply(made.countsPg)),
    ];
    const pairR = new Int32Array(among.length + number).fill(made.pairs.length);
    pairR.set(made.pairP, among.length);
    this.company = new Company(vstack(places), countsKeys(nearSg), pairR, made.pairs.length);
    this.learn(countsSg, answerS, typeS);
    return { ...made, pairs: made.pairs.map(([one, other]) => [families[one], families[other]]) };
  }

  private learn(countsSg: Csr, answerS: Int32Array, typeS: Int32Array): void {
    const fine = enough(answerS.filter((_, s) => typeS[s] >= 0)), ofFine = placesWhere(answerS, () => true).filter((s) => typeS[s] >= 0 && fine.includes(answerS[s]));
    const placeS = Int32Array.from(ofFine, (s) => fine.indexOf(answerS[s])), terms = Array.from(this.familiesOf(Int32Array.from(fine)), (family) => this.families[family]);
    this.blends = new Blends(countsSg.rows(ofFine), placeS, apart(terms));
  }

  // What keeps the marks of a block beside what `keep` does; reads have none.
  keeping(keep: (block: FirstBlock) => Kept): (block: FirstBlock) => Kept {
    return (block) => {
      const found = keep(block);
      return this.countsMolecules ? { ...found, mixed: this.mark(block, found.sketchNk, found.keyN) } : found;
    };
  }

  // The cells with answers at the model's own threshold: a user's makes no cell mixed.
  private own(block: FirstBlock): FirstBlock {
    const { manifest } = this.runtime.bundle, { alone } = block;
    if (alone.grounds === null) return block;
    const { answerN, scoreN } = answersAt(alone.grounds, manifest.threshold, { trust: manifest.trust, nMeasured: sum(this.measuredG) });
    return { ...block, alone: new AnnotatedBlock({ ...alone, answerN, scoreN }) };
  }

  // Marks the mixed ones among some cells, named alone, by their sketch and the keys of their counts.
  mark(given: FirstBlock, sketchNk: Matrix, keyN: U64Array): Marks {
    const block = this.own(given), { alone, countsNg } = block, scoreN = new Float32Array(keyN.length), pairN = new Int16Array(keyN.length).fill(-1);
    const familyN = this.familiesOf(alone.answerN);
    if (this.findsPairs) this.score(block, familyN, sketchNk, keyN, scoreN, pairN);
    const withN = withPlatelets(countsNg, this.runtime.bundle.vocabulary, this.measuredG, alone.nCountsN);
    for (let i = 0; i < pairN.length; i += 1) if (pairN[i] < 0 && withN[i]) pairN[i] = this.stuckF[familyN[i]];
    return new Marks(scoreN, pairN, this.names);
  }

  private score(block: FirstBlock, familyN: Int32Array, sketchNk: Matrix, keyN: U64Array, scoreN: Float32Array, pairN: Int16Array): void {
    const near = this.company.of(this.places.of(block.alone.fingerprintNd, sketchNk), keyN);
    // the others can't pass the bound
    const looked = placesWhere(near.madeN, (made) => made >= SUSPECT).filter((i) => block.toldN[i] > 0);
    if (!looked.length) return;
    const gain = this.blends.apply(block.countsNg.rows(looked)), [counts, genes] = this.usual.beside(block, familyN);
    looked.forEach((i, at) => {
      const signs = [near.madeN[i], near.shareN[i], clip(gain[at], MOST_GAIN), counts[i], genes[i]];
      scoreN[i] = 1 / (1 + Math.exp(-(signs.reduce((all, sign, which) => all + sign * WEIGHTS[which], 0) + OFFSET)));
      if (scoreN[i] >= BOUND) pairN[i] = near.pairN[i];
    });
  }
}

// The values that enough cells have.
function enough(values: Int32Array): number[] {
  const cells = new Map<number, number>();
  for (const value of values) cells.set(value, (cells.get(value) ?? 0) + 1);
  return unique(values).filter((value) => cells.get(value)! >= FEWEST_CELLS);
}
