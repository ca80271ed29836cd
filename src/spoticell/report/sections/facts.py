"""What was found in the file, and how to do the same again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spoticell.annotation.matches import Matches
from spoticell.annotation.result import Annotation
from spoticell.biology.counts import Kind
from spoticell.biology.genes import GeneMatch
from spoticell.io.findings import Findings
from spoticell.model.manifest import Manifest
from spoticell.version import __version__

VALUES = {
    Kind.COUNTS: "Raw counts",
    Kind.NEAR_COUNTS: "Counts with fractions, as ambient-RNA correction and some aligners make them",
    Kind.NORMALISED: "Normalised counts, without a logarithm",
    Kind.LOG1P: "Natural logarithms of normalised counts. The logarithm was undone",
    Kind.LOG2: "Logarithms to base 2 of normalised counts. The logarithm was undone",
    Kind.LOG10: "Logarithms to base 10 of normalised counts. The logarithm was undone",
    Kind.PER_LENGTH: "Proportions divided by gene length. How many counts a cell has was estimated from its genes",
    Kind.SQRT: "Square roots of counts. They were squared",
    Kind.ASINH: "Inverse hyperbolic sines of normalised counts. They were undone",
    Kind.FREEMAN_TUKEY: "Freeman-Tukey square roots of counts. They were undone",
    Kind.LOG1P_TWICE: "Normalised counts whose logarithm was taken twice. Both were undone",
}


@dataclass(frozen=True)
class TypicalCell:
    """Medians over the cells that have a count."""

    counts: float
    genes: float
    scaled: bool
    """Whether the counts were made of values that all sum to the same."""


@dataclass(frozen=True)
class Found:
    """What was found in the input and what was used of it."""

    findings: Findings
    values: str
    """What the values of the matrix are."""
    names: str
    """What the names of its genes are, with a capital letter."""
    remarks: tuple[tuple[int, str], ...]
    """How many gene names there is something to say of, and what."""
    typical: TypicalCell | None
    """None where no cell has a count in a known gene."""
    empty: int
    """Cells without a count in a known gene."""


@dataclass(frozen=True)
class Repeat:
    """The command, and what it ran with."""

    command: str
    model: str
    sha256: str
    """Of the model."""
    manifest: Manifest
    threshold: float
    allowed: str | None
    """The types that answers were kept to, in words; None where these were all."""
    tissues: str | None
    """The tissues that the cells show, in a sentence; None where the tissue was told."""
    index: Matches | None
    """What was matched with, if anything."""
    version: str = __version__


def found(annotation: Annotation) -> Found:
    """Gather what was found in the input."""
    filled_n = annotation.n_counts_n > 0
    kind = annotation.findings.verdict.kind
    return Found(
        findings=annotation.findings,
        values=VALUES.get(kind, str(kind)),
        names=annotation.findings.match.kind[:1].upper() + annotation.findings.match.kind[1:],
        remarks=tuple(_remarks(annotation.findings.match)),
        typical=_typical(annotation) if filled_n.any() else None,
        empty=int((~filled_n).sum()),
    )


def repeat(annotation: Annotation, command: str) -> Repeat:
    """Gather what repeats the run."""
    return Repeat(
        command=command,
        model=annotation.bundle.name,
        sha256=annotation.bundle.sha256,
        manifest=annotation.bundle.manifest,
        threshold=annotation.threshold,
        allowed=None if annotation.allowed is None else annotation.allowed.describe(),
        tissues=None if annotation.tissues is None else annotation.tissues.describe(),
        index=annotation.matches,
    )


def _remarks(match: GeneMatch) -> list[tuple[int, str]]:
    remarks = {
        "repaired (version, prefix or case)": match.n_repaired,
        "found by an older name": match.n_renamed,
        "ambiguous and left out": match.n_ambiguous,
        "repeated (counts added up)": match.n_repeated,
        "not known to the model": match.n_unmatched - match.n_ambiguous,
    }
    return [(names, what) for what, names in remarks.items() if names > 0]


def _typical(annotation: Annotation) -> TypicalCell:
    filled_n = annotation.n_counts_n > 0
    return TypicalCell(
        counts=float(np.median(annotation.n_counts_n[filled_n])),
        genes=float(np.median(annotation.n_genes_n[filled_n])),
        scaled=annotation.findings.verdict.recovers != "counts",
    )
