// The genes that speak for the commonest types, asked of the surest cell of each.

import type { Annotation, Example } from "../../annotation/result.ts";
import { argsort } from "../../base/arrays.ts";
import { cached } from "../../base/packaged.ts";
import { Csr } from "../../base/csr.ts";
import { throughWeights } from "../../model/reasons.ts";

// Types, the commonest, and genes of each.
const SHOWN = 10, NAMED = 10;

// Null where the model brings no weights to ask.
export function reasons(examples: Example[], annotation: Annotation) {
  const { bundle, nodes, names, colors } = annotation;
  const way = examples.length ? cached(`way through ${bundle.path}`, () => throughWeights(bundle)) : null;
  if (way === null) return null;
  return examples.slice(0, SHOWN).map(({ answer, countsG }) => {
    const { contributionNg: { data, indices }, probabilityN } = way.of(Csr.dense([countsG], countsG.length), answer);
    const loudest = [...argsort(data.map((one) => -one))].slice(0, NAMED).filter((e) => data[e] > 0);
    return {
      term: nodes[answer], cell_type: names[answer], color: colors.of(nodes[answer]), probability: probabilityN[0],
      genes: loudest.map((e) => bundle.vocabulary.symbols[indices[e]]),
    };
  });
}
