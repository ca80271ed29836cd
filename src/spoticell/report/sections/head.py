"""The head of the page: how many cells have a type, the broad types as one bar, and five numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY
from spoticell.keys import UNKNOWN
from spoticell.report.sections.composition import Lineage, Part

NAMED_FROM = 0.02
"""Share of the cells from which on a broad type is named below the bar."""


@dataclass(frozen=True)
class Head:
    """What the page begins with."""

    total: int
    """Cells in all."""
    named: int
    """Cells that have a type."""
    types: int
    median: float | None
    """Of the scores of named cells; None where there are none."""
    genes_found: int
    genes_known: int
    parts: tuple[Part, ...]
    """All cells by broad type."""
    changed: int = 0
    """Cells that their neighbours gave another answer than each had alone."""
    cautions: tuple[str, ...] = ()
    """What to know before the answers are trusted, in sentences."""

    @property
    def unknown(self) -> int:
        """Cells without a type."""
        return self.total - self.named

    @property
    def main_parts(self) -> list[Part]:
        """The parts that are large enough to be named."""
        return [part for part in self.parts if part.cells >= NAMED_FROM * self.total]


def head(annotation: Annotation, lineages: Sequence[Lineage]) -> Head:
    """Count what the page begins with."""
    score_n = annotation.score_n[annotation.answer_n >= 0]
    match = annotation.findings.match
    unknown = len(annotation.answer_n) - len(score_n)
    parts = [Part(lineage.short, lineage.cells, lineage.color, lineage.name) for lineage in lineages]
    parts += [Part(UNKNOWN, unknown, GREY)] if unknown else []
    return Head(
        total=len(annotation.answer_n),
        named=len(score_n),
        types=sum(len(lineage.rows) for lineage in lineages),
        median=float(np.median(score_n)) if len(score_n) else None,
        genes_found=match.n_found,
        genes_known=len(match.measured_g),
        parts=tuple(parts),
        changed=annotation.changed,
        cautions=tuple(caution.text for caution in annotation.cautions),
    )
