// What becomes of the network's probabilities: which types are possible, the answer, and how far to trust it.
//
// Axes: n cells, c labels, m ontology nodes.

import { heightOf } from "../base/matrix.ts";
import type { Matrix } from "../base/matrix.ts";
import { ruleOf } from "../biology/answer_rule.ts";
import type { Standing } from "../biology/answer_rule.ts";
import { loadOntology } from "../biology/ontology.ts";
import type { Relatives } from "../biology/relatives.ts";
import type { Bundle } from "../model/bundle.ts";
import { Together } from "../model/calibration.ts";
import type { Trust } from "../model/calibration.ts";
import type { Prediction } from "../model/runtime.ts";
import type { Allowed } from "./allowed.ts";

// A threshold that no probability passes.
export const NEVER = 2;
// Of cells read together by a model that doesn't say: that of the packaged one, about.
export const POWER = 0.08;

// What the answers of n cells follow from at any threshold, see `answersAt`.
export interface Grounds {
  standing: Standing;
  // Counts of each cell in the bundle's genes; 0 where there is no cell to name.
  countsN: ArrayLike<number>;
  // How like the training cells the cells are; null where the bundle doesn't say.
  familiarityN: Float32Array | null;
}

// The answers of n cells at a threshold; as in `Decision`.
export interface Answers {
  answerN: Int32Array;
  scoreN: Float32Array;
  doubtedN: Uint8Array;
  marginN: Float32Array | null;
}

// Answers for n cells.
export interface Decision {
  // Position in the bundle's nodes; -1 is unknown.
  answerN: Int32Array;
  // Probability that the answer is right; 0 for unknown.
  scoreN: Float32Array;
  // Calibrated probability of each node; 0 for a cell without counts.
  probabilityNm: Matrix;
  // Which cells are unknown because their answer would have been too doubtful.
  doubtedN: Uint8Array;
  // Type that each cell would be if it weren't its answer; -1 for unknown, and where nothing else is likely.
  secondN: Int32Array;
  // Probability of that type; 0 where there is none.
  secondProbabilityN: Float32Array;
  // Calibrated weight of each label, of all tissues; null where single nodes are calibrated.
  weightNc: Matrix | null;
  // How far each cell is from being too strange to be named, below 0 if it is; null where the bundle doesn't say.
  marginN: Float32Array | null;
  // What these answers follow from, and those at other thresholds.
  grounds: Grounds;
}

// What a network says of cells that are read together with their neighbours.
export interface Said {
  // Weight of each label.
  weightNc: Matrix;
  // The neighbours' part in it, in [0, 1).
  heardN: ArrayLike<number>;
  // How like the training cells the cells are; null where the bundle doesn't say.
  familiarityN: Float32Array | null;
  // Known genes that are measured.
  nMeasured: number;
}

// Whether a bundle's cells can be read together: its probabilities are sums of labels' weights.
export const canReadTogether = (bundle: Bundle): boolean => bundle.isOfThisOntology && bundle.manifest.calibration === null;

// What calibrates cells that are read together.
export const togetherOf = ({ manifest }: Bundle): Together => manifest.together ?? new Together({ power: POWER, trust: manifest.trust });

// The answers of cells at a threshold: the same as a run with that threshold answers.
//
// `threshold` is the lowest probability at which a term is answered, in [0, 1]; `trust` what an answer is worth, null
// where the bundle doesn't say; `nMeasured` the known genes that are measured.
export function answersAt(grounds: Grounds, threshold: number, { trust, nMeasured }: { trust: Trust | null; nMeasured: number }): Answers {
  const { standing, countsN, familiarityN } = grounds;
  const [plainN, chanceN] = standing.answers(threshold);
  let answerN = plainN, scoreN = chanceN, marginN: Float32Array | null = null;
  if (trust !== null && familiarityN !== null) {
    // of all types, allowed or not: what a user knows of a cell makes it no stranger
    const leastN = trust.least(familiarityN, countsN, threshold).map((least) => Math.max(threshold, least));
    if (trust.stranger !== null && nMeasured && threshold > 0) {
      marginN = trust.stranger.margin(familiarityN, countsN, nMeasured);
      marginN.forEach((margin, i) => { if (margin < 0) leastN[i] = NEVER; });
    }
    const [sureN, probabilityN] = standing.answers(leastN);
    answerN = sureN;
    scoreN = trust.scores(probabilityN, familiarityN, countsN).map((score, i) => (sureN[i] >= 0 ? score : 0));
  }
  return { answerN, scoreN, doubtedN: Uint8Array.from(answerN, (answer, i) => (answer < 0 && plainN[i] >= 0 ? 1 : 0)), marginN };
}

export interface Deciding {
  // Lowest probability at which a term is answered, in [0, 1].
  threshold: number;
  // The types that an answer may be; any that the bundle knows if not given.
  allowed?: Allowed | null;
  // What gives the weight of types that the sample can't hold to others; none is taken if not given.
  relatives?: Relatives | null;
  // Whether to find what each cell would be if it weren't its answer.
  secondBest?: boolean;
}

// Answers for cells, each alone, by what the network says of them; `countsN` are each cell's counts in the bundle's genes,
// and a cell without any is unknown.
export function decide(
  prediction: Prediction,
  countsN: ArrayLike<number>,
  bundle: Bundle,
  { threshold, allowed = null, relatives = null, secondBest = true }: Deciding,
): Decision {
  const restrict = allowed?.restrict ?? null;
  const kept = (): Matrix => (restrict === null ? prediction.probabilitiesNm : restrict.apply(prediction.probabilitiesNm));
  let weightNc: Matrix | null = null, probabilityNm: Matrix;
  if (canReadTogether(bundle)) {
    weightNc = restrict === null ? prediction.weightNc : null;
    weightNc ??= bundle.labelWeights.of(kept());
    weightNc = bundle.manifest.softening?.apply(weightNc, countsN) ?? weightNc;
    // also where nothing was changed, so that the same weights always give the same probabilities
    probabilityNm = (relatives ?? bundle.labelWeights).summed(weightNc);
  } else {
    // a calibration of single nodes comes last, as they are no sums of labels after it
    probabilityNm = bundle.calibrated(relatives === null ? kept() : relatives.apply(kept()), countsN);
  }
  const { familiarityN, nMeasured } = prediction;
  return answered(probabilityNm, weightNc, { countsN, familiarityN, nMeasured }, bundle, { trust: bundle.manifest.trust, threshold, secondBest });
}

// Answers for cells that were read together with their neighbours; the rest is as for `decide`.
export function decideTogether(
  said: Said,
  countsN: ArrayLike<number>,
  bundle: Bundle,
  { threshold, relatives = null }: { threshold: number; relatives?: Relatives | null },
): Decision {
  const together = togetherOf(bundle), calibratedNc = together.apply(said.weightNc, said.heardN);
  const probabilityNm = (relatives ?? bundle.labelWeights).summed(calibratedNc);
  const { familiarityN, nMeasured } = said;
  return answered(probabilityNm, calibratedNc, { countsN, familiarityN, nMeasured }, bundle, { trust: together.trust, threshold, secondBest: true });
}

// The probability of each node, (n, m), and what answers follow from, from the weights of a `Decision`. With other
// relatives than those of the run they are those of a run in another tissue.
export function groundsOf(
  weightNc: Matrix,
  countsN: ArrayLike<number>,
  familiarityN: Float32Array | null,
  bundle: Bundle,
  relatives: Relatives | null,
): [Matrix, Grounds] {
  return grounded((relatives ?? bundle.labelWeights).summed(weightNc), countsN, familiarityN, bundle);
}

function grounded(probabilityNm: Matrix, countsN: ArrayLike<number>, familiarityN: Float32Array | null, bundle: Bundle): [Matrix, Grounds] {
  const { data, width } = probabilityNm;
  let known = probabilityNm;
  for (let i = 0; i < heightOf(probabilityNm); i += 1) {
    if (countsN[i] !== 0) continue;
    // what the network said stays as it is
    if (known === probabilityNm) known = { data: data.slice(), width };
    known.data.fill(0, i * width, (i + 1) * width);
  }
  return [known, { standing: ruleOf(bundle.nodes, loadOntology()).standing(known), countsN, familiarityN }];
}

function answered(
  saidNm: Matrix,
  weightNc: Matrix | null,
  { countsN, familiarityN, nMeasured }: { countsN: ArrayLike<number>; familiarityN: Float32Array | null; nMeasured: number },
  bundle: Bundle,
  { trust, threshold, secondBest }: { trust: Trust | null; threshold: number; secondBest: boolean },
): Decision {
  const [probabilityNm, grounds] = grounded(saidNm, countsN, familiarityN, bundle);
  const rule = ruleOf(bundle.nodes, loadOntology());
  const answers = answersAt(grounds, threshold, { trust, nMeasured });
  const askedN = secondBest ? answers.answerN : new Int32Array(answers.answerN.length).fill(-1);
  const [secondN, secondProbabilityN] = rule.secondBest(probabilityNm, askedN);
  return { ...answers, probabilityNm, secondN, secondProbabilityN, weightNc, grounds };
}
