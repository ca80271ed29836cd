// How likely each tissue is for a sample, by the types that its cells look like.
//
// Each type of some tissues speaks for these and against all others, more so the fewer they are. Types of no tissue in
// particular speak for none, but against blood if it can't hold them. The cells of a sample aren't independent, since a
// network that mistakes one mistakes its like: all together count as a few.
// Axes: m ontology nodes, t tissues.

import { argmax, argsort, sum } from "../base/arrays.ts";
import { cached } from "../base/packaged.ts";
import { fixed } from "../base/words.ts";
import { loadOntology } from "../biology/ontology.ts";
import { findTissue, possibleLabels, tissueNames, tissuesOf } from "../biology/tissues.ts";

// Independent cells that a sample counts as, chance of a type that a tissue lacks beside one that it alone has, and of a
// tissue that doesn't show itself. They are the likeliest for the data sets for training.
export const CELLS = 5, FOREIGN = 0.1, HIDDEN = 0.001;
// A tissue shows itself by so many types of its own with such a share of the sample each and together, or by one that is
// half of it.
export const SEEN = 0.01, FIRST = 2, FIRST_SHARE = 0.02, ALONE = 0.5;
export const BLOOD = "blood";
// Chance from which a tissue is named.
export const LEAST = 0.01;

interface Table {
  // Which tissues have which types of some tissues.
  ownTm: Uint8Array[];
  // How much these tell.
  tellingM: Float64Array;
  // Which others blood can't hold.
  strangeM: Uint8Array;
}

// How likely a sample of one tissue is from each, the likeliest first; unlikely ones are left out. `meanM` is the share of
// the sample that is of each node's own type.
export function tissueChances(meanM: Float64Array, nodes: readonly string[]): Map<string, number> {
  const { ownTm, tellingM, strangeM } = tableOf(nodes), names = tissueNames();
  const seenM = meanM.map((mean) => (mean >= SEEN ? mean : 0)), blood = names.indexOf(BLOOD);
  const forT = Float64Array.from(ownTm, (ownM, t) => {
    let says = 0, share = 0, types = 0;
    for (let m = 0; m < seenM.length; m += 1) {
      if (tellingM[m] > 0) says += (ownM[m] ? Math.log(tellingM[m]) : Math.log(FOREIGN)) * seenM[m];
      if (!ownM[m] || !(seenM[m] > 0)) continue;
      share += seenM[m];
      types += 1;
    }
    // blood has next to no types of its own to show itself by
    const shows = t === blood || share >= ALONE || (share >= FIRST_SHARE && types >= FIRST);
    return CELLS * says + (shows ? 0 : Math.log(HIDDEN));
  });
  forT[blood] += CELLS * Math.log(FOREIGN) * sum(seenM.filter((_, m) => strangeM[m]));
  const most = forT[argmax(forT)], likeT = forT.map((said) => Math.exp(said - most)), total = sum(likeT);
  const chanceT = likeT.map((like) => like / total);
  const order = Array.from(argsort(chanceT.map((chance) => -chance))).filter((t) => chanceT[t] >= LEAST);
  return new Map(order.map((t) => [names[t], Number(fixed(chanceT[t], 4))]));
}

const tableOf = (nodes: readonly string[]): Table =>
  cached(`tissue chances ${nodes.join(" ")}`, () => {
    const ontology = loadOntology(), placesM = tissuesOf(nodes, ontology), inBloodM = possibleLabels(nodes, findTissue(BLOOD), ontology);
    return {
      ownTm: tissueNames().map((name) => Uint8Array.from(placesM, (places) => (places?.has(name) ? 1 : 0))),
      tellingM: Float64Array.from(placesM, (places) => (places?.size ? 1 / places.size : 0)),
      strangeM: Uint8Array.from(placesM, (places, m) => (places === null && !inBloodM[m] ? 1 : 0)),
    };
  });
