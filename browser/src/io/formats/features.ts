// Features of a file: which of them are genes of a human cell, and which are left out.
// Antibodies, guides, peaks and the genes of a second species are features too. What the words about them mean is told
// in biology/features.

import type { Csr } from "../../base/csr.ts";
import { FileFormatError, GeneMatchError } from "../../base/errors.ts";
import { comma } from "../../base/words.ts";
import { featureKinds, GENE } from "../../biology/features.ts";
import { someColumns } from "../storage/canonical.ts";
import { StoredMatrix } from "../storage/matrix.ts";

const HUMAN = /grch3[78]|hg19|hg38|b37|human|homo.?sapiens/i;
const OTHER = /mm9|mm10|mm39|grcm3[89]|mouse|mus.?musculus|rat|rn[67]/i;

// Which features are used (1), and sentences about the others.
export interface Chosen {
  keepV: Uint8Array;
  warnings: string[];
}

// Keeps the genes, and of several genomes the human one; genomes is null where the file says nothing.
export function chooseFeatures(columns: Map<string, string[]>, name: string, genomes: string[] | null = null): Chosen {
  const [first] = columns.values();
  const kinds = featureKinds(columns) ?? new Array<string>(first.length).fill(GENE);
  const keepV = Uint8Array.from(kinds, (kind) => Number(kind === GENE));
  const others = kinds.filter((kind) => kind !== GENE);
  if (kinds.length && others.length === kinds.length) {
    throw new GeneMatchError(
      `${name} has no gene counts: its features are ${listed(kinds)}. ` +
      "Give the file with the Gene Expression features.",
    );
  }
  const warnings = others.length ? [leftOut(others, name)] : [];
  const found = genomes === null ? [] : [...new Set(genomes.filter((_, gene) => keepV[gene]))].sort();
  if (genomes !== null && found.length > 1) {
    const human = humanGenome(found, name);
    const foreign = genomes.filter((genome, gene) => keepV[gene] && genome !== human);
    for (let gene = 0; gene < keepV.length; gene += 1) if (genomes[gene] !== human) keepV[gene] = 0;
    warnings.push(`${name}: only the genes of ${human} are used; left out: ${listed(foreign)}.`);
  }
  return { keepV, warnings };
}

// The one human genome among several.
export function humanGenome(genomes: string[], name: string): string {
  const human = genomes.filter((genome) => HUMAN.test(genome) && !OTHER.test(genome));
  if (genomes.length === 1) return genomes[0];
  if (human.length === 1) return human[0];
  const found = human.length ? `${human.length} are human` : "none is human";
  throw new FileFormatError(
    `${name} has genes of ${genomes.length} genomes (${genomes.join(", ")}), of which ${found}. ` +
    "Write a file with the genes of one human genome.",
  );
}

// A matrix without the genes that are left out.
class SomeGenes extends StoredMatrix {
  // Where each gene of the whole goes, or -1.
  private readonly place: Int32Array;

  constructor(private readonly whole: StoredMatrix, keepV: Uint8Array) {
    let n = 0;
    const place = Int32Array.from(keepV, (keep) => (keep ? n++ : -1));
    super([whole.shape[0], n], [whole.file, whole.label]);
    this.place = place;
    this.byCell = whole.byCell;
  }

  *parts(size: number): Generator<Csr> {
    for (const part of this.whole.parts(size)) yield someColumns(part, this.place, this.shape[1]);
  }

  override *rows(start: number, stop: number, size: number): Generator<Csr> {
    for (const part of this.whole.rows(start, stop, size)) yield someColumns(part, this.place, this.shape[1]);
  }

  override close(): void {
    this.whole.close();
  }
}

// The matrix itself where all genes are kept, or a view of it.
export function someGenes(whole: StoredMatrix, keepV: Uint8Array): StoredMatrix {
  return keepV.every(Boolean) ? whole : new SomeGenes(whole, keepV);
}

// The values of those genes that are kept.
export function keptOf(values: string[], keepV: Uint8Array): string[] {
  return keepV.every(Boolean) ? values : values.filter((_, gene) => keepV[gene]);
}

function leftOut(kinds: string[], name: string): string {
  const what = kinds.length === 1 ? "feature that is no gene was" : "features that are no genes were";
  return `${name}: ${kinds.length} ${what} left out (${listed(kinds)}).`;
}

function listed(words: string[]): string {
  const count = new Map<string, number>();
  for (const word of words) count.set(word, (count.get(word) ?? 0) + 1);
  return [...count.keys()].sort().map((word) => `${comma(count.get(word)!)} ${word}`).join(", ");
}
