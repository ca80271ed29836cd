// What a source of cells holds and what would be used of it, found before anything is run.
// The right matrix is looked for among all that a source has (layers, raw, X): its genes must be known and counts must be had
// from its values.

import type { Csr } from "../base/csr.ts";
import { ConfigError, CountsError, FileFormatError, GeneMatchError, SpoticellError } from "../base/errors.ts";
import { Frame, wordsOf } from "../base/frame.ts";
import { part, type Progress } from "../base/progress.ts";
import { rint } from "../base/rounding.ts";
import { str } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import { CountsProbe, type CountsVerdict } from "../biology/counts.ts";
import { type GeneMatch, matchGenes, type Vocabulary } from "../biology/genes.ts";
import { Seen, withoutPadding } from "../biology/padding.ts";
import { REMEDY } from "../biology/recovery.ts";
import { Repeats, withoutOdd } from "../biology/repeats.ts";
import { CellSample } from "../biology/sample.ts";
import { notesOnNames } from "../biology/summaries.ts";
import { bestOf, Candidate, SAME, whyNot } from "./choice.ts";
import { ENOUGH, geneShare, genesLieFirst } from "./formats/orient.ts";
import type { CellSource } from "./source.ts";

const splicedOnly = (matrix: string): string =>
  `${matrix} holds spliced molecules only: the unspliced ones, most of what a nucleus has, are missing. For nuclei add both `
    + "up and give the sum.";
// Cells that are kept to find out what the sample is, and values of them, at most.
const SAMPLE = 2048, SAMPLE_VALUES = 4_000_000;
// Below so many known genes the reader is told that answers will be broader.
export const SMALL_PANEL = 1000;

export interface FindingsFields {
  // How messages call the source.
  readonly source: string;
  readonly format: string;
  readonly nCells: number;
  // Genes of the matrix that would be used.
  readonly nGenes: number;
  readonly matrix: string;
  readonly verdict: CountsVerdict;
  readonly match: GeneMatch;
  // Some cells, chosen at random by what they hold, as stored.
  readonly sampleNv: Csr;
  // Where they stand in the source, rising.
  readonly sampleAtS: Int32Array;
  readonly warnings: readonly string[];
  // Matrices that were looked at and passed over, each with the reason.
  readonly tried: readonly (readonly [string, string])[];
}

// What a source holds and what would be used of it.
export class Findings implements FindingsFields {
  readonly source!: string;
  readonly format!: string;
  readonly nCells!: number;
  readonly nGenes!: number;
  readonly matrix!: string;
  readonly verdict!: CountsVerdict;
  readonly match!: GeneMatch;
  readonly sampleNv!: Csr;
  readonly sampleAtS!: Int32Array;
  readonly warnings!: readonly string[];
  readonly tried!: readonly (readonly [string, string])[];

  constructor(fields: FindingsFields) {
    Object.assign(this, fields);
  }

  with(fields: Partial<FindingsFields>): Findings {
    return new Findings({ ...this, ...fields });
  }

  // The lines that say what would be used and what was passed over, without the notes.
  lines(): string[] {
    return [
      `${this.source} (${this.format}): ${comma(this.nCells)} cells, ${comma(this.nGenes)} genes`,
      `counts: ${this.matrix}: ${this.verdict.evidence}`,
      `genes: ${this.match.describe()}`,
      ...this.tried.map(([matrix, reason]) => `passed over: ${matrix}: ${reason}`),
    ];
  }

  // The lines that a person should read, notes among them.
  describe(): string[] {
    return [...this.lines(), ...this.warnings.map((warning) => `note: ${warning}`)];
  }

  // Gene names that aren't known as they stand, in the order of the data set, with how each was read.
  // name; how: unmatched (left out), ambiguous (left out, may be several genes), repaired or renamed; gene_id and symbol of
  // the gene that it was taken for, or of all that it may be.
  get genes(): Frame {
    const odd = this.match.oddNames;
    const columns = ["name", "how", "gene_id", "symbol"].map((name, i) => [name, { kind: "text", values: odd.map((one) => one[i]) }] as const);
    return new Frame(odd.map((_, i) => String(i)), new Map(columns));
  }

  // The same as plain values, for JSON and for uns.
  toDict(): Record<string, unknown> {
    const { match, verdict } = this;
    return {
      source: this.source,
      format: this.format,
      cells: this.nCells,
      genes: this.nGenes,
      matrix: this.matrix,
      counts: { kind: verdict.kind, evidence: verdict.evidence, recovers: verdict.recovers, empty_cells: verdict.nEmpty },
      gene_match: {
        column: match.column,
        kind: match.kind,
        found: match.nFound,
        coverage: match.coverage,
        unmatched: match.nUnmatched,
        repaired: match.nRepaired,
        renamed: match.nRenamed,
        ambiguous: match.nAmbiguous,
        repeated: match.nRepeated,
      },
      passed_over: Object.fromEntries(this.tried),
      notes: [...this.warnings],
    };
  }
}

export interface InspectOptions {
  // The one matrix to look at: a layer's name, "X" or "raw"; all if not given.
  layer?: string | null;
  // The one column that names the genes, "index" for their index; the best if not given.
  geneColumn?: string | null;
  onProgress?: Progress | null;
}

type Served = Map<string, [Findings, Candidate]>;
type Refused = Map<string, SpoticellError>;

// Find the matrix of a source from which counts of known genes can be had; an error says what is wrong if there is none.
// All cells are looked at.  Of several matrices that serve, the one with most counts above zero in known genes is used; of
// those that hold the same, plain counts, and then the source's own order decides.
export function inspect(source: CellSource, vocabulary: Vocabulary, options: InspectOptions = {}): Findings {
  const { layer = null, geneColumn = null, onProgress = null } = options;
  if (source.nCells === 0) throw new FileFormatError(`${source.name} holds no cells, so there is nothing to annotate.`);
  const served: Served = new Map(), refused: Refused = new Map();
  const matrices = layer === null ? source.matrices : [named(source, layer)];
  for (const [position, matrix] of matrices.entries()) {
    try {
      const names = geneNames(source, matrix, geneColumn);
      const found = inspectMatrix(source, matrix, vocabulary, names, part(onProgress, position, matrices.length));
      served.set(matrix, found);
      if (holdsAll(found[1], source, matrices.slice(position + 1))) break;
    } catch (error) {
      if (!(error instanceof CountsError || error instanceof GeneMatchError)) throw error;
      refused.set(matrix, error);
    }
  }
  if (!served.size) throw noMatrix(source, refused);
  return best(served, refused, matrices, source);
}

// What was found in the matrix that is used, with a word on the others.
function best(served: Served, refused: Refused, matrices: readonly string[], source: CellSource): Findings {
  const chosen = bestOf([...served.values()].map(([, candidate]) => candidate));
  const passedOver = new Map<string, string>();
  const ending = ` ${REMEDY}`;
  for (const [matrix, { message }] of refused) passedOver.set(matrix, message.endsWith(ending) ? message.slice(0, -ending.length) : message);
  for (const [matrix, [, other]] of served) if (matrix !== chosen.matrix) passedOver.set(matrix, whyNot(other, chosen));
  const findings = served.get(chosen.matrix)![0];
  const likelier = matrices.slice(0, matrices.indexOf(chosen.matrix));
  const notes = likelier.filter(isLayer).map((matrix) => `${matrix} was passed over: ${passedOver.get(matrix)}`);
  if (isSpliced(chosen, source)) notes.push(splicedOnly(chosen.matrix));
  const tried = matrices.filter((matrix) => passedOver.has(matrix)).map((matrix) => [matrix, passedOver.get(matrix)!] as const);
  return findings.with({ tried, warnings: [...findings.warnings, ...notes] });
}

// Whether a matrix lacks the unspliced molecules that lie beside it.
function isSpliced(candidate: Candidate, source: CellSource): boolean {
  const there = [...source.matrices, ...source.others];
  if (!there.includes("layers/spliced") || !there.includes("layers/unspliced")) return false;
  if (candidate.matrix === "layers/spliced") return true;
  const spliced = source.nStored("layers/spliced"), stored = source.nStored(candidate.matrix);
  return spliced !== null && stored !== null && SAME * stored <= spliced && spliced <= stored / SAME;
}

const isLayer = (matrix: string): boolean => matrix.startsWith("layers/") || matrix.startsWith("raw");

// Whether no other matrix can hold more than plain counts that were found, going by the numbers stored.
function holdsAll(candidate: Candidate, source: CellSource, others: readonly string[]): boolean {
  if (!candidate.verdict.plain) return false;
  return others.map((matrix) => source.nStored(matrix)).every((n) => n !== null && candidate.verdict.nValues >= SAME * n);
}

// The matrix that a user calls so: its own name, or that of a layer without "layers/".
function named(source: CellSource, layer: string): string {
  const there = [...source.matrices, ...source.others];
  const found = [layer, `layers/${layer}`, `${layer}/X`].find((name) => there.includes(name));
  if (found === undefined) throw new ConfigError(`${source.name} has no layer ${repr(layer)}; it has ${there.join(", ")}.`);
  return found;
}

type Names = Map<string, readonly unknown[]>;

function geneNames(source: CellSource, matrix: string, geneColumn: string | null): Names {
  const columns = source.geneColumns(matrix);
  if (geneColumn === null) return columns;
  const names = columns.get(geneColumn);
  if (names === undefined) {
    throw new ConfigError(
      `${source.name}, ${matrix} has no column ${repr(geneColumn)} of gene names; it has ${[...columns.keys()].join(", ")}.`,
    );
  }
  return new Map([[geneColumn, names]]);
}

function inspectMatrix(source: CellSource, matrix: string, vocabulary: Vocabulary, names: Names, onProgress: Progress): [Findings, Candidate] {
  let match = matched(source, vocabulary, names);
  const columnNames = names.get(match.column)!;
  let probe = new CountsProbe();
  const repeats = new Repeats(match.targetV, columnNames), seen = new Seen(match.targetV.length);
  const sample = new CellSample(SAMPLE, SAMPLE_VALUES);
  for (const { start, values } of source.blocks(matrix)) {
    probe.update(values);
    sample.add(values, new Float64Array(values.height));
    repeats.update(values);
    seen.update(values);
    onProgress(start + values.height, source.nCells);
  }
  const [nStored, nKnown] = storedIn(seen, match);
  let odd: string[], padded: string[];
  [match, odd] = withoutOdd(match, repeats.odd(), columnNames);
  if (odd.length) {
    probe = new CountsProbe();
    for (const { values } of source.blocks(matrix)) probe.update(match.kept(values));
  }
  const verdict = probe.verdict();
  if (!verdict.usable) throw new CountsError(verdict.evidence);
  [match, padded] = withoutPadding(match, seen);
  const nValues = rint((verdict.nValues * nKnown) / Math.max(nStored, 1));
  if (nValues === 0) throw new CountsError(`no known gene has a count in any of the ${comma(source.nCells)} cells. ${REMEDY}`);
  const [sampleNv, , sampleAtS] = sample.cells();
  const findings = new Findings({
    source: source.name,
    format: source.format,
    nCells: source.nCells,
    nGenes: match.targetV.length,
    matrix,
    verdict,
    match,
    sampleNv,
    sampleAtS,
    warnings: [...source.notes(matrix), ...odd, ...padded, ...notesOnNames(source.cellNames), ...remarks(verdict, match)],
    tried: [],
  });
  return [findings, new Candidate(matrix, verdict, nValues, nValues / (source.nCells * match.nFound))];
}

function matched(source: CellSource, vocabulary: Vocabulary, names: Names): GeneMatch {
  try {
    return matchGenes(names, vocabulary);
  } catch (error) {
    throw error instanceof GeneMatchError ? turned(source, [...names.values()][0]) ?? error : error;
  }
}

// Values of all columns, and of those of known genes.
function storedIn(seen: Seen, match: GeneMatch): [number, number] {
  let nStored = 0, nKnown = 0;
  seen.timesV.forEach((times, v) => {
    nStored += times;
    if (match.targetV[v] >= 0) nKnown += times;
  });
  return [nStored, nKnown];
}

// Say that genes and cells have changed places, if they have.
function turned(source: CellSource, genes: readonly unknown[]): GeneMatchError | null {
  const step = 1 + Math.floor(source.nCells / ENOUGH);
  const some = (names: readonly (string | null)[]) => names.filter((_, n) => n % step === 0).map((name) => name ?? "nan");
  const columns = [...source.obs().columns.values()].filter((column) => column.kind === "text" || column.kind === "category");
  const names = [source.cellNames, ...columns.map(wordsOf)].map(some);
  const shares = names.map(geneShare), cells = names[shares.indexOf(Math.max(...shares))];
  if (!genesLieFirst(cells, genes.map(str))) return null;
  return new GeneMatchError(
    `genes and cells have changed places: the rows are genes (the first is ${repr(cells[0])}), the columns are `
      + `cells (${repr(str(genes[0]))}). Turn it round, for an AnnData with adata.T, and try again.`,
  );
}

function remarks(verdict: CountsVerdict, match: GeneMatch): string[] {
  const said = [...match.notes, ...verdict.remarks];
  if (match.nFound < SMALL_PANEL) {
    said.push(`only ${comma(match.nFound)} known genes are measured: expect broader types and more cells without an answer.`);
  }
  if (verdict.nEmpty) said.push(`cells without any count, which stay unknown: ${comma(verdict.nEmpty)}.`);
  return said;
}

function noMatrix(source: CellSource, refused: Refused): SpoticellError {
  if (!refused.size) return new FileFormatError(`${source.name} holds no matrix of counts.`);
  const [[matrix, error], ...others] = refused;
  const rest = others.length ? ` Nor does anything else in it serve (${others.map(([name]) => name).join(", ")}).` : "";
  const Kind = error.constructor as new (message: string) => SpoticellError;
  return new Kind(`${source.name}, ${matrix}: ${error.message}${rest}`);
}
