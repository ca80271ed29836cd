// From which tissues a sample is, by the types that its cells look like; and which types it therefore can't hold.
//
// A cell alone can't tell: to a network that knows the pericytes of the kidney but not those of the heart, these look like
// those. A sample can, since a tissue shows itself by several types of its own.
// Axes: n cells of the sample, c labels, t tissues.

import { argmax, sum } from "../base/arrays.ts";
import { heightOf } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { compare } from "../base/text.ts";
import { fixed, percent } from "../base/words.ts";
import type { Ontology } from "../biology/ontology.ts";
import { loadCommonForms, tissuesOf } from "../biology/tissues.ts";
import { tissueChances } from "./tissue_chances.ts";

// Share of the sample that a type needs to speak for a tissue.
export const SEEN = 0.01;
// Share of the sample from which one type speaks for a tissue alone.
export const ALONE = 0.5;
// Types of its own that the first tissue shows itself by, and the share of the sample that they have together.
export const FIRST = 2, FIRST_SHARE = 0.02;
// A further tissue shows itself by so many cells, and `SEEN` of the sample, with such a weight for a telling type.
export const SURE = 0.7, OTHER = 5;
// No sentence is surer of a tissue.
export const SUREST = 0.99;
// Cells of a sample, chosen at random, that its tissues are found by.
export const FEW = 512;
// Comes along with all tissues; types specific to it and some tissues are possible where none shows itself.
export const BLOOD = "blood";
// What all cells of blood are, and the share of a sample from which it looks like blood.
export const BLOOD_CELL = "CL:0000988", MOSTLY = 0.9;

type Places = (ReadonlySet<string> | null)[];

// The tissues that a sample shows.
export class SampleTissues {
  constructor(
    // Of each tissue the share of the sample that is of its own types, largest first; empty if none shows itself.
    readonly shares: ReadonlyMap<string, number>,
    // Which nodes the sample can hold: those of its tissue, and those that are specific to none; all, if it shows several
    // tissues.
    readonly possibleM: Uint8Array,
    // Whether no tissue shows itself and nearly all cells are blood cells.
    readonly blood = false,
    // How likely the sample is from each tissue, largest first; empty where that isn't known, as it isn't of a mixture.
    readonly chances: ReadonlyMap<string, number> = new Map(),
  ) {}

  // What the cells look like, without a full stop.
  looks(): string {
    if (this.shares.size) {
      const shown = [...this.shares].map(([name, share]) => `${name} (${this.likely(name, ", ")}${percent(share)} are of its own types)`);
      return `The cells look like those of ${shown.join(" and ")}`;
    }
    if (this.blood) return `The cells look like blood${this.likely(BLOOD)}, or blood cells of another tissue`;
    return "The cells show no tissue by types of its own";
  }

  // The same, and what follows from it, in a sentence.
  describe(): string {
    if (this.shares.size > 1) return `${this.looks()}, so types of all tissues were possible.`;
    const barred = this.shares.size ? "other tissues" : "single tissues";
    return `${this.looks()}, so types of ${barred} were no answer.`;
  }

  private likely(name: string, after = ""): string {
    const chance = this.chances.get(name);
    if (chance === undefined) return "";
    const said = `probability ${fixed(Math.min(chance, SUREST), 2)}`;
    return after ? `${said}${after}` : ` (${said})`;
  }
}

// The tissues of a sample, from the weight of each label for some of its cells, rows of one; `labelC` is the position of
// each label among the nodes.
export function showTissues(weightNc: Matrix, labelC: ArrayLike<number>, nodes: readonly string[], ontology: Ontology): SampleTissues {
  const placesM = tissuesOf(nodes, ontology), meanM = meanOf(weightNc, labelC, nodes.length);
  const sureM = sureOf(weightNc, labelC, nodes.length), least = Math.max(OTHER, SEEN * heightOf(weightNc));
  const tellingM = sureM.map((cells) => (cells >= least ? cells : 0)), shares = new Map<string, number>();
  for (let found = first(meanM, placesM); found !== null; found = further(tellingM, nodes, placesM, ofSome(placesM, [...shares.keys()]), ontology)) {
    const openM = own(placesM, found), hadM = ofSome(placesM, [...shares.keys()]);
    shares.set(found, Number(fixed(sum(meanM.filter((_, m) => openM[m] && !hadM[m])), 4)));
  }
  let ofBlood = 0;
  nodes.forEach((node, m) => { if (meanM[m] && ontology.ancestors(node).has(BLOOD_CELL)) ofBlood += meanM[m]; });
  const chances = heightOf(weightNc) && shares.size < 2 ? tissueChances(meanM, nodes) : new Map<string, number>();
  return new SampleTissues(shares, possible(placesM, [...shares.keys()]), !shares.size && ofBlood >= MOSTLY, chances);
}

// The tissues of a sample as they were found, by what is written of them.
export function ofTissues(
  shares: ReadonlyMap<string, number>,
  nodes: readonly string[],
  ontology: Ontology,
  { blood, chances = new Map() }: { blood: boolean; chances?: ReadonlyMap<string, number> },
): SampleTissues {
  return new SampleTissues(shares, possible(tissuesOf(nodes, ontology), [...shares.keys()]), blood, chances);
}

// The tissue that types of its own have most of the sample's weight for, if it is enough.
function first(meanM: Float64Array, placesM: Places): string | null {
  const tissues = [...new Set(placesM.flatMap((places) => [...(places ?? [])]))].filter((name) => name !== BLOOD).sort(compare);
  if (!tissues.length) return null;
  const ownTm = tissues.map((tissue) => own(placesM, tissue).map((is, m) => (is && !placesM[m]!.has(BLOOD) ? 1 : 0)));
  // a type of one tissue says more than one of several
  const saysT = Float64Array.from(ownTm, (ownM) => sum(meanM.map((mean, m) => (ownM[m] ? mean * (1 + 1 / placesM[m]!.size) : 0))));
  const best = argmax(saysT), seenM = meanM.filter((_, m) => ownTm[best][m]), share = sum(seenM);
  const shows = share >= ALONE || (share >= FIRST_SHARE && seenM.filter((mean) => mean >= SEEN).length >= FIRST);
  return shows ? tissues[best] : null;
}

// The tissue beside those shown that most cells are surely of a telling type of, if there is one.
//
// No telling type is one that all organs have in a form of their own, nor a form of a type that the tissues shown have: a
// network that doesn't know a laboratory's takes it for that of another organ.
function further(sureM: Float64Array, nodes: readonly string[], placesM: Places, possibleM: Uint8Array, ontology: Ontology): string | null {
  const shown = new Set(nodes.filter((_, m) => placesM[m]?.size && possibleM[m])), forms = loadCommonForms();
  const cells = new Map<string, number>();
  sureM.forEach((sure, m) => {
    const places = placesM[m];
    if (!sure || possibleM[m] || !places || places.has(BLOOD)) return;
    if ([...ontology.ancestors(nodes[m])].some((above) => shown.has(above) || forms.has(above))) return;
    for (const tissue of places) cells.set(tissue, (cells.get(tissue) ?? 0) + sure * (1 + 1 / places.size));
  });
  const tissues = [...cells.keys()].sort(compare);
  return tissues.length ? tissues[argmax(Float64Array.from(tissues, (tissue) => cells.get(tissue)!))] : null;
}

// Cells whose likeliest label is each node, and surely.
function sureOf({ data, width }: Matrix, labelC: ArrayLike<number>, m: number): Float64Array {
  const sureM = new Float64Array(m);
  for (let start = 0; start < data.length; start += width) {
    const best = argmax(data.subarray(start, start + width));
    if (data[start + best] >= SURE) sureM[labelC[best]] += 1;
  }
  return sureM;
}

// Share of the sample that is of each node's own type.
function meanOf({ data, width }: Matrix, labelC: ArrayLike<number>, m: number): Float64Array {
  const meanM = new Float64Array(m), n = width ? data.length / width : 0;
  for (let e = 0; e < data.length; e += 1) meanM[labelC[e % width]] += data[e];
  return n ? meanM.map((sum) => sum / n) : meanM;
}

// Which nodes a sample can hold that shows some tissues, or none.
function possible(placesM: Places, shares: string[]): Uint8Array {
  // a file of several organs may hold more than show themselves
  return shares.length > 1 ? new Uint8Array(placesM.length).fill(1) : ofSome(placesM, shares);
}

// Which nodes some tissues have, or blood has where there are none.
function ofSome(placesM: Places, shares: string[]): Uint8Array {
  const ownTm = (shares.length ? shares : [BLOOD]).map((tissue) => own(placesM, tissue));
  return own(placesM, null).map((is, m) => (is || ownTm.some((ownM) => ownM[m]) ? 1 : 0));
}

// Which nodes are specific to some tissues, this one among them; with null, which are specific to none.
function own(placesM: Places, tissue: string | null): Uint8Array {
  return Uint8Array.from(placesM, (places) => ((tissue === null ? places === null : places?.has(tissue)) ? 1 : 0));
}
