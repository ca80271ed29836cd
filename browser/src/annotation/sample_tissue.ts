// From which tissues a sample is, by the types that its cells look like; and which types it therefore can't hold.
//
// A cell alone can't tell: to a network that knows the pericytes of the kidney but not those of the heart, these look like
// those. A sample can, since a tissue shows itself by several types of its own.
// Axes: n cells of the sample, c labels, t tissues.

import { argmax } from "../base/arrays.ts";
import { heightOf } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { compare } from "../base/text.ts";
import { fixed, percent } from "../base/words.ts";
import type { Ontology } from "../biology/ontology.ts";
import { tissuesOf } from "../biology/tissues.ts";
import { tissueChances } from "./tissue_chances.ts";

// Share of the sample that a type needs to speak for a tissue.
export const SEEN = 0.01;
// Share of the sample from which one type speaks for a tissue alone.
export const ALONE = 0.5;
// Types of its own that a tissue shows itself by; another one beside it needs more, as they may be mistaken for its.
export const FIRST = 2, OTHER = 4;
// Share of the sample that those types have together, for the first tissue and for another.
export const FIRST_SHARE = 0.02, OTHER_SHARE = 0.2;
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
    // Which nodes the sample can hold: those of its tissues, and those that are specific to none.
    readonly possibleM: Uint8Array,
    // Whether no tissue shows itself and nearly all cells are blood cells.
    readonly blood = false,
    // How likely the sample is from each tissue, largest first; empty where that isn't known.
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
  const tissues = [...new Set(placesM.flatMap((places) => [...(places ?? [])]))].filter((name) => name !== BLOOD).sort(compare);
  const ownTm = tissues.map((tissue) => own(placesM, tissue));
  const possibleM = own(placesM, null), inBloodM = own(placesM, BLOOD);
  const shares = new Map<string, number>();
  while (tissues.length) {
    const shareT = new Float64Array(tissues.length), saysT = new Float64Array(tissues.length), typesT = new Int32Array(tissues.length);
    ownTm.forEach((ownM, t) => {
      for (let m = 0; m < nodes.length; m += 1) {
        if (!ownM[m] || possibleM[m] || inBloodM[m]) continue;
        shareT[t] += meanM[m];
        // a type of one tissue says more than one of several
        saysT[t] += meanM[m] / placesM[m]!.size;
        if (meanM[m] >= SEEN) typesT[t] += 1;
      }
    });
    const best = argmax(shareT.map((share, t) => share + saysT[t]));
    const [least, few] = shares.size ? [OTHER_SHARE, OTHER] : [FIRST_SHARE, FIRST];
    if (shareT[best] < least || (typesT[best] < few && (shares.size || shareT[best] < ALONE))) break;
    shares.set(tissues[best], Number(fixed(shareT[best], 4)));
    ownTm[best].forEach((is, m) => { if (is) possibleM[m] = 1; });
  }
  let ofBlood = 0;
  nodes.forEach((node, m) => { if (meanM[m] && ontology.ancestors(node).has(BLOOD_CELL)) ofBlood += meanM[m]; });
  const chances = heightOf(weightNc) ? tissueChances(meanM, nodes, [...shares.keys()]) : new Map<string, number>();
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

// Share of the sample that is of each node's own type.
function meanOf({ data, width }: Matrix, labelC: ArrayLike<number>, m: number): Float64Array {
  const meanM = new Float64Array(m), n = width ? data.length / width : 0;
  for (let e = 0; e < data.length; e += 1) meanM[labelC[e % width]] += data[e];
  return n ? meanM.map((sum) => sum / n) : meanM;
}

// Which nodes a sample can hold that shows some tissues, or none.
function possible(placesM: Places, shares: string[]): Uint8Array {
  const ownTm = (shares.length ? shares : [BLOOD]).map((tissue) => own(placesM, tissue));
  return own(placesM, null).map((is, m) => (is || ownTm.some((ownM) => ownM[m]) ? 1 : 0));
}

// Which nodes are specific to some tissues, this one among them; with null, which are specific to none.
function own(placesM: Places, tissue: string | null): Uint8Array {
  return Uint8Array.from(placesM, (places) => ((tissue === null ? places === null : places?.has(tissue)) ? 1 : 0));
}
