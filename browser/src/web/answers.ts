// All that is said of an upload as plain values, to be compared with what Python says: see scripts/conformance.py.

import { SpoticellError } from "../base/errors.ts";
import { annotateSource, lookAt } from "../annotation/pipeline.ts";
import type { Annotation } from "../annotation/result.ts";
import type { Upload } from "../io/bytes.ts";
import { openCells } from "../io/open.ts";
import { UNKNOWN } from "../keys.ts";
import { optionsOf, type Settings } from "./task.ts";

// Rows of a table that are compared.
const MOST_ROWS = 200;

export async function answersOf(upload: Upload, settings: Partial<Settings>): Promise<Record<string, unknown>> {
  try {
    const options = optionsOf(settings), source = openCells(upload), findings = lookAt(source, options);
    const told = { findings: findings.toDict(), lines: findings.describe() };
    return { ...told, ...answers(await annotateSource(source, options, [], { findings })) };
  } catch (error) {
    if (error instanceof SpoticellError) return { refused: error.message, kind: error.name };
    throw error;
  }
}

function answers(annotation: Annotation): Record<string, unknown> {
  const { answerN, nodes, scoreN, secondN, secondProbabilityN, reasonN, cautions, groups, samples, differences } = annotation;
  const terms = (nodeN: Int32Array) => Array.from(nodeN, (node) => (node < 0 ? UNKNOWN : nodes[node]));
  return {
    types: terms(answerN), scores: Array.from(scoreN), second: terms(secondN), second_probabilities: Array.from(secondProbabilityN),
    reasons: Array.from(reasonN), cautions: cautions.map(({ text }) => text),
    groups: groups?.table ?? null, composition: samples === null ? null : annotation.bySample.table().slice(0, MOST_ROWS), differences: differences?.table ?? null,
  };
}
