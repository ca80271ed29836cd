// What was found in the file, and how to do the same again.

import type { Annotation } from "../../annotation/result.ts";
import { median } from "../../base/arrays.ts";
import type { GeneMatch } from "../../biology/genes.ts";
import { listed } from "../html.ts";

const VALUES: Record<string, string> = {
  "counts": "Raw counts",
  "fractional counts": "Counts with fractions, as ambient-RNA correction and some aligners make them",
  "normalised, not logged": "Normalised counts, without a logarithm",
  "natural log of 1 + normalised": "Natural logarithms of normalised counts. The logarithm was undone",
  "log2 of 1 + normalised": "Logarithms to base 2 of normalised counts. The logarithm was undone",
  "log10 of 1 + normalised": "Logarithms to base 10 of normalised counts. The logarithm was undone",
  "RPKM, FPKM or TPM": "Proportions divided by gene length. How many counts a cell has was estimated from its genes",
  "square root of counts": "Square roots of counts. They were squared",
  "inverse hyperbolic sine of normalised": "Inverse hyperbolic sines of normalised counts. They were undone",
  "Freeman-Tukey square roots of counts": "Freeman-Tukey square roots of counts. They were undone",
  "log1p taken twice": "Normalised counts whose logarithm was taken twice. Both were undone",
};

export function found(annotation: Annotation) {
  const { findings } = annotation, { match, verdict } = findings;
  const filled = annotation.nCountsN.filter((count) => count > 0);
  return {
    findings: {
      format: findings.format, n_cells: findings.nCells, n_genes: findings.nGenes, matrix: findings.matrix,
      verdict: { evidence: verdict.evidence },
      match: { measured_g: match.measuredG, column: match.column, target_v: match.targetV, n_found: match.nFound, coverage: match.coverage },
      warnings: listed([...findings.warnings]),
      tried: listed([...findings.tried]),
    },
    values: VALUES[verdict.kind] ?? verdict.kind,
    names: match.kind.slice(0, 1).toUpperCase() + match.kind.slice(1),
    remarks: listed(remarksOf(match)),
    typical: filled.length
      ? { counts: median(filled), genes: median(annotation.nGenesN.filter((_, n) => annotation.nCountsN[n] > 0)), scaled: verdict.recovers !== "counts" }
      : null,
    empty: annotation.nCountsN.length - filled.length,
  };
}

export function repeat(annotation: Annotation, command: string, version: string) {
  const { bundle } = annotation, { manifest } = bundle;
  return {
    command,
    model: bundle.name,
    sha256: bundle.sha256,
    manifest: { date: manifest.date, description: manifest.description, labels: manifest.labels, n_genes: manifest.nGenes, ontology_version: manifest.ontologyVersion, licence: manifest.licence },
    threshold: annotation.threshold,
    allowed: annotation.allowed === null ? null : annotation.allowed.describe(),
    tissues: annotation.tissues === null ? null : annotation.tissues.describe(),
    index: null,
    version,
  };
}

function remarksOf(match: GeneMatch): [number, string][] {
  const remarks: [number, string][] = [
    [match.nRepaired, "repaired (version, prefix or case)"],
    [match.nRenamed, "found by an older name"],
    [match.nAmbiguous, "ambiguous and left out"],
    [match.nRepeated, "repeated (counts added up)"],
    [match.nUnmatched - match.nAmbiguous, "not known to the model"],
  ];
  return remarks.filter(([names]) => names > 0);
}
