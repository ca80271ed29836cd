// The colour of each type in a run, the same in the annotated file, the report, the plots and the page.
//
// The types with most cells choose first, then the types of groups of cells and those that cells could also be; `palette`
// says how. On a broader level of the ontology a term that is also an answer keeps its colour, and the others have that of
// the commonest answer in them.

import { compare } from "../base/text.ts";
import { loadOntology } from "../biology/ontology.ts";
import { colorsOf, SLOTS, termColor } from "../biology/palette.ts";
import { UNKNOWN } from "../keys.ts";

// What colours are chosen by: the nodes, each cell's answer and its second best, and the types of groups.
export interface Coloured {
  nodes: readonly string[];
  answerN: ArrayLike<number>;
  secondN: ArrayLike<number>;
  groups: { groups: readonly { term: string }[] } | null;
}

// Terms, each with the answers in it, the most important first.
type Groups = ReadonlyMap<string, readonly string[]>;

// Colours of the types of some cells: terms of the answers, in the order in which they choose; their broad types, each
// with the answers in it; and terms that are shown beside the answers.
export class TypeColors {
  private readonly ofAnswers: Map<string, string>;
  private readonly held: Map<string, string>;

  constructor(types: Iterable<string>, { broad = new Map(), others = [] }: { broad?: Groups; others?: Iterable<string> } = {}) {
    const answers = [...types];
    this.held = colorsOf([...answers, ...others]);
    this.ofAnswers = new Map(answers.map((term) => [term, this.held.get(term)!]));
    this.held = new Map([...this.level(broad), ...this.held]);
  }

  // The colour of a term, #rrggbb; grey for unknown.
  of(term: string): string {
    return this.held.get(term) ?? termColor(term);
  }

  // The colours of terms that are shown in place of the answers, no two alike.
  level(groups: Groups): Map<string, string> {
    const colors = new Map<string, string>();
    for (const term of groups.keys()) if (this.ofAnswers.has(term)) colors.set(term, this.ofAnswers.get(term)!);
    const taken = new Set(colors.values());
    for (const [term, members] of groups) {
      const color = colors.has(term) ? undefined : members.map((member) => this.of(member)).find((own) => !taken.has(own));
      if (color === undefined) continue;
      colors.set(term, color);
      taken.add(color);
    }
    return colorsOf(groups.keys(), colors);
  }
}

// The colours of a run.
export function chooseColors(annotation: Coloured): TypeColors {
  const ontology = loadOntology(), cellsOf = cellsOfEach(annotation.nodes, annotation.answerN), lineages = new Map<string, string[]>();
  for (const term of byCells(cellsOf)) {
    const level = ontology.broadLevel(term), there = lineages.get(level);
    if (there) there.push(term);
    else lineages.set(level, [term]);
  }
  lineages.delete(UNKNOWN);
  const groups = annotation.groups?.groups ?? [];
  const others = [...groups.map(({ term }) => term), ...byWeight(cellsOfEach(annotation.nodes, annotation.secondN))];
  return new TypeColors(byWeight(cellsOf), { broad: lineages, others });
}

// Terms in the order in which they choose: by their cells, those of their subtypes counted in.
//
// "T cell" stands for all T cells, so it is to have their colour even if few cells are called just that. But where there
// are more types than colours, the commonest have one each.
export function byWeight(cellsOf: ReadonlyMap<string, number>): string[] {
  const weight = new Map<string, number>(), ontology = loadOntology();
  for (const [term, cells] of cellsOf) for (const above of ontology.ancestors(term)) weight.set(above, (weight.get(above) ?? 0) + cells);
  const common = byCells(cellsOf);
  const first = common.slice(0, SLOTS.length).sort((a, b) => weight.get(b)! - weight.get(a)! || compare(a, b));
  return [...first, ...common.slice(SLOTS.length)];
}

const byCells = (cellsOf: ReadonlyMap<string, number>): string[] => [...cellsOf.keys()].sort((a, b) => cellsOf.get(b)! - cellsOf.get(a)! || compare(a, b));

// The cells of each term that occurs.
function cellsOfEach(nodes: readonly string[], nodeN: ArrayLike<number>): Map<string, number> {
  const cellsM = new Int32Array(nodes.length);
  for (let i = 0; i < nodeN.length; i += 1) if (nodeN[i] >= 0) cellsM[nodeN[i]] += 1;
  return new Map(nodes.map((node, m): [string, number] => [node, cellsM[m]]).filter(([, cells]) => cells));
}
