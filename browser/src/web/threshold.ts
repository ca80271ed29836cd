// The answers of a run that is done, shown at another threshold without a new run.
//
// What the page asks for cell by cell is made anew: types, scores, summary. The files to keep stay as they are.
// Axes: n cells, k groups, m ontology nodes.

import { type Answers, answersAt, togetherOf } from "../annotation/decision.ts";
import { type Grouping, type Groups, GroupTally } from "../annotation/groups.ts";
import { Annotation } from "../annotation/result.ts";
import { zeros } from "../base/matrix.ts";
import { MISSING, withScores } from "./columns.ts";
import { Refusal } from "./refusal.ts";
import type { Results } from "./results.ts";
import { commonTypes, summarise, type Summary } from "./summary.ts";
import { typeNumbers } from "./type_numbers.ts";

const OLDER = "These results don’t hold what it takes to show them at another threshold. Run the job again.";

// Shows the answers at a threshold, and gives their summary; `told` is what it says otherwise than before that is no
// matter of the threshold.
export function showAt(results: Results, threshold: number, told: Partial<Summary> = {}): Summary {
  const annotation = answered(results, threshold), { summary: before, columns } = results.shown;
  const { allowed, tissues, saved_threshold, tissue, renamed } = before;
  const summary: Summary = { ...summarise(annotation), allowed, tissues, saved_threshold, tissue, renamed, ...told };
  summary.groups?.forEach((group, k) => { group.genes = before.groups![k].genes; });
  const { scoreN, doubtedN, singleN, singleScoreN } = annotation;
  Object.assign(results.shown, {
    typesN: typeNumbers(annotation), nodes: commonTypes(annotation), scoreN, doubtedN, singleN, singleScoreN, summary, columns: withScores(columns, scoreN),
  });
  // the mean pictures are of the types that were shown before
  results.means = null;
  return summary;
}

// The answers at a threshold with what the summary says of them.
function answered(results: Results, threshold: number): Annotation {
  const { left, shown } = results, { bundle, findings } = left, nMeasured = findings.match.nFound, n = left.nCountsN.length;
  if (shown.groundsAlone === null) throw new Refusal(409, OLDER);
  const single = answersAt(shown.groundsAlone.read(), threshold, { trust: bundle.manifest.trust, nMeasured });
  const together = shown.grounds?.length ? shown.grounds.read() : null;
  const found = together === null ? single : answersAt(together, threshold, { trust: togetherOf(bundle).trust, nMeasured });
  return new Annotation({
    findings,
    bundle,
    threshold,
    answerN: found.answerN,
    scoreN: found.scoreN,
    barredN: shown.barredN,
    doubtedN: found.doubtedN,
    secondN: new Int32Array(n).fill(-1),
    secondProbabilityN: new Float32Array(n),
    nCountsN: left.nCountsN,
    nGenesN: left.nGenesN,
    sampleS: new Int32Array(0),
    fingerprintSd: zeros(0, bundle.manifest.fingerprintSize),
    examples: [],
    cellNames: left.names,
    options: left.options,
    allowed: null,
    singleN: found === single ? null : single.answerN,
    singleScoreN: found === single ? null : single.scoreN,
    tissues: null,
    samples: left.samples,
    groups: groupsOf(results, found),
    programsNp: left.programsNp,
    mixed: left.mixed,
  });
}

// The group of each cell; null where the run was asked for none.
export function groupingOf({ left }: Results): Grouping | null {
  if (left.groupN === null) return null;
  return { column: String(left.options.groups), codeN: Int32Array.from(left.groupN, (code) => (code === MISSING ? -1 : code)), names: left.groupNames };
}

function groupsOf(results: Results, found: Answers): Groups | null {
  const grouping = groupingOf(results), { left, shown } = results;
  if (grouping === null || shown.groupSums === null) return null;
  const tally = new GroupTally(grouping, left.bundle, { emptyUpTo: left.findings.verdict.emptyUpTo, probabilityKm: shown.groupSums });
  tally.count(0, found.answerN, left.nCountsN, found.marginN);
  return tally.finish();
}
