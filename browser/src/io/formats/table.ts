// Tables of counts as text: csv, tsv, semicolons or spaces, gzipped or not, cells or genes on the rows.
// A first pass reads the names of the rows, and by the names of rows and columns tells which are genes. Then the numbers
// are read line by line, and sorted by cell where genes lie on the rows.

import { FileFormatError } from "../../base/errors.ts";
import { head } from "../../base/text.ts";
import { repr } from "../../base/words.ts";
import type { Bytes } from "../bytes.ts";
import type { Entries } from "../storage/bands.ts";
import { pieces } from "../storage/lines.ts";
import { checkCells, holds } from "../storage/room.ts";
import { StoredSource } from "../storage/stored.ts";
import { TextMatrix } from "../storage/text_matrix.ts";
import { text } from "../storage/tree.ts";
import { chooseFeatures, keptOf, someGenes } from "./features.ts";
import { FEW, geneShare, genesLieFirst, isGene } from "./orient.ts";
import { withoutSummaries } from "./summaries.ts";
import { DELIMITERS, findLayout, FIRST_LINES, type Layout } from "./textlayout.ts";
import { fieldsAt, isBlank, nameOf, Table } from "./texttable.ts";

// Columns of numbers that a line for a gene of a cell has at most.
export const FEWEST_COUNTED = 3;
// Columns of numbers, in lower case, that tools put beside counts.
const NOT_COUNTS = new Set([
  "chr", "chrom", "chromosome", "start", "end", "strand", "length", "gene_length", "width", "entrez", "entrezid",
  "entrez_id", "entrezgene", "entrezgene_id", "entrez_gene_id", "ncbi_id", "ncbi_gene_id", "biotype", "gene_biotype",
  "n_counts", "n_genes", "ncount_rna", "nfeature_rna", "total_counts", "n_genes_by_counts", "total_umis", "n_umi", "numi",
  "ngene", "percent.mt", "percent_mt", "percent.mito", "percent_mito", "pct_counts_mt", "cluster", "clusters", "leiden",
  "louvain", "seurat_clusters", "label", "labels", "umap_1", "umap_2", "tsne_1", "tsne_2", "doublet_score", "s_score",
  "g2m_score", "s.score", "g2m.score", "size_factor",
]);
const NEW_LINE = 10;

// The numbers of a table, seen as cells x genes; parsed once, then kept.
export class TableMatrix extends TextMatrix {
  readonly nEntries: number;

  constructor(private readonly table: Table, private readonly genesOnRows: boolean) {
    const rows = table.rowNames.length, columns = table.counts.length;
    super(genesOnRows ? [columns, rows] : [rows, columns], [table.file.name, "table"]);
    this.nEntries = Math.floor((rows * columns) / 4);
  }

  *entries(): Generator<Entries> {
    for (const [row, column, value] of this.table.entries()) yield this.genesOnRows ? [column, row, value] : [row, column, value];
  }
}

// Cells of a table of text; which side holds the genes is told by the names.
export function openTable(file: Bytes): StoredSource {
  const { name } = file;
  let table = scan(file);
  refuseLong(table);
  const rows = table.rowNames, genesOnRows = genesOnRowsOf(table);
  const notes: string[] = [];
  if (genesOnRows) {
    notes.push(`${name}: genes lie on its rows, so the table was turned round.`);
    const numbers = numbersBeforeGenes(table);
    if (numbers.length) {
      notes.push(`${name}: numbers before the names of genes are no cell's and were left out (${first(numbers)}).`);
      table = new Table(file, table.layout, rows, table.counts.slice(numbers.length), table.words);
    }
  }
  const columns = table.columnNames;
  const genes = genesOnRows ? new Map([["index", rows], ...table.words]) : new Map([["index", columns], ...table.told]);
  const chosen = chooseFeatures(genes, name);
  const whole = someGenes(new TableMatrix(table, genesOnRows), chosen.keepV);
  const [cells, about] = genesOnRows ? [columns, table.told] : [rows, table.words];
  const [matrix, keepN, leftOut] = withoutSummaries(whole, cells);
  return new StoredSource(name, {
    format: "table",
    matrices: new Map([["table", matrix]]),
    cells: keptOf(cells, keepN),
    genes: new Map(Array.from(genes, ([column, values]) => [column, keptOf(values, chosen.keepV)])),
    obs: new Map(Array.from(about, ([column, values]) => [column, keptOf(values, keepN)])),
    warnings: [...notes, ...chosen.warnings, ...leftOut],
  });
}

function genesOnRowsOf(table: Table): boolean {
  const { rowNames: rows, columnNames: columns } = table;
  // numbers or loci may stand before the column that names the genes
  const onRows = genesLieFirst(rows, columns) ?? genesLieFirst(mostGenes([rows, ...table.words.values()]), columns);
  if (onRows !== null) return onRows;
  throw new FileFormatError(
    `${table.file.name}: neither its rows (${first(rows)}) nor its columns (${first(columns)}) can be told to be genes. ` +
    "Name the genes on one side by symbol or Ensembl id.",
  );
}

// The first of the lists in which most names are genes'.
function mostGenes(lists: string[][]): string[] {
  const shares = lists.map((names) => geneShare(names));
  return lists[shares.indexOf(Math.max(...shares))];
}

// Refuses a table that has a line for each gene of each cell.
function refuseLong(table: Table): void {
  const names = [table.rowNames, ...table.words.values()];
  const repeat = names.filter((some) => new Set(some).size < some.length / 2).length;
  if (table.counts.length > FEWEST_COUNTED || repeat < 2 || Math.max(...names.map((some) => geneShare([...new Set(some)]))) < FEW) return;
  throw new FileFormatError(
    `${table.file.name} has a line for each gene of each cell (the first is of ${repr(head(names[0][0], 30))} and ` +
    `${repr(head(names[1][0], 30))}). A table with the genes on one side and the cells on the other is needed: in pandas, ` +
    "frame.pivot_table(index=CELL, columns=GENE, values=COUNT, fill_value=0).",
  );
}

// Reads the layout and all names; the numbers are left for later.
function scan(file: Bytes): Table {
  const room = holds([file]), first = firstLines(file);
  const widest = Math.max(0, ...first.flatMap((line) => DELIMITERS.map((mark) => line.split(mark).length - 1)));
  checkCells(file.name, widest, room, "columns");
  const layout = findLayout(first, file.name), shift = Number(layout.namesFirst);
  const names: string[] = [], words: string[][] = layout.words.map(() => []);
  let nLines = 0;
  for (const piece of pieces(file)) {
    for (let start = 0; start < piece.length;) {
      const from = start, stop = piece.indexOf(NEW_LINE, start);
      start = stop + 1;
      nLines += 1;
      if (nLines <= layout.first || isBlank(piece, from, stop)) continue;
      names.push(shift ? nameOf(piece, from, stop, layout.delimiter) : String(names.length));
      if (words.length) fieldsAt(piece, from, stop, layout).forEach((field, place) => words[place].push(field));
      if (names.length > file.size) checkCells(file.name, names.length, room, "lines");
    }
  }
  return tableOf(file, layout, names, words);
}

function tableOf(file: Bytes, layout: Layout, names: string[], words: string[][]): Table {
  const { heading } = layout, wordy = new Set(layout.words);
  const told = new Map<string, string[]>();
  layout.words.forEach((place, at) => heading[place] && told.set(heading[place], text(words[at])));
  const counts = Array.from(heading.keys()).filter((place) => !wordy.has(place) && (!NOT_COUNTS.has(heading[place].toLowerCase()) || isGene(heading[place])));
  return new Table(file, layout, text(names), counts, told);
}

function firstLines(file: Bytes): string[] {
  const found: string[] = [];
  for (const piece of pieces(file)) {
    for (let start = 0; start < piece.length && found.length < FIRST_LINES;) {
      const stop = piece.indexOf(NEW_LINE, start);
      found.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(piece.subarray(start, stop)));
      start = stop + 1;
    }
    if (found.length === FIRST_LINES) break;
  }
  return found;
}

// Columns of numbers before the last column that names genes, unless most columns stand there.
function numbersBeforeGenes(table: Table): string[] {
  const { heading } = table.layout;
  const named = Array.from(table.words).filter(([, words]) => geneShare(words) >= FEW).map(([column]) => heading.indexOf(column));
  const last = Math.max(0, ...named);
  const before = table.counts.filter((place) => place < last).map((place) => heading[place]);
  return 2 * before.length < table.counts.length ? before : [];
}

const first = (names: readonly string[]): string => names.slice(0, 3).map((name) => head(name, 30)).join(", ") || "none";
