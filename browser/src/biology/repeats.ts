// Repeats of a gene's name whose values are of another kind: proteins beside genes in a file that doesn't say so.
// Two columns may name one gene because its counts are split, and then they are added up.  Or one of them is the gene's
// protein, told by an antibody: it is there in most cells where the gene is in few, and counted many times as often.  A
// single pair can't say which is which, but proteins come as a set.  Where the genes themselves are missing, a set is told
// by its names: no run of genes such as CD3E, CD4, CD8A is in nearly all cells while others are in few.
// Axes: n cells, v columns of the data set, p genes with more than one column.

import { flatnonzero, sum, type Numbers } from "../base/arrays.ts";
import type { Csr } from "../base/csr.ts";
import { head, str } from "../base/text.ts";
import { comma } from "../base/words.ts";
import type { GeneMatch } from "./genes.ts";

// Pairs that make a set.
const FEW = 3;
// Share of cells that a protein is in, and how many times as large its mean is as the gene's, at least.
const DENSE = 0.3, TIMES = 5;
// The same for a pair that stands alone.
const SURELY_DENSE = 0.9, SURELY_TIMES = 20;
// Names of antigens in a run, and the share of its columns that must be dense.
const MANY = 8, SURELY_NAMED = 0.8;
const ANTIGEN = /^(?:CD\p{Nd}|HLA-?D|IG[ADEGM](?![\p{L}\p{N}_])|TCR|KLR|CCR\p{Nd}|CXCR\p{Nd}|IL\p{Nd}+R)/iu;
const SUFFIX = /[-._]\p{Nd}{1,2}(?=\n?$)/u;
// Share of the pairs that must agree.
const MOST = 0.7;
// Columns between two proteins of one block, at most.
const GAP = 10;
const GENES_IN_CELL = 20;

// Columns that shall not be added to those of the same gene.
export class OddRepeats {
  constructor(
    // Columns of another kind, to be left out.
    readonly otherV: Uint8Array,
    // Columns of genes of which it isn't known which column is of which kind.
    readonly doubtfulV: Uint8Array,
    // Whether the columns of another kind lie among the others, so that more of them may be there.
    readonly scattered = false,
  ) {}

  // Say what was found, with a few of the columns' names.
  notes(names: readonly unknown[]): string[] {
    const said: string[] = [];
    const nOthers = sum(this.otherV);
    if (nOthers) {
      said.push(
        `${comma(nOthers)} columns have values of another kind than genes, as antibodies do, though some `
          + `bear a gene's name (${firstOf(names, this.otherV)}). They were left out.`,
      );
    }
    if (this.scattered) {
      said.push(
        "more such columns may be there, of genes that have no other column, and are taken for genes. If some "
          + "are antibodies, say so in a column 'feature_types'.",
      );
    }
    if (this.doubtfulV.includes(1)) {
      said.push(
        `columns of the same gene have values of very different kinds (${firstOf(names, this.doubtfulV)}), and `
          + "nothing says which are of genes. They were left out. If some are antibodies, say so in a column "
          + "'feature_types'.",
      );
    }
    return said;
  }
}

// Values of the columns of a data set, seen block by block, where genes have several.
export class Repeats {
  private readonly antigenV: Uint8Array;
  private readonly runs: number[][];
  // The columns of each gene that has several.
  private readonly columnsOf: Map<number, number[]>;
  private readonly nGenes: number;
  private readonly ofRepeatedV: Uint8Array;
  private readonly sumV: Float64Array;
  private readonly nAboveV: Int32Array;
  private nCells = 0;

  // The gene of each column, -1 for none, and its name.
  constructor(private readonly targetV: Int32Array, private readonly names: readonly unknown[]) {
    const v = targetV.length;
    this.antigenV = Uint8Array.from(names, (name) => Number(ANTIGEN.test(str(name))));
    this.runs = runsOf(flatnonzero(this.antigenV)).filter((run) => run.length >= MANY);
    const columns = new Map<number, number[]>();
    targetV.forEach((gene, column) => {
      if (gene < 0) return;
      const others = columns.get(gene);
      if (others) others.push(column);
      else columns.set(gene, [column]);
    });
    this.nGenes = columns.size;
    this.columnsOf = new Map([...columns].filter(([, some]) => some.length > 1));
    this.ofRepeatedV = maskOf([...this.columnsOf.values()].flat(), v);
    [this.sumV, this.nAboveV] = [new Float64Array(v), new Int32Array(v)];
  }

  // Take in some cells; those with hardly a gene say nothing.
  update(valuesNv: Csr): void {
    if (!this.columnsOf.size && !this.runs.length) return;
    const { data, indices, indptr } = valuesNv, { sumV, nAboveV, ofRepeatedV } = this;
    for (let n = 0; n < valuesNv.height; n += 1) {
      if (indptr[n + 1] - indptr[n] < GENES_IN_CELL) continue;
      this.nCells += 1;
      for (let e = indptr[n]; e < indptr[n + 1]; e += 1) {
        const column = indices[e];
        nAboveV[column] += 1;
        // only of repeated genes it matters how much there is
        if (ofRepeatedV[column]) sumV[column] += data[e];
      }
    }
  }

  // Tell the columns that are of another kind than genes, by what was seen so far.
  odd(): OddRepeats {
    const v = this.targetV.length, noneV = new Uint8Array(v);
    if (!this.nCells) return new OddRepeats(noneV, noneV);
    if (!this.columnsOf.size) return new OddRepeats(this.named(), noneV);
    const pairs = this.largest(), mean = (column: number) => this.sumV[column] / this.nCells;
    const told = pairs.filter(([one, other]) => this.isDense(one, DENSE) && mean(one) >= TIMES * mean(other) && mean(other) > 0);
    const blockV = this.block(pairs, told);
    const inBlock = told.filter(([one]) => blockV[one]).length;
    if (told.length >= FEW && inBlock / told.length >= MOST) return new OddRepeats(blockV, noneV);
    // where most genes are there twice, as in spliced and unspliced counts, large and small mean nothing; and small columns
    // that lie together were added to the genes, not proteins
    const isSplit = 3 * this.columnsOf.size > this.nGenes;
    if (isSplit || (told.length && together(told.map(([, other]) => other)) / told.length >= MOST)) return new OddRepeats(this.named(), noneV);
    if (told.length >= FEW && told.length >= pairs.filter(([one]) => mean(one) > 0).length / 2) {
      const otherV = maskOf(pairs.map(([one]) => one), v);
      for (let column = 0; column < v; column += 1) {
        if (this.antigenV[column] && this.isDense(column, DENSE) && !this.ofRepeatedV[column]) otherV[column] = 1;
      }
      return new OddRepeats(otherV, noneV, true);
    }
    const doubtful = told.filter(([one, other]) =>
      this.isDense(one, SURELY_DENSE) && mean(one) >= SURELY_TIMES * mean(other) && this.mayBeProtein(one, other));
    return new OddRepeats(this.named(), maskOf(doubtful.flatMap(([one]) => this.columnsOf.get(this.targetV[one])!), v));
  }

  private isDense(column: number, least: number): boolean {
    return this.nAboveV[column] / this.nCells >= least;
  }

  // Whether two columns bear one name, or one an antigen's; other pairs are old and new names of a gene.
  private mayBeProtein(one: number, other: number): boolean {
    const names = [one, other].map((place) => str(this.names[place]));
    return names[0].replace(SUFFIX, "") === names[1].replace(SUFFIX, "") || names.some((name) => ANTIGEN.test(name));
  }

  // The columns with the largest and the next mean of each repeated gene.
  private largest(): [number, number][] {
    const { sumV } = this, genes = [...this.columnsOf.keys()].sort((a, b) => a - b);
    return genes.map((gene) => {
      const [one, other] = [...this.columnsOf.get(gene)!].sort((a, b) => sumV[b] - sumV[a] || a - b);
      return [one, other];
    });
  }

  // Columns from the first to the last of large ones that lie together, as files with proteins have them.
  private block(pairs: [number, number][], told: [number, number][]): Uint8Array {
    const v = this.targetV.length, blockV = new Uint8Array(v);
    const toldV = maskOf(told.map(([one]) => one), v), nextV = maskOf(told.map(([, other]) => other), v);
    for (const run of runsOf(pairs.map(([one]) => one).filter((one) => this.isDense(one, DENSE)))) {
      const [start, stop] = this.toTheEnds(run);
      const nTold = sum(toldV.subarray(start, stop));
      let known = 0, dense = 0;
      for (let column = start; column < stop; column += 1) {
        if (this.targetV[column] < 0) continue;
        known += 1;
        dense += Number(this.isDense(column, DENSE));
      }
      // where all names were sorted, the genes themselves lie between the proteins, and there is no block
      const mixed = sum(nextV.subarray(start, stop)) > nTold / 10;
      if (nTold >= FEW && dense / known >= 0.6 && !mixed) blockV.fill(1, start, stop);
    }
    const besideV = this.beside(blockV);
    return blockV.map((is, column) => is | besideV[column]);
  }

  // Find runs of columns with names of antigens that are dense while others aren't.
  private named(): Uint8Array {
    const v = this.targetV.length, namedV = new Uint8Array(v);
    const denseV = namedV.map((_, column) => Number(this.isDense(column, DENSE))), nDense = sum(denseV);
    for (const run of this.runs) {
      const [start, stop] = this.toTheEnds(run);
      const own = denseV.subarray(run[0], run[run.length - 1] + 1), nRest = v - (stop - start);
      if (sum(own) / own.length >= SURELY_NAMED && nRest && (nDense - sum(denseV.subarray(start, stop))) / nRest <= DENSE) {
        namedV.fill(1, start, stop);
      }
    }
    return namedV;
  }

  // Where a run starts and stops, with what little is left before the first or behind the last.
  private toTheEnds(run: number[]): [number, number] {
    const start = run[0], stop = run[run.length - 1] + 1, v = this.targetV.length;
    return [start <= GAP ? 0 : start, v - stop <= GAP ? v : stop];
  }

  // Columns just before or behind a block whose gene has a column elsewhere: proteins that few cells have.
  private beside(blockV: Uint8Array): Uint8Array {
    const edges = flatnonzero(blockV), widerV = blockV.slice();
    const inBlock = new Set(Array.from(edges, (column) => this.targetV[column]));
    for (let place = 0; place < blockV.length; place += 1) {
      if (blockV[place] || !this.ofRepeatedV[place] || inBlock.has(this.targetV[place])) continue;
      let nearest = -1;
      for (const edge of edges) if (nearest < 0 || Math.abs(edge - place) < Math.abs(nearest - place)) nearest = edge;
      if (nearest < 0 || Math.abs(nearest - place) > GAP) continue;
      widerV.fill(1, Math.min(place, nearest), Math.max(place, nearest) + 1);
    }
    return widerV;
  }
}

// Split places where more than GAP columns lie between them, and give the runs that aren't too short.
export function runsOf(places: Numbers): number[][] {
  const runs: number[][] = [];
  for (const place of Array.from(places).sort((a, b) => a - b)) {
    const last = runs[runs.length - 1];
    if (last && place - last[last.length - 1] <= GAP) last.push(place);
    else runs.push([place]);
  }
  return runs.filter((run) => run.length >= FEW);
}

// How many places are in runs that hold little else.
function together(places: number[]): number {
  const runs = runsOf(places).filter((run) => run.length > MOST * (run[run.length - 1] - run[0]));
  return sum(runs.map((run) => run.length));
}

// Leave columns that are no genes out of a match: the match of the others, and what the owner of the data set should know;
// the match itself where none is odd.
export function withoutOdd(match: GeneMatch, odd: OddRepeats, names: readonly unknown[]): [GeneMatch, string[]] {
  const outV = odd.otherV.map((is, column) => is | odd.doubtfulV[column]);
  return outV.includes(1) ? [match.without(outV), odd.notes(names)] : [match, []];
}

function maskOf(columns: Iterable<number>, v: number): Uint8Array {
  const maskV = new Uint8Array(v);
  for (const column of columns) maskV[column] = 1;
  return maskV;
}

function firstOf(names: readonly unknown[], maskV: Uint8Array): string {
  const chosen = names.filter((_, column) => maskV[column]);
  return chosen.slice(0, 4).map((name) => head(str(name), 30)).join(", ") + (chosen.length > 4 ? ", ..." : "");
}
