// The Cell Ontology: names, ancestors, and which labels lie below which terms.
//
// A label is a Cell Ontology term that a model can put its weight on; a node is a label or any term above one.
// Axes: c labels, m nodes.

import { ConfigError } from "../base/errors.ts";
import { cached, packagedText } from "../base/packaged.ts";
import { strip } from "../base/text.ts";
import { repr } from "../base/words.ts";
import { UNKNOWN } from "../keys.ts";

// Terms that are no answer: cell, eukaryotic cell, nucleate cell, motile cell and their like.
export const TOO_GENERAL: ReadonlySet<string> = new Set([
  "CL:0000000", "CL:0000003", "CL:0000255", "CL:0000548", "CL:0002371", "CL:0002242", "CL:0000219", "CL:0000226",
]);

// Terms that say what many kinds of cell do or have; as an answer they would puzzle more than they tell.
export const DOINGS: ReadonlySet<string> = new Set([
  "CL:0000095", // neuron associated cell
  "CL:0000123", // neuron associated cell (sensu Vertebrata)
  "CL:0000145", // professional antigen presenting cell
  "CL:0000151", // secretory cell
  "CL:0000153", // glycosaminoglycan secreting cell
  "CL:0000154", // protein secreting cell
  "CL:0000157", // surfactant secreting cell
  "CL:0000159", // seromucus secreting cell
  "CL:0000167", // peptide hormone secreting cell
  "CL:0000174", // steroid hormone secreting cell
  "CL:0000177", // testosterone secreting cell
  "CL:0000183", // contractile cell
  "CL:0000211", // electrically active cell
  "CL:0000225", // anucleate cell
  "CL:0000228", // multinucleate cell
  "CL:0000234", // phagocyte
  "CL:0000306", // crystallin accumulating cell
  "CL:0000311", // keratin accumulating cell
  "CL:0000319", // mucus secreting cell
  "CL:0000323", // lysozyme secreting cell
  "CL:0000325", // stuff accumulating cell
  "CL:0000327", // extracellular matrix secreting cell
  "CL:0000329", // oxygen accumulating cell
  "CL:0000393", // electrically responsive cell
  "CL:0000404", // electrically signaling cell
  "CL:0000412", // polyploid cell
  "CL:0000413", // haploid cell
  "CL:0000417", // endopolyploid cell
  "CL:0000424", // excretory cell
  "CL:0000447", // carbohydrate secreting cell
  "CL:0000457", // biogenic amine secreting cell
  "CL:0000511", // androgen binding protein secreting cell
  "CL:0000518", // phagocyte (sensu Vertebrata)
  "CL:0000568", // amine precursor uptake and decarboxylation cell
  "CL:0000630", // supporting cell
  "CL:0000667", // collagen secreting cell
  "CL:0002274", // histamine secreting cell
  "CL:0011026", // progenitor cell
  "CL:0011115", // precursor cell
  "CL:4052002", // syncytial cell
]);

// Coarse terms, used where one word a cell is wanted; of two that both fit, neither above the other, the first.
export const BROAD: readonly string[] = [
  "CL:0000084", // T cell
  "CL:0000786", // plasma cell
  "CL:0000236", // B cell
  "CL:0000623", // natural killer cell
  "CL:0001065", // innate lymphoid cell
  "CL:0000576", // monocyte
  "CL:0000129", // microglial cell
  "CL:0000235", // macrophage
  "CL:0000451", // dendritic cell
  "CL:0000775", // neutrophil
  "CL:0000094", // granulocyte
  "CL:0000097", // mast cell
  "CL:0000556", // megakaryocyte
  "CL:0000233", // platelet
  "CL:0000764", // erythroid lineage cell
  "CL:0008001", // hematopoietic precursor cell
  "CL:0000738", // leukocyte
  "CL:0000115", // endothelial cell
  "CL:0000192", // smooth muscle cell
  "CL:0000669", // pericyte
  "CL:0000746", // cardiac muscle cell
  "CL:0000057", // fibroblast
  "CL:0000188", // cell of skeletal muscle
  "CL:0000136", // adipocyte
  "CL:0002320", // connective tissue cell
  "CL:0008019", // mesenchymal cell
  "CL:0000182", // hepatocyte
  "CL:0000148", // melanocyte
  "CL:0000351", // trophoblast cell
  "CL:0000039", // germ line cell
  "CL:0000127", // astrocyte
  "CL:0000128", // oligodendrocyte
  "CL:0002453", // oligodendrocyte precursor cell
  "CL:0002573", // Schwann cell
  "CL:0011020", // neural progenitor cell
  "CL:0000163", // endocrine cell
  "CL:0000540", // neuron
  "CL:0000066", // epithelial cell
  "CL:0000125", // glial cell
];

// Name, direct parents, synonyms.
type Entry = [string, string[], string[]];

interface Table {
  terms: Record<string, Entry>;
  replaced: Record<string, string>;
  version: string;
}

// The Cell Ontology without its obsolete terms.
export class Ontology {
  // Every term id, sorted.
  readonly terms: string[];
  private readonly table: Map<string, Entry>;
  private readonly replaced: Map<string, string>;
  private readonly known = new Map<string, ReadonlySet<string>>();
  private readonly depths = new Map<string, number>();
  private below: Map<string, number> | null = null;
  private byText: Map<string, string> | null = null;

  constructor(table: Record<string, Entry>, replaced: Record<string, string>, readonly version: string) {
    this.table = new Map(Object.entries(table));
    this.replaced = new Map(Object.entries(replaced));
    this.terms = [...this.table.keys()];
  }

  has(term: string): boolean {
    return this.table.has(term);
  }

  get length(): number {
    return this.table.size;
  }

  name(term: string): string {
    return this.entry(term)[0];
  }

  // Exact synonyms, sorted.
  synonyms(term: string): string[] {
    return this.entry(term)[2];
  }

  // The terms right above a term (is_a), sorted.
  parents(term: string): string[] {
    return this.entry(term)[1];
  }

  // A term and every term above it.
  ancestors(term: string): ReadonlySet<string> {
    let above = this.known.get(term);
    if (above === undefined) {
      const all = new Set([term]);
      for (const parent of this.parents(term)) for (const one of this.ancestors(parent)) all.add(one);
      this.known.set(term, (above = all));
    }
    return above;
  }

  // How many terms are at or below each of some terms, in the whole ontology.
  descendants(terms: readonly string[]): number[] {
    if (this.below === null) {
      this.below = new Map();
      for (const term of this.terms) for (const above of this.ancestors(term)) this.below.set(above, (this.below.get(above) ?? 0) + 1);
    }
    return terms.map((term) => this.below!.get(term) ?? 0);
  }

  // Length of the longest path from the root down to a term; 0 at the root.
  depth(term: string): number {
    let depth = this.depths.get(term);
    if (depth === undefined) {
      depth = this.parents(term).reduce((most, parent) => Math.max(most, this.depth(parent) + 1), 0);
      this.depths.set(term, depth);
    }
    return depth;
  }

  // The nearest of BROAD that is this term or above it, or "unknown".
  broad(term: string): string {
    if (!this.table.has(term)) return UNKNOWN;
    const own = this.ancestors(term);
    const above = BROAD.filter((coarse) => own.has(coarse));
    const passed = new Set<string>();
    for (const coarse of above) for (const one of this.ancestors(coarse)) if (one !== coarse) passed.add(one);
    return above.find((coarse) => !passed.has(coarse)) ?? UNKNOWN;
  }

  // What a term is where broad types are shown: a broad type, or itself where it is broader than these.
  //
  // Broader are terms above several broad types, which to call by a still broader one would say less than is known,
  // and those above one and below none.
  broadLevel(term: string): string {
    const broad = this.broad(term);
    if (term === broad || !this.table.has(term) || TOO_GENERAL.has(term)) return broad;
    const below = BROAD.filter((coarse) => this.ancestors(coarse).has(term)).length;
    return below > 1 || (below && broad === UNKNOWN) ? term : broad;
  }

  // The terms from the broad type of a term down to it, along its deepest parents.
  // Terms that only say what a cell does are passed over.
  path(term: string): string[] {
    const broad = this.broad(term), path = [term];
    while (path[0] !== broad) {
      let above = this.parents(path[0]).filter((parent) => !TOO_GENERAL.has(parent));
      if (broad !== UNKNOWN) above = above.filter((parent) => this.ancestors(parent).has(broad));
      if (!above.length) break;
      path.unshift(above.reduce((best, parent) => (this.depth(parent) - this.depth(best) || (parent > best ? 1 : -1)) > 0 ? parent : best));
    }
    return path.filter((place) => place === term || !DOINGS.has(place));
  }

  // The term that a text names: by id, name or exact synonym, whatever the case; null where none does.
  // A name always beats a synonym, and a synonym of several terms names none.
  resolveLabel(text: string): string | null {
    const bare = strip(text);
    const term = bare.toUpperCase().replaceAll("_", ":");
    return this.table.has(term) ? term : this.texts().get(bare.toLowerCase()) ?? null;
  }

  // Whether a text is the id or the name of a term, and no mere synonym, whatever the case.
  isNamed(term: string, text: string): boolean {
    const lower = text.toLowerCase();
    return lower.replaceAll("_", ":") === term.toLowerCase() || lower === this.name(term).toLowerCase();
  }

  private texts(): Map<string, string> {
    if (this.byText !== null) return this.byText;
    const synonyms = new Map<string, Set<string>>();
    for (const [term, [, , words]] of this.table) {
      for (const word of words) {
        const terms = synonyms.get(word.toLowerCase());
        if (terms) terms.add(term);
        else synonyms.set(word.toLowerCase(), new Set([term]));
      }
    }
    const found = new Map<string, string>();
    for (const [old, term] of this.replaced) found.set(old.toLowerCase(), term);
    for (const [word, terms] of synonyms) if (terms.size === 1) found.set(word, [...terms][0]);
    for (const term of this.terms) found.set(this.name(term).toLowerCase(), term);
    return (this.byText = found);
  }

  private entry(term: string): Entry {
    const entry = this.table.get(term);
    if (entry === undefined) {
      throw new ConfigError(
        `${repr(term)} is no term of the Cell Ontology (${this.version}), or an obsolete one; ` +
          "a current id such as 'CL:0000084' is needed.",
      );
    }
    return entry;
  }
}

// The packaged Cell Ontology.
export const loadOntology = (): Ontology =>
  cached("ontology", () => {
    const table = JSON.parse(packagedText("cell_ontology.json")) as Table;
    return new Ontology(table.terms, table.replaced, table.version);
  });

// The nodes of some labels, length m: every label and every ancestor of one, ancestors before descendants, ties by id;
// and (c, m) ones and zeros, one where label c is node m or below it.
export function reachMatrix(labels: readonly string[], ontology: Ontology): [string[], Uint8Array] {
  const different = new Set(labels).size;
  if (different < labels.length) throw new ConfigError(`${labels.length - different} labels occur twice; each may stand once.`);
  const wanted = new Set<string>();
  for (const label of labels) for (const term of ontology.ancestors(label)) wanted.add(term);
  const nodes = [...wanted].sort((a, b) => ontology.depth(a) - ontology.depth(b) || (a < b ? -1 : a > b ? 1 : 0));
  const position = new Map(nodes.map((node, m) => [node, m]));
  const reachCm = new Uint8Array(labels.length * nodes.length);
  labels.forEach((label, c) => {
    for (const term of ontology.ancestors(label)) reachCm[c * nodes.length + position.get(term)!] = 1;
  });
  return [nodes, reachCm];
}
