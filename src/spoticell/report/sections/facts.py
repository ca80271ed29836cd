"""What was found in the file, and how to do the same again, in words."""

from __future__ import annotations

import numpy as np

from spoticell.annotation.result import Annotation
from spoticell.biology.counts import Kind
from spoticell.biology.genes import GeneMatch
from spoticell.report.html import Content, Markup, join, named, share, tag
from spoticell.version import __version__

VALUES = {
    Kind.COUNTS: "Raw counts",
    Kind.NEAR_COUNTS: "Counts with fractions, as ambient-RNA correction and some aligners leave them",
    Kind.NORMALISED: "Normalised counts, not logarithmic",
    Kind.LOG1P: "Normalised counts on a natural logarithmic scale, which was undone",
    Kind.LOG2: "Normalised counts on a scale of log2, which was undone",
    Kind.LOG10: "Normalised counts on a scale of log10, which was undone",
    Kind.SQRT: "Square roots of counts, which were squared",
    Kind.LOG1P_TWICE: "Normalised counts whose logarithm was taken twice, which was undone",
}

CITE = "Spoticell: Cell Ontology types for human single-cell RNA counts"


def found(annotation: Annotation) -> Markup:
    """Say what was found in the input and what was used of it."""
    findings, match = annotation.findings, annotation.findings.match
    verdict = findings.verdict
    values = join([VALUES.get(verdict.kind, str(verdict.kind)), ". ", tag("small", verdict.evidence)])
    facts: list[tuple[str, Content]] = [
        ("File", join([f"{findings.format}, {findings.n_cells:,} cells, {findings.n_genes:,} genes"])),
        ("Matrix used", named(findings.matrix)),
        ("Its values", values),
        ("Gene names", join([_where(match), tag("small", _repairs(match))])),
        ("Known genes", _coverage(match)),
        ("A typical cell", _typical(annotation)),
    ]
    if findings.warnings:
        facts.append(("Notes", tag("ul", *(tag("li", note) for note in findings.warnings), class_="plain")))
    if findings.tried:
        passed = (tag("li", named(matrix), f": {reason}") for matrix, reason in findings.tried)
        facts.append(("Passed over", tag("ul", *passed, class_="plain")))
    return _list(facts)


def repeat(annotation: Annotation, command: str) -> Markup:
    """Give the command, the model, and how to cite."""
    bundle, manifest = annotation.bundle, annotation.bundle.manifest
    model: list[tuple[str, Content]] = [
        ("Model", join([tag("b", bundle.name), f", {manifest.date}. ", manifest.description])),
        ("Knows", f"{len(manifest.labels):,} types and {manifest.n_genes:,} genes"),
        ("Ontology", f"Cell Ontology {manifest.ontology_version}"),
        ("Threshold", f"{annotation.threshold:.2f}"),
        *_allowed(annotation),
        ("sha256", tag("code", bundle.sha256)),
        *_index(annotation),
        ("Its licence", manifest.licence),
        ("Program", f"Spoticell {__version__}, MIT licence"),
        ("To cite", tag("span", tag("i", CITE), f", version {__version__}, with the model {bundle.name}.")),
    ]
    return join([tag("pre", tag("code", command), tabindex="0"), _list(model)])


def _allowed(annotation: Annotation) -> list[tuple[str, Content]]:
    return [] if annotation.allowed is None else [("Answers are kept to", annotation.allowed.describe())]


def _index(annotation: Annotation) -> list[tuple[str, Content]]:
    matches = annotation.matches
    if matches is None:
        return []
    size = f", {matches.n_references:,} cells, sha256 "
    return [("Index", join([tag("b", named(matches.name)), size, tag("code", matches.sha256)]))]


def _list(facts: list[tuple[str, Content]]) -> Markup:
    return tag("dl", *(tag("div", tag("dt", word), tag("dd", value)) for word, value in facts), class_="facts")


def _coverage(match: GeneMatch) -> Markup:
    known = len(match.measured_g)
    bar = tag("i", tag("b", style=f"width:{100 * match.coverage:.2f}%"), class_="bar", aria_hidden="true")
    return join([f"{match.n_found:,} of the {known:,} that the model knows ({share(match.n_found, known)})", bar])


def _where(match: GeneMatch) -> Markup:
    column: Content = "index" if match.column == "index" else join(["column ", named(match.column)])
    return join([match.kind[0].upper(), match.kind[1:], " in the ", column, ". "])


def _repairs(match: GeneMatch) -> str:
    remarks = {
        "repaired (versions, prefixes, case)": match.n_repaired,
        "known by an older name": match.n_renamed,
        "ambiguous and left out": match.n_ambiguous,
        "repeats, whose counts were added up": match.n_repeated,
        "not known to the model": match.n_unmatched - match.n_ambiguous,
    }
    words = [f"{n:,} {what}" for what, n in remarks.items() if n > 0]
    return f"Of {len(match.target_v):,} names: {', '.join(words)}." if words else "All are known as they are."


def _typical(annotation: Annotation) -> str:
    filled = annotation.n_counts_n > 0
    if not filled.any():
        return "No cell has a count in a known gene."
    counts, genes = np.median(annotation.n_counts_n[filled]), np.median(annotation.n_genes_n[filled])
    unit = "counts" if annotation.findings.verdict.recovers == "counts" else "counts, all cells scaled to the same sum,"
    empty = int((~filled).sum())
    rest = f"; {empty:,} cells have none" if empty else ""
    return f"{counts:,.0f} {unit} in {genes:,.0f} known genes (medians){rest}"
