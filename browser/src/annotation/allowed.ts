// Which types an answer may be: what a user says of it, as labels of a bundle.
//
// What a tissue rules out is in biology/tissues. Axes: c labels, m nodes.

import { ConfigError } from "../base/errors.ts";
import { heightOf } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { compare, head, strip } from "../base/text.ts";
import { comma, repr } from "../base/words.ts";
import { closestNames, meaningsOf, readName } from "../biology/everyday.ts";
import { LabelWeights } from "../biology/label_weights.ts";
import { loadOntology } from "../biology/ontology.ts";
import type { Ontology } from "../biology/ontology.ts";
import { Relatives } from "../biology/relatives.ts";
import { findTissue, possibleLabels } from "../biology/tissues.ts";
import type { Bundle } from "../model/bundle.ts";

// What is said in place of a tissue where cells may be from all of them.
export const ANY = "any";
// A cell on whose allowed labels the network puts less weight than this, all together, stays unknown.
//
// Making the rest one again would turn a scrap of weight into a sure answer: a neuron among T cells would be a T cell.
// Below one in twenty, the customary bound of what is too unlikely to be believed, the network says that the cell is
// something else; and no probability grows more than twentyfold.
export const LEAST = 0.05;

// Which labels are at or below an allowed term, and neither at nor below a denied one. Every label is allowed if no term
// is; denied ones win over allowed ones.
export function labelsWithin(labels: readonly string[], ontology: Ontology, { allow = [], deny = [] }: { allow?: readonly string[]; deny?: readonly string[] }): Uint8Array {
  return Uint8Array.from(labels, (label) => {
    const above = ontology.ancestors(label), meets = (term: string) => above.has(term);
    return (!allow.length || allow.some(meets)) && !deny.some(meets) ? 1 : 0;
  });
}

// Node probabilities as they are when only some labels can be.
//
// The weights of labels that aren't allowed are left out, the others made one, and summed up the ontology again.
export class Restriction {
  private readonly weights: LabelWeights;

  constructor(labels: readonly string[], nodes: readonly string[], ontology: Ontology, private readonly allowedC: Uint8Array) {
    if (!allowedC.some(Boolean)) throw new ConfigError("none of the labels is allowed; at least one is needed.");
    this.weights = new LabelWeights(labels, nodes, ontology);
  }

  // The probabilities among the allowed labels; all zero for a cell whose allowed labels have less than LEAST together.
  apply(probabilitiesNm: Matrix): Matrix {
    const weightNc = this.weights.of(probabilitiesNm), { data, width } = weightNc;
    for (let i = 0; i < heightOf(weightNc); i += 1) {
      let total = 0;
      for (let c = 0; c < width; c += 1) total += data[i * width + c] *= this.allowedC[c];
      total = Math.fround(total);
      const share = total >= Math.fround(LEAST) ? Math.fround(1 / total) : 0;
      for (let c = 0; c < width; c += 1) data[i * width + c] *= share;
    }
    return this.weights.summed(weightNc);
  }
}

// The types that answers are kept to.
export class Allowed {
  private kept: Restriction | null | undefined;
  private taking: Relatives | null | undefined;

  constructor(
    readonly bundle: Bundle,
    // Terms at or below which an answer must be, sorted; all are allowed if there are none.
    readonly allow: string[],
    // Terms at or below which no answer may be, sorted.
    readonly deny: string[],
    // Name of the tissue, by which types of other tissues are out.
    readonly tissue: string | null,
    // Which of the bundle's labels are left.
    readonly allowedC: Uint8Array,
    // Sentences about terms that the model doesn't know.
    readonly notes: string[] = [],
  ) {}

  // What keeps node probabilities to the types that are listed; null where none are.
  get restrict(): Restriction | null {
    if (this.kept === undefined) {
      const { allow, deny } = this, { labels } = this.bundle.manifest, ontology = loadOntology();
      const leftC = allow.length ? this.allowedC : labelsWithin(labels, ontology, { deny });
      this.kept = allow.length || deny.length ? new Restriction(labels, this.bundle.nodes, ontology, leftC) : null;
    }
    return this.kept;
  }

  // What gives the weight of other tissues' types to relatives; null where no tissue is told, or any can be.
  get relatives(): Relatives | null {
    if (this.taking === undefined) {
      const { nodes, labelWeights } = this.bundle, ontology = loadOntology();
      // a relative need not be below what is allowed
      const isFree = this.allow.length > 0 || this.tissue === null || this.tissue === ANY;
      this.taking = isFree ? null : new Relatives(labelWeights, nodes, ontology, possibleLabels(nodes, findTissue(this.tissue!), ontology));
    }
    return this.taking;
  }

  get labelsLeft(): number {
    return this.allowedC.reduce((sum, is) => sum + is, 0);
  }

  // What was asked for, and how many labels it leaves, as plain values.
  record(): { allow: string[]; deny: string[]; tissue: string | null; labels: number } {
    return { allow: this.allow, deny: this.deny, tissue: this.tissue, labels: this.labelsLeft };
  }

  // The same in a sentence.
  describe(): string {
    const parts: string[] = [];
    if (this.tissue !== null) parts.push(this.tissue === ANY ? `in ${this.tissue} tissue` : `in ${this.tissue}`);
    if (this.allow.length) parts.push(`among ${namesOf(this.allow)}`);
    if (this.deny.length) parts.push(`not ${namesOf(this.deny)}`);
    return `${comma(this.labelsLeft)} of the ${comma(this.allowedC.length)} types that the model knows: ${parts.join("; ")}`;
  }
}

export interface Asked {
  // Types by Cell Ontology id or name, as people write them: an answer is one of these types or a subtype of one.
  allow?: readonly string[] | string;
  // The same for types that an answer can't be; where both hold, a type is denied.
  deny?: readonly string[] | string;
  // Where the cells are from, in the words of `findTissue`: types of other tissues are denied. "any" denies none.
  tissue?: string | null;
}

// The types that answers are kept to; null where nothing is said of them. A denied type of which the model knows nothing
// is noted, and so is an allowed one beside others.
export function allowedTypes(bundle: Bundle, asked: Asked): Allowed | null {
  const said = { allow: listed(asked.allow ?? []), deny: listed(asked.deny ?? []), tissue: asked.tissue ?? null };
  if (!said.allow.length && !said.deny.length && said.tissue === null) return null;
  const ontology = loadOntology(), { labels } = bundle.manifest;
  if (!bundle.isOfThisOntology) {
    throw new ConfigError(
      `the bundle ${bundle.name} is of Cell Ontology ${bundle.manifest.ontologyVersion} and this release of ` +
        `Spoticell of ${ontology.version}, which may place its types elsewhere; leave out allow, deny and tissue, ` +
        "or export the bundle again.",
    );
  }
  const allow = termsOf(said.allow, bundle, ontology), deny = termsOf(said.deny, bundle, ontology);
  const notes = notesOn(allow, deny, bundle, ontology);
  const isAny = said.tissue !== null && strip(said.tissue).toLowerCase() === ANY;
  const place = said.tissue === null || isAny ? null : findTissue(said.tissue);
  const allowedC = labelsWithin(labels, ontology, { allow, deny });
  if (place !== null) possibleLabels(labels, place, ontology).forEach((is, c) => { if (!is) allowedC[c] = 0; });
  const allowed = new Allowed(bundle, allow, deny, isAny ? ANY : place?.name ?? null, allowedC, notes);
  if (!allowed.labelsLeft) throw new ConfigError(`no type is left to answer with: ${allowed.describe()}. Allow more, or deny less.`);
  return allowed;
}

// One word is taken for a list of one.
export const listed = (words: readonly string[] | string): string[] => (typeof words === "string" ? [words] : [...words]);

const termsOf = (words: string[], bundle: Bundle, ontology: Ontology): string[] =>
  [...new Set(words.map((word) => termOf(word, bundle, ontology)))].sort(compare);

function termOf(word: string, bundle: Bundle, ontology: Ontology): string {
  const term = readName(word);
  if (term !== null) return term;
  const close = closestNames(head(word, 100), bundle.nodes).map(repr).join(", ");
  throw new ConfigError(
    `${repr(head(word, 100))} ${unread(word)} in the Cell Ontology (${ontology.version})` +
      `${close ? `; near it are ${close}` : ""}. Give one such as CL:0000084 or 'T cell'; ` +
      "https://www.ebi.ac.uk/ols4/ontologies/cl lists them all.",
  );
}

const unread = (word: string): string => (meaningsOf(word).length ? "may mean several types" : "is no id, name or synonym of a type");

// Refuses where the model has no label of all that is allowed, and notes other terms of which it has none.
function notesOn(allow: string[], deny: string[], bundle: Bundle, ontology: Ontology): string[] {
  const nodes = new Set(bundle.nodes), strange = [...allow, ...deny].filter((term) => !nodes.has(term));
  if (allow.length && allow.every((term) => strange.includes(term))) {
    const above = bundle.nodes.filter((node) => ontology.ancestors(allow[0]).has(node));
    throw new ConfigError(
      `the model ${bundle.name} knows neither ${namesOf(allow)} nor a subtype, so nothing is left to answer with; ` +
        `the nearest type above that it knows is ${namesOf(above.slice(-1))}.`,
    );
  }
  return strange.map((term) => `the model ${bundle.name} knows neither ${namesOf([term])} nor a subtype.`);
}

const namesOf = (terms: string[]): string => terms.map((term) => `${loadOntology().name(term)} (${term})`).join(", ");
