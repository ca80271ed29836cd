// The cells of a source, or some of them, as counts of the vocabulary's genes.
// Axes: n cells of the source, k cells that are kept, g genes of the vocabulary, v genes of the view.

import { flatnonzero, type Numbers } from "../base/arrays.ts";
import { Csr } from "../base/csr.ts";
import type { Frame } from "../base/frame.ts";
import type { Progress } from "../base/progress.ts";
import { recover } from "../biology/counts.ts";
import { alignCounts, takeCounts, type Vocabulary } from "../biology/genes.ts";
import type { Findings } from "./findings.ts";
import { BLOCK, type CellBlock, CellSource } from "./source.ts";

// Stream the counts of some cells of a source: rows used up so far, where the cells stand in the source, and their counts;
// nothing for rows of which none is kept.  Progress is told in cells of the source that were looked at.
export function* keptCounts(
  source: CellSource, findings: Findings, keepN: Numbers, options: { size?: number; onProgress?: Progress | null } = {},
): Generator<[number, Int32Array, Csr]> {
  for (const { start, values } of source.blocks(findings.matrix, options.size ?? BLOCK)) {
    const stop = start + values.height;
    const kept = flatnonzero(Array.from({ length: values.height }, (_, n) => keepN[start + n]));
    if (kept.length) yield [stop, kept.map((n) => n + start), aligned(kept.length < values.height ? values.rows(kept) : values, findings)];
    options.onProgress?.(stop, source.nCells);
  }
}

// Some cells of another source, aligned while they stream.
// Its genes are those of the vocabulary that the source measures, in the vocabulary's order: what is missing was not
// measured, what is zero was not seen.
export class AlignedSource extends CellSource {
  readonly name: string;
  readonly format: string;
  readonly nCells: number;
  readonly cellNames: string[];
  readonly matrices = ["X"];
  private readonly positionV: Int32Array;
  // Column of each gene of the vocabulary, -1 where it isn't measured.
  private readonly columnG: Int32Array;

  // keepN says which of the source's cells to give, table is about them, a row for each.
  constructor(
    private readonly source: CellSource,
    private readonly findings: Findings,
    private readonly vocabulary: Vocabulary,
    private readonly keepN: Numbers,
    private readonly table: Frame,
    private readonly onProgress: Progress | null = null,
  ) {
    super();
    [this.name, this.format] = [source.name, source.format];
    [this.nCells, this.cellNames] = [table.height, table.index];
    this.positionV = flatnonzero(findings.match.measuredG);
    this.columnG = new Int32Array(findings.match.nKnown).fill(-1);
    this.positionV.forEach((place, v) => (this.columnG[place] = v));
  }

  // Ensembl ids, and symbols as feature_name.
  geneColumns(_matrix: string): Map<string, string[]> {
    const { ids, symbols } = this.vocabulary, taken = (words: readonly string[]) => Array.from(this.positionV, (place) => words[place]);
    return new Map([["index", taken(ids)], ["feature_name", taken(symbols)]]);
  }

  // The kept cells, of at most size cells of the source at once.
  *blocks(_matrix: string, size = BLOCK): Generator<CellBlock> {
    let start = 0;
    for (const [, , counts] of keptCounts(this.source, this.findings, this.keepN, { size, onProgress: this.onProgress })) {
      const columns = counts.indices.map((g) => this.columnG[g]);
      yield { start, values: new Csr(counts.data, columns, counts.indptr, this.positionV.length) };
      start += counts.height;
    }
  }

  obs(): Frame {
    return this.table;
  }
}

// All counts of a source at once, in the order of the genes it was matched to.
export function readCounts(source: CellSource, findings: Findings): Csr {
  return Csr.vstack(Array.from(source.blocks(findings.matrix), ({ values }) => aligned(values, findings)), findings.match.nKnown);
}

// The counts of the cells that were kept while a source was looked at.
export const alignedSample = (findings: Findings): Csr => aligned(findings.sampleNv, findings);

// The counts of some cells of a source, the genes of a cell in any order, which is quicker.
export const taken = (valuesNv: Csr, findings: Findings): Csr => takeCounts(recovered(valuesNv, findings), findings.match);

const aligned = (valuesNv: Csr, findings: Findings): Csr => alignCounts(recovered(valuesNv, findings), findings.match);

const recovered = (valuesNv: Csr, findings: Findings): Csr => recover(findings.match.kept(valuesNv), findings.verdict);
