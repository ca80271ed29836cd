// Groups of cells: which there are, and what each is called.
//
// A cell alone can be mistaken; that half of a group are mistaken in the same way is rarer. A group is therefore named by
// all of its cells, at the level that holds for them.
// Axes: n cells, k groups, m ontology nodes.

import { bincount, median, sum } from "../base/arrays.ts";
import { ConfigError } from "../base/errors.ts";
import type { Column } from "../base/frame.ts";
import type { Matrix } from "../base/matrix.ts";
import { compare } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import { ruleOf } from "../biology/answer_rule.ts";
import type { GroupGene } from "../biology/group_genes.ts";
import type { Markers } from "../biology/markers.ts";
import { DOINGS, loadOntology, TOO_GENERAL } from "../biology/ontology.ts";
import type { CellSource } from "../io/source.ts";
import { UNKNOWN } from "../keys.ts";
import type { Bundle } from "../model/bundle.ts";
import { cellWords } from "./cell_words.ts";
import type { AnnotatedBlock } from "./result.ts";

// Asks for groups that are found, instead of a column's.
export const AUTO = "auto";
export const MOST_GROUPS = 2000;
// Lowest mean probability at which a group is named: a cell of it is more likely of the type than not.
export const SURE = 0.5;
// Share of a group's named cells that its name must hold for.
export const HALF = 0.5;
// A group is novel if the familiarity of half of its cells is not this far above what a cell of a known type has.
export const STRANGE = 0.0;
// Columns that a message names.
export const FEW = 8;

// Which group each cell is in.
export interface Grouping {
  // Where the groups are from: a column, or "auto".
  column: string;
  // Position in `names`; -1 for a cell in no group.
  codeN: Int32Array;
  // In natural order.
  names: string[];
}

// Groups from a column about cells; a cell without a value is in none.
export function readGroups(source: CellSource, column: string): Grouping {
  const table = source.obs(), values = table.columns.get(column);
  if (values === undefined) {
    const there = [...table.columns.keys()], more = there.length > FEW ? ` and ${comma(there.length - FEW)} more` : "";
    const has = there.length ? `its columns are ${there.slice(0, FEW).join(", ")}${more}` : "it has no columns about cells";
    throw new ConfigError(`${source.name} has no column ${repr(column)} about cells; ${has}. Give a column of groups, or ${repr(AUTO)}.`);
  }
  const { codes, words } = cellWords(wholeAgain(values)), cells = codes.length;
  const there = new Set(codes), names = [...new Set(words.filter((word, code) => word !== "" && there.has(code)))].sort((a, b) => byNature(a, b) || compare(a, b));
  if (!names.length) throw new ConfigError(`the column ${repr(column)} of ${source.name} has no value in any cell; groups need values.`);
  if (names.length > Math.min(MOST_GROUPS, Math.max(Math.floor(cells / 2), 1))) {
    throw new ConfigError(
      `the column ${repr(column)} of ${source.name} has ${comma(names.length)} values for ${comma(cells)} cells; a column of ` +
        `groups has few, each for several cells. Give another column, or ${repr(AUTO)}.`,
    );
  }
  const place = new Map(names.map((name, code) => [name, code])), placeW = words.map((word) => place.get(word) ?? -1);
  return { column, codeN: codes.map((code) => (code < 0 ? -1 : placeW[code])), names };
}

// Numbers that a gap has turned into fractions are whole again.
function wholeAgain(column: Column): Column {
  if (column.kind !== "number" || column.whole || !column.values.every((value) => Number.isNaN(value) || value % 1 === 0)) return column;
  return { ...column, whole: true };
}

// What sorts names as people do, numbers by their size.
export function natural(name: string): (number | string)[] {
  return name.split(/([0-9]+)/).filter(Boolean).map((part) => (/^\p{Nd}+$/u.test(part) ? Number(part) : part));
}

// Less than, equal to or more than zero as one name comes before, with or after the other.
export function byNature(one: string, other: string, parts: (name: string) => (number | string)[] = natural): number {
  const [a, b] = [parts(one), parts(other)];
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [x, y] = [a[i], b[i]];
    // numbers come before words
    if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
    const order = typeof x === "number" ? x - (y as number) : compare(x, y as string);
    if (order) return order;
  }
  return a.length - b.length;
}

// A gene that sets a group apart.
export interface SeparatingGene {
  symbol: string;
  // How often a cell of the group has more of it than a cell of another one.
  auc: number;
  // Whether it is a marker of the group's type by the table of markers; false where none was given.
  known: boolean;
}

// What is found of the cells of a group.
export interface Group {
  name: string;
  // All of them, also those without counts, which have no say in the rest.
  cells: number;
  // Ontology term that holds for it, or "unknown".
  term: string;
  // Its name.
  cellType: string;
  // Share of its cells whose answer is this term or a subtype; 0 for unknown.
  share: number;
  // Mean probability of the term over its cells, each cell's own being calibrated; 0 for unknown.
  score: number;
  // What it would be otherwise: the next best term, or of an unknown group the best; "unknown" if there is none.
  secondTerm: string;
  secondCellType: string;
  // Mean probability of that term; 0 where there is none.
  secondProbability: number;
  // Whether it looks unlike all known types; null where the model can't tell.
  novel: boolean | null;
  // Genes that set it apart, clearest first.
  genes: SeparatingGene[];
  // Studies of the references nearest to its cells, their tissues, and what share agrees: of runs with an index.
  studies: [string, number][];
  tissues: [string, number][];
  agree: number | null;
}

export interface GroupRow {
  group: string;
  cells: number;
  cell_type: string;
  cell_type_ontology_term_id: string;
  share: number;
  score: number;
  second_cell_type: string;
  second_probability: number;
  novel: boolean | null;
  genes: string;
  known_markers: string;
  nearest_studies: string;
  nearest_tissues: string;
  references_agree: number | null;
}

const four = (value: number): number => Number(value.toFixed(4));

// The groups of a source's cells.
export class Groups {
  constructor(
    readonly grouping: Grouping,
    // In the order of the grouping's names.
    readonly groups: Group[],
    // Sum of each node's probability over each group's cells, row by row.
    readonly probabilityKm: Float64Array,
  ) {}

  // The group of each cell.
  get groupN(): Extract<Column, { kind: "category" }> {
    return { kind: "category", codes: this.grouping.codeN, categories: this.grouping.names };
  }

  // Share of the cells of each cell's group that agree on it; NaN for cells in no group.
  get shareN(): Float32Array {
    return Float32Array.from(this.grouping.codeN, (code) => (code < 0 ? NaN : this.groups[code].share));
  }

  // A row for each group.
  get table(): GroupRow[] {
    return this.groups.map((group) => ({
      group: group.name,
      cells: group.cells,
      cell_type: group.cellType,
      cell_type_ontology_term_id: group.term,
      share: four(group.share),
      score: four(group.score),
      second_cell_type: group.secondCellType,
      second_probability: four(group.secondProbability),
      novel: group.novel,
      genes: group.genes.map((gene) => gene.symbol).join(", "),
      known_markers: group.genes.filter((gene) => gene.known).map((gene) => gene.symbol).join(", "),
      nearest_studies: group.studies.map(([study, cells]) => `${study} (${cells})`).join("; "),
      nearest_tissues: group.tissues.map(([tissue, cells]) => `${tissue} (${cells})`).join("; "),
      references_agree: group.agree === null ? null : four(group.agree),
    }));
  }

  // The same as plain values: where the groups are from, and the columns of the table.
  record(): Record<string, unknown> {
    const rows = this.table, record: Record<string, unknown> = { column: this.grouping.column };
    const left = [this.groups.some((group) => group.novel === null) ? "novel" : "", this.groups.some((group) => group.agree === null) ? "references_agree" : ""];
    for (const name of Object.keys(rows[0] ?? {}) as (keyof GroupRow)[]) if (!left.includes(name)) record[name] = rows.map((row) => row[name]);
    return record;
  }
}

export interface Tallying {
  // Counts up to which a cell is empty and has no say.
  emptyUpTo?: number;
  // Sum of each node's probability over each group's cells, where that is known already.
  probabilityKm?: Float64Array | null;
}

// Sums up the answers of cells by group.
export class GroupTally {
  // Sum of each node's probability over each group's cells.
  readonly probabilityKm: Float64Array;
  // The last column is that of unknown.
  private readonly answersKm: Int32Array;
  private readonly fullN: Uint8Array;
  private readonly marginN: Float32Array;
  private readonly emptyUpTo: number;
  private readonly nodes: number;

  constructor(readonly grouping: Grouping, private readonly bundle: Bundle, { emptyUpTo = 0, probabilityKm = null }: Tallying = {}) {
    const groups = grouping.names.length, n = grouping.codeN.length;
    this.nodes = bundle.nodes.length;
    this.emptyUpTo = emptyUpTo;
    this.probabilityKm = probabilityKm ?? new Float64Array(groups * this.nodes);
    this.answersKm = new Int32Array(groups * (this.nodes + 1));
    this.fullN = new Uint8Array(n);
    this.marginN = new Float32Array(n).fill(NaN);
  }

  // Takes in the final answers of a block.
  add(block: AnnotatedBlock): void {
    this.count(block.start, block.answerN, block.nCountsN, block.marginN);
    this.weigh(block.start, block.nCountsN, block.probabilitiesNm);
  }

  // Takes in probabilities without the answers; see AnnotatedBlock.
  weigh(start: number, nCountsN: ArrayLike<number>, probabilitiesNm: Matrix): void {
    const { data, width } = probabilitiesNm;
    for (let i = 0; i < nCountsN.length; i += 1) {
      const code = this.grouping.codeN[start + i];
      if (code < 0 || !(nCountsN[i] > this.emptyUpTo)) continue;
      for (let m = 0; m < width; m += 1) this.probabilityKm[code * width + m] += data[i * width + m];
    }
  }

  // Takes in answers without their probabilities; see AnnotatedBlock.
  count(start: number, answerN: Int32Array, nCountsN: ArrayLike<number>, marginN: ArrayLike<number> | null): void {
    for (let i = 0; i < answerN.length; i += 1) {
      const code = this.grouping.codeN[start + i], full = nCountsN[i] > this.emptyUpTo;
      this.fullN[start + i] = Number(full);
      if (marginN !== null) this.marginN[start + i] = marginN[i];
      if (full && code >= 0) this.answersKm[code * (this.nodes + 1) + (answerN[i] < 0 ? this.nodes : answerN[i])] += 1;
    }
  }

  // Names the groups; `genes` are those that set each apart, from `groupGenes`.
  finish(genes: GroupGene[][] = [], markers: Markers | null = null): Groups {
    const { grouping, bundle, nodes } = this, groups = grouping.names.length;
    const fullK = Int32Array.from({ length: groups }, (_, k) => sum(this.answersKm.subarray(k * (nodes + 1), (k + 1) * (nodes + 1))));
    const meanKm = this.probabilityKm.map((total, at) => total / Math.max(fullK[Math.floor(at / nodes)], 1));
    const novelK = this.novel(), agreeKm = this.agreeing(), cellsK = bincount(grouping.codeN.filter((code) => code >= 0), groups);
    const [answerK, secondK] = this.answers(meanKm, agreeKm, novelK);
    const found = grouping.names.map((name, k): Group => {
      const answer = answerK[k], second = secondK[k], term = answer < 0 ? UNKNOWN : bundle.nodes[answer];
      return {
        name,
        cells: cellsK[k],
        term,
        cellType: answer < 0 ? UNKNOWN : bundle.nodeNames[answer],
        share: answer < 0 ? 0 : agreeKm[k * nodes + answer] / fullK[k],
        score: answer < 0 ? 0 : meanKm[k * nodes + answer],
        secondTerm: second < 0 ? UNKNOWN : bundle.nodes[second],
        secondCellType: second < 0 ? UNKNOWN : bundle.nodeNames[second],
        secondProbability: second < 0 ? 0 : meanKm[k * nodes + second],
        novel: novelK[k],
        genes: this.named(genes[k] ?? [], term, markers),
        studies: [],
        tissues: [],
        agree: null,
      };
    });
    return new Groups(grouping, found, this.probabilityKm);
  }

  // Each group's name and its second choice; of a novel group the name is the second choice.
  private answers(meanKm: Float64Array, agreeKm: Int32Array, novelK: (boolean | null)[]): [Int32Array, Int32Array] {
    const ontology = loadOntology(), { nodes } = this.bundle, width = nodes.length, rule = ruleOf(nodes, ontology);
    const means = { data: Float32Array.from(meanKm), width }, [likeliestK] = rule.answers(means, SURE);
    const place = new Map(nodes.flatMap((node, m) => (TOO_GENERAL.has(node) || DOINGS.has(node) ? [] : [[node, m] as [string, number]])));
    const heldK = likeliestK.map((likeliest, k) => {
      const named = sum(this.answersKm.subarray(k * (width + 1), k * (width + 1) + width));
      if (likeliest < 0 || !named) return -1;
      const above = [...ontology.ancestors(nodes[likeliest])].flatMap((term) => place.get(term) ?? []);
      const mean = (m: number) => meanKm[k * width + m];
      const better = (m: number, best: number) => ontology.depth(nodes[m]) - ontology.depth(nodes[best]) || mean(m) - mean(best) || best - m;
      const holds = above.filter((m) => agreeKm[k * width + m] >= HALF * named);
      return holds.length ? holds.reduce((best, m) => (better(m, best) > 0 ? m : best)) : -1;
    });
    const answerK = heldK.map((held, k) => (novelK[k] === true ? -1 : held)), [secondK] = rule.secondBest(means, answerK);
    return [answerK, secondK.map((second, k) => (answerK[k] >= 0 ? second : heldK[k]))];
  }

  // How many cells of each group have an answer that is a node or a subtype of it.
  private agreeing(): Int32Array {
    const ontology = loadOntology(), { nodes } = this.bundle, width = nodes.length, place = new Map(nodes.map((node, m) => [node, m]));
    const groups = this.grouping.names.length, agreeKm = new Int32Array(groups * width);
    for (let m = 0; m < width; m += 1) {
      const above = [...ontology.ancestors(nodes[m])].flatMap((term) => place.get(term) ?? []);
      for (let k = 0; k < groups; k += 1) {
        const cells = this.answersKm[k * (width + 1) + m];
        if (cells) for (const term of above) agreeKm[k * width + term] += cells;
      }
    }
    return agreeKm;
  }

  private novel(): (boolean | null)[] {
    const margins: number[][] = this.grouping.names.map(() => []);
    this.grouping.codeN.forEach((code, i) => {
      if (code >= 0 && this.fullN[i] && !Number.isNaN(this.marginN[i])) margins[code].push(this.marginN[i]);
    });
    return margins.map((own) => (own.length ? median(own) < STRANGE : null));
  }

  private named(genes: GroupGene[], term: string, markers: Markers | null): SeparatingGene[] {
    const { symbols } = this.bundle.vocabulary, known = markers?.known(term, genes.map((found) => found.gene)) ?? [];
    return genes.map((found, at) => ({ symbol: symbols[found.gene], auc: found.auc, known: known[at] ?? false }));
  }
}
