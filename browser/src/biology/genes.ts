// Genes: how a data set's genes map onto the vocabulary, and its counts with them.
// A data set comes with other genes, another order, symbols instead of Ensembl ids, versions, prefixes, retired names,
// repeats.  This turns them into the vocabulary's genes and says in numbers how well that went.  It never guesses across
// species.  Single names are read in spelling.ts.
// Axes: n cells, v genes of the data set, g genes of the vocabulary.

import { Csr } from "../base/csr.ts";
import { GeneMatchError } from "../base/errors.ts";
import { head } from "../base/text.ts";
import { comma, percent, repr } from "../base/words.ts";
import { HUMAN_ID } from "./affixes.ts";
import { chooseColumn, whatTheyAre } from "./gene_column.ts";
import { speciesOf } from "./species.ts";
import { NameColumn, type OddName } from "./spelling.ts";
import { loadVocabulary, Vocabulary } from "./vocabulary.ts";

export { loadVocabulary, Vocabulary };

// Columns that name the genes themselves; others may name the orthologues in another species.
const ID_COLUMN = /^(?:_?index|ids?|(gene|feature|ensembl)[ _.-]?(gene[ _.-]?)?(ids?)?)$/iu;
// Stands in the place of a gene for columns that turned out to be something else, and of which nothing is used.
export const LEFT_OUT = -2;

// What is known of how a data set's genes map onto a vocabulary.
export interface GeneMatchFields {
  // Position in the vocabulary of each gene of the data set, -1 where it has none, LEFT_OUT where it is none.
  readonly targetV: Int32Array;
  // Which genes of the vocabulary the data set measures.
  readonly measuredG: Uint8Array;
  // The column whose names were used.
  readonly column: string;
  // "Ensembl ids" or "symbols".
  readonly kind: string;
  // Genes of the vocabulary that are measured.
  readonly nFound: number;
  // Genes of the data set that the vocabulary doesn't have, ambiguous names among them.
  readonly nUnmatched: number;
  // Names found after a repair: version, prefix, case, spaces, a suffix against repeats, a date.
  readonly nRepaired: number;
  // Names found through a previous symbol, an alias or a retired id.
  readonly nRenamed: number;
  // Names left out because they may mean several genes.
  readonly nAmbiguous: number;
  // Columns whose counts are added to those of another column of the same gene.
  readonly nRepeated: number;
  // Distinct names that aren't the vocabulary's own words, in the order of the data set.
  readonly oddNames: readonly OddName[];
  // Sentences about how the names were read, for the owner of the data set.
  readonly notes: readonly string[];
}

// How a data set's genes map onto a vocabulary.
export class GeneMatch implements GeneMatchFields {
  readonly targetV!: Int32Array;
  readonly measuredG!: Uint8Array;
  readonly column!: string;
  readonly kind!: string;
  readonly nFound!: number;
  readonly nUnmatched!: number;
  readonly nRepaired!: number;
  readonly nRenamed!: number;
  readonly nAmbiguous!: number;
  readonly nRepeated!: number;
  readonly oddNames!: readonly OddName[];
  readonly notes!: readonly string[];

  constructor(fields: GeneMatchFields) {
    Object.assign(this, fields);
  }

  // The match without some columns of the data set, which turned out to be no genes.
  without(outV: ArrayLike<number | boolean>): GeneMatch {
    const targetV = this.targetV.map((place, v) => (outV[v] ? LEFT_OUT : place));
    return new GeneMatch({ ...this, ...measured(targetV, this.measuredG.length) });
  }

  // A matrix of the data set with nothing in the columns that were left out.
  kept(valuesNv: Csr): Csr {
    return this.targetV.includes(LEFT_OUT) ? withoutColumns(valuesNv, this.targetV) : valuesNv;
  }

  // Genes of the vocabulary.
  get nKnown(): number {
    return this.measuredG.length;
  }

  // Share of the vocabulary that is measured, in [0, 1].
  get coverage(): number {
    return this.nFound / Math.max(this.measuredG.length, 1);
  }

  // Say in one sentence what was found.
  describe(): string {
    const remarks: [string, number][] = [
      ["repaired", this.nRepaired], ["renamed", this.nRenamed], ["ambiguous and left out", this.nAmbiguous],
      ["repeated and summed", this.nRepeated],
    ];
    const notes = remarks.filter(([, count]) => count).map(([what, count]) => `${comma(count)} ${what}`);
    const found = `${comma(this.nFound)} of ${comma(this.nKnown)} known genes (${percent(this.coverage)}) found among `
      + `${comma(this.targetV.length)} ${this.kind} in ${repr(this.column)}`;
    return notes.length ? `${found}: ${notes.join(", ")}.` : `${found}.`;
  }
}

// What follows from the places of the genes of a data set.
function measured(targetV: Int32Array, nKnown: number): Pick<GeneMatch, "targetV" | "measuredG" | "nFound" | "nUnmatched" | "nRepeated"> {
  const measuredG = new Uint8Array(nKnown);
  let nMatched = 0, nFound = 0;
  for (const place of targetV) {
    if (place < 0) continue;
    nMatched += 1;
    nFound += 1 - measuredG[place];
    measuredG[place] = 1;
  }
  return { targetV, measuredG, nFound, nUnmatched: targetV.length - nMatched, nRepeated: nMatched - nFound };
}

// The values of a matrix that stand in no column that was left out.
function withoutColumns(valuesNv: Csr, targetV: Int32Array): Csr {
  const { data, indices, indptr, width } = valuesNv;
  const keptData = new Float32Array(data.length), keptIndices = new Int32Array(data.length), ends = new Int32Array(indptr.length);
  let at = 0;
  for (let n = 0; n < valuesNv.height; n += 1) {
    for (let e = indptr[n]; e < indptr[n + 1]; e += 1) {
      if (targetV[indices[e]] === LEFT_OUT || data[e] === 0) continue;
      keptData[at] = data[e];
      keptIndices[at] = indices[e];
      at += 1;
    }
    ends[n + 1] = at;
  }
  return new Csr(keptData.subarray(0, at), keptIndices.subarray(0, at), ends, width);
}

// Find which gene of the vocabulary each gene of a data set is.
// The column that leads to most genes of the vocabulary is used; where columns name different genes in the same rows, the
// index goes before the others.  A name may be an Ensembl id or a symbol.  What nearly all names share is taken off if they
// are genes without it.  What is common damage is repaired (versions, genome prefixes, _PAR_Y, spaces, lower case, suffixes
// against repeats, dots for dashes, symbols that became dates); previous symbols and aliases count where they mean one gene
// only.  Refused are genes of another species or of two, and fewer known ones than minGenes.
export function matchGenes(
  columns: ReadonlyMap<string, readonly unknown[]>, vocabulary: Vocabulary = loadVocabulary(), minGenes = 50,
): GeneMatch {
  const tried = [...columns].filter(([, names]) => names.length).map(([column, names]) => new NameColumn(column, names, vocabulary));
  if (!tried.length) throw new GeneMatchError("The data set has no gene names; Ensembl ids or symbols of human genes are needed.");
  const [best, notes] = chooseColumn(tried, minGenes);
  for (const column of tried) if (column === best || ID_COLUMN.test(column.column)) refuseOtherSpecies(column);
  if (best.nFound < minGenes) {
    throw new GeneMatchError(
      `Only ${comma(best.nFound)} of ${comma(vocabulary.length)} known human genes are among the ${comma(best.names.length)} names `
        + `in ${repr(best.column)} (the first are ${firstOf(best.names)}); at least ${minGenes} are needed. `
        + (whatTheyAre(best.distinct)
          || `Give Ensembl ids such as ${repr(vocabulary.ids[0])} or symbols such as ${repr(vocabulary.symbols[0])}.`),
    );
  }
  return summary(best, best.reading.takesOff ? [best.reading.note(best.column, best.distinct), ...notes] : notes);
}

function refuseOtherSpecies(column: NameColumn): void {
  const { reading, vocabulary, words } = column;
  const bare = (word: string) => (vocabulary.exact.has(word) ? word : reading.bare(word));
  const own = reading.shared.length ? new Set([...words].map(bare)) : words;
  const species = speciesOf(column.distinct, own, reading.shared, vocabulary, column.nFound);
  if (species.startsWith("human and")) {
    throw new GeneMatchError(
      `The gene names in ${repr(column.column)} are of two species, ${species} (the first are ${firstOf(column.names)}); Spoticell `
        + "reads human cells only. Keep the human genes and the human cells, then try again.",
    );
  }
  if (species !== "human") {
    throw new GeneMatchError(
      `The gene names in ${repr(column.column)} look like ${species} (the first are ${firstOf(column.names)}); Spoticell knows human `
        + "genes only and doesn't guess across species. Map them to human orthologues first if that is wanted.",
    );
  }
}

const firstOf = (names: readonly string[]): string => names.slice(0, 3).map((name) => repr(head(name, 30))).join(", ");

function summary(best: NameColumn, notes: readonly string[]): GeneMatch {
  const counts = best.counts(), found = measured(best.targetV, best.vocabulary.length);
  let nIds = 0;
  for (let v = 0; v < best.names.length; v += 1) if (best.targetV[v] >= 0 && HUMAN_ID.test(best.names[v])) nIds += 1;
  return new GeneMatch({
    ...found,
    column: best.column,
    kind: 2 * nIds > best.names.length - found.nUnmatched ? "Ensembl ids" : "symbols",
    nRepaired: counts.repaired,
    nRenamed: counts.renamed,
    nAmbiguous: counts.ambiguous,
    oddNames: best.oddNames(),
    notes,
  });
}

// Put a data set's counts into the vocabulary's order, adding up repeats: float32, sorted, nothing for what isn't measured.
export function alignCounts(countsNv: Csr, match: GeneMatch): Csr {
  checkWidth(countsNv, match);
  const { data, indices, indptr } = countsNv, { targetV, nKnown } = match;
  const alignedData = new Float32Array(data.length), alignedIndices = new Int32Array(data.length), ends = new Int32Array(indptr.length);
  // a cell's sums by gene, and a bit for each gene that has one: so they come sorted without being compared
  const sumG = new Float32Array(nKnown), bits = new Uint32Array((nKnown + 31) >>> 5);
  let at = 0;
  for (let n = 0; n < countsNv.height; n += 1) {
    for (let e = indptr[n]; e < indptr[n + 1]; e += 1) {
      const g = targetV[indices[e]];
      if (g < 0) continue;
      sumG[g] += data[e];
      bits[g >>> 5] |= 1 << (g & 31);
    }
    for (let word = 0; word < bits.length; word += 1) {
      for (let left = bits[word]; left !== 0; left &= left - 1) {
        const g = (word << 5) + 31 - Math.clz32(left & -left), sum = sumG[g];
        sumG[g] = 0;
        if (sum === 0) continue;
        alignedData[at] = sum;
        alignedIndices[at] = g;
        at += 1;
      }
      bits[word] = 0;
    }
    ends[n + 1] = at;
  }
  return new Csr(alignedData.subarray(0, at), alignedIndices.subarray(0, at), ends, nKnown);
}

// Do the same as alignCounts, the genes of a cell in the data set's order, which is less work.
export function takeCounts(countsNv: Csr, match: GeneMatch): Csr {
  checkWidth(countsNv, match);
  const { data, indices, indptr } = countsNv, { targetV, nKnown } = match;
  if (match.nRepeated) return addedUp(countsNv, match);
  const takenData = new Float32Array(data.length), takenIndices = new Int32Array(data.length), ends = new Int32Array(indptr.length);
  let at = 0;
  for (let n = 0; n < countsNv.height; n += 1) {
    const stop = indptr[n + 1];
    for (let e = indptr[n]; e < stop; e += 1) {
      const g = targetV[indices[e]];
      takenData[at] = data[e];
      takenIndices[at] = g;
      // what is of no known gene is written over; a jump that depends on each value would take longer
      at += g < 0 ? 0 : 1;
    }
    ends[n + 1] = at;
  }
  return new Csr(takenData.subarray(0, at), takenIndices.subarray(0, at), ends, nKnown);
}

// The same where genes have several columns: their values of one cell are added up and stand with the first.
function addedUp(countsNv: Csr, match: GeneMatch): Csr {
  const { data, indices, indptr } = countsNv, { nKnown } = match;
  const takenData = new Float32Array(data.length), takenIndices = new Int32Array(data.length), ends = new Int32Array(indptr.length);
  const markedV = marked(match);
  // where the value of a gene with several columns stands, and its sum in double precision
  const placeG = new Int32Array(nKnown).fill(-1), sumG = new Float64Array(nKnown);
  let at = 0;
  for (let n = 0; n < countsNv.height; n += 1) {
    const start = at, stop = indptr[n + 1];
    for (let e = indptr[n]; e < stop; e += 1) {
      const g = markedV[indices[e]];
      if (g < nKnown) {
        takenData[at] = data[e];
        takenIndices[at] = g;
        at += g < 0 ? 0 : 1;
        continue;
      }
      const own = g - nKnown;
      if (placeG[own] >= start) {
        takenData[placeG[own]] = sumG[own] += data[e];
        continue;
      }
      takenData[at] = sumG[own] = data[e];
      takenIndices[at] = own;
      placeG[own] = at;
      at += 1;
    }
    ends[n + 1] = at;
  }
  return new Csr(takenData.subarray(0, at), takenIndices.subarray(0, at), ends, nKnown);
}

// Position of each gene of the data set; with the number of all known genes on top where it has several columns.
function marked(match: GeneMatch): Int32Array {
  const { targetV, nKnown } = match, columnsG = new Uint8Array(nKnown);
  for (const g of targetV) if (g >= 0) columnsG[g] = Math.min(columnsG[g] + 1, 2);
  return targetV.map((g) => (g >= 0 && columnsG[g] > 1 ? g + nKnown : g));
}

function checkWidth(countsNv: Csr, match: GeneMatch): void {
  if (countsNv.width === match.targetV.length) return;
  throw new GeneMatchError(`The matrix has ${comma(countsNv.width)} genes but ${comma(match.targetV.length)} gene names were matched.`);
}
