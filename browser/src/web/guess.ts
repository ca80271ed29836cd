// What cells look like before they are named: tissues and commonest broad types by some of them, columns, depth.

import { SpoticellError } from "../base/errors.ts";
import { decide } from "../annotation/decision.ts";
import { relativesOf, someSaid, tissuesSaid } from "../annotation/first_blocks.ts";
import type { Options } from "../annotation/options.ts";
import { ENOUGH_GENES, SHALLOW } from "../annotation/reasons.ts";
import { sharedColumns } from "../biology/columns.ts";
import { loadOntology, type Ontology } from "../biology/ontology.ts";
import { alignedSample } from "../io/aligned.ts";
import type { Findings } from "../io/findings.ts";
import type { CellSource } from "../io/source.ts";
import { Runtime } from "../model/runtime.ts";

// Share of the cells from which a broad type is told, and how many are.
const COMMON = 0.05, MOST = 4;
// Columns that are named.
const NAMED = 5;

export interface Guess {
  cells: number;
  tissues: Record<string, number>;
  kinds: { term: string; name: string; share: number }[];
  blood: boolean;
  says: string;
  shallow: number | null;
  columns: { number: number; named: string[] };
}

export function guess(findings: Findings, source: CellSource, options: Options): Guess {
  const sample = alignedSample(findings), bundle = options.bundle;
  const counts = sample.sums();
  const told: Guess = { cells: 0, tissues: {}, kinds: [], blood: false, says: "", shallow: null, columns: columnsOf(source) };
  if (findings.match.nFound >= ENOUGH_GENES && counts.length) {
    told.shallow = counts.reduce((sum, count) => sum + Number(count < SHALLOW), 0) / counts.length;
  }
  if (!bundle.isOfThisOntology) return told;
  const [some, said] = someSaid(sample, findings, new Runtime(bundle));
  const tissues = tissuesSaid(said, bundle);
  const relatives = relativesOf(options, tissues);
  const { answerN } = decide(said, Float32Array.from(some.sums()), bundle, { threshold: options.lowest, relatives });
  const terms = Array.from(answerN).filter((answer) => answer >= 0).map((answer) => bundle.nodes[answer]);
  return {
    ...told,
    cells: answerN.length, kinds: kindsOf(terms, answerN.length, loadOntology()),
    tissues: Object.fromEntries(tissues.shares), blood: tissues.blood, says: `${tissues.looks()}.`,
  };
}

function kindsOf(terms: string[], nCells: number, ontology: Ontology): Guess["kinds"] {
  const cells = new Map<string, number>();
  for (const term of terms) {
    const broad = ontology.broad(term);
    // what is none of the broad types says nothing
    if (ontology.has(broad)) cells.set(broad, (cells.get(broad) ?? 0) + 1);
  }
  const common = [...cells].sort(([, one], [, other]) => other - one).slice(0, MOST);
  return common.map(([term, count]) => ({ term, name: ontology.name(term), share: count / nCells })).filter(({ share }) => share >= COMMON);
}

function columnsOf(source: CellSource): Guess["columns"] {
  try {
    const table = source.obs();
    const names = [...sharedColumns(table), ...table.columns.keys()];
    return { number: table.columns.size, named: [...new Set(names)].slice(0, NAMED) };
  } catch (error) {
    // cells can be named without the table about them
    if (error instanceof SpoticellError) return { number: 0, named: [] };
    throw error;
  }
}
