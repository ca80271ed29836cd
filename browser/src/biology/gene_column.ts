// Gene column: which column of a table names its genes.
// Most hits alone don't tell: a sorted or shifted column of symbols names as many genes as the right one does, and a peak's
// nearest gene is a gene.  So columns are compared row by row, and where they differ the index goes before others.

import { GeneMatchError } from "../base/errors.ts";
import { head } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import type { NameColumn } from "./spelling.ts";

const INDEX = "index";
// Columns that name the genes themselves.
const OWN = /^(?:_?index|ids?|names?|symbols?|(gene|feature|ensembl|hgnc|external|var)s?[ _.-]?(gene|short|approved)?[ _.-]?(ids?|names?|symbols?)?)$/iu;
// Columns that name other genes: the nearest to a peak, the target of a guide, the orthologue in another species.
const OTHER = /near|clos|target|neighbo|link|peak|promoter|partner|ligand|receptor|ortho|homolog|regulat/iu;

const LOCUS =
  /(?:peak|region|interval|tile|bin)s?[._-]?\p{Nd}+|(?:chr)?(?:\p{Nd}{1,2}|X|Y|MT?|(?:GL|KI)\p{Nd}+\.\p{Nd}|Un_[\p{L}\p{N}_]+|[\p{L}\p{N}_]+_random)[:_-]+\p{Nd}+[:_-]+\p{Nd}+/iu;

const SAMPLE = 500;
// Largest share of rows in which two columns may name different genes: symbols that another gene took over.
const DIFFER = 0.05;
// Of the hits of the best column: with a smaller share, an index hits by chance.
const FEW = 0.2;
// Largest share of genes that a table of genes names again; peaks share their nearest genes.
const REPEATED = 0.02;

// The first of those with the largest number.
function most<T>(all: readonly T[], number: (one: T) => number): T {
  return all.reduce((best, one) => (number(one) > number(best) ? one : best));
}

const nFound = (column: NameColumn): number => column.nFound;

// Choose the column that names the genes, and give notes about columns that differ from it.
//   tried     the columns, the index first if there is one
//   minGenes  smallest number of genes that an index must name to be one
export function chooseColumn(tried: readonly NameColumn[], minGenes: number): [NameColumn, string[]] {
  const own = tried.filter((column) => !OTHER.test(column.column));
  let best = most(own.length ? own : tried, nFound);
  if (best.nFound < minGenes) best = most(tried, nFound);
  refusePeaks(tried[0], best);
  const enough = tried.filter((column) => column.nFound >= Math.max(minGenes, FEW * best.nFound));
  const rivals = enough.length ? enough : [best];
  const surest = rivals.reduce((first, one) => (before(one, first) ? one : first));
  const chosen = most([best, ...rivals].filter((column) => !differ(surest, column)), nFound);
  return [chosen, rivals.filter((column) => differ(chosen, column)).map((column) => note(chosen, column))];
}

// Rank columns: the index, those that say they name the genes, others, those that name other genes.
function rank(column: NameColumn): number {
  if (column.column === INDEX) return 0;
  return OWN.test(column.column) ? 1 : OTHER.test(column.column) ? 3 : 2;
}

const before = (one: NameColumn, other: NameColumn): boolean => (rank(one) - rank(other) || other.nFound - one.nFound) < 0;

// In how many rows both columns name a gene, and in how many of these different ones.
function rows(one: NameColumn, other: NameColumn): [number, number] {
  const [first, second] = [one.targetV, other.targetV];
  let both = 0, different = 0;
  for (let v = 0; v < first.length; v += 1) {
    if (first[v] < 0 || second[v] < 0) continue;
    both += 1;
    if (first[v] !== second[v]) different += 1;
  }
  return [both, different];
}

function differ(one: NameColumn, other: NameColumn): boolean {
  const [both, different] = rows(one, other);
  return different > DIFFER * both;
}

function note(chosen: NameColumn, other: NameColumn): string {
  const [both, different] = rows(chosen, other);
  return `the columns ${repr(chosen.column)} and ${repr(other.column)} name different genes in ${comma(different)} of the ${comma(both)} `
    + `rows where both name one; ${repr(chosen.column)} is used.`;
}

// Refuse rows that are stretches of a genome, unless a column names each one's own gene.
function refusePeaks(index: NameColumn, best: NameColumn): void {
  if (index.column !== INDEX || !isLoci(index.distinct)) return;
  const nNamed = best.targetV.reduce((sum, place) => sum + Number(place >= 0), 0);
  if (nNamed - best.nFound > REPEATED * nNamed || OTHER.test(best.column) || !best.nFound) {
    throw new GeneMatchError(
      `The rows are peaks or other stretches of a genome (the first is ${repr(head(index.distinct[0], 40))}), not genes; `
        + "Spoticell needs counts of RNA. Give the gene expression of the same cells.",
    );
  }
}

// Some names, taken evenly.
function someOf(names: readonly string[]): string[] {
  const step = 1 + Math.floor(names.length / SAMPLE);
  return names.filter((_, i) => i % step === 0);
}

const mostlyFit = (names: readonly string[], pattern: RegExp): boolean => names.filter((name) => pattern.test(name)).length > names.length / 2;

// Whether most names hold a stretch of a genome.
export const isLoci = (names: readonly string[]): boolean => mostlyFit(someOf(names), LOCUS);

const NO_GENE: [RegExp, string][] = [
  [/^\p{Nd}+(\.0)?$/u, "numbers. If they are NCBI (Entrez) ids, map them to Ensembl ids or symbols first"],
  [/^(?:ENS[A-Z]*T\p{Nd}{11}(\.\p{Nd}+)?|[NX][MR]_\p{Nd}+(\.\p{Nd}+)?)$/u, "transcripts. Add up the counts of each gene's transcripts first"],
  [/^HGNC:\p{Nd}+$/u, "HGNC ids. Map them to Ensembl ids or symbols first"],
  [
    /^(?:ENS[A-Z]*P\p{Nd}{11}(\.\p{Nd}+)?|[OPQ]\p{Nd}[A-Z\p{Nd}]{3}\p{Nd}(-\p{Nd}+)?)$/u,
    "proteins. Map them to the ids of their genes first",
  ],
  [
    /^(?:(ILMN|A_\p{Nd}+_P|AFFX|TC\p{Nd}+)[_-]?[\p{L}\p{N}_]+|\p{Nd}+_([asx]_)*at)$/u,
    "probes of an array. Spoticell needs counts of single cells",
  ],
  [
    /^(?:(?:adt|ab|prot|protein|hto|cite)[_:. -][^\n]*|[^\n]*[_:. -](?:adt|protein|hto|totalseq[\p{L}\p{N}_]*))$/iu,
    "antibodies. Spoticell needs counts of RNA",
  ],
  [
    /^([A-Za-z0-9]+[_:#-])*[ACGTN]{10,}([_:.-][A-Za-z0-9]+)*$/u,
    "barcodes of cells. Genes and cells may have changed places",
  ],
];

// Say what names are that are no genes, and what to do; "" where that isn't known.
export function whatTheyAre(names: readonly string[]): string {
  const some = someOf(names);
  const words = NO_GENE.find(([pattern]) => mostlyFit(some, pattern))?.[1];
  return words === undefined ? "" : `They look like ${words}.`;
}
