"""How sure the answers are: the histogram of scores, and why cells are unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spoticell.annotation.result import Annotation

BINS = 20

SURE = 0.9
"""Score from which on the page calls an answer sure."""


@dataclass(frozen=True)
class Bar:
    """The named cells within a range of scores."""

    low: float
    high: float
    cells: int


@dataclass(frozen=True)
class Scores:
    """How the scores of named cells are spread, and what became of the other cells."""

    total: int
    """Cells in all."""
    named: int
    sure: int
    """Named cells with a score of `SURE` at least."""
    median: float | None
    """None where no cell is named."""
    least: float
    """Score below which an answer isn't given."""
    bars: tuple[Bar, ...]
    reasons: dict[str, int]
    """Cells by the reason why they are unknown."""

    @property
    def unknown(self) -> int:
        """Cells without a type."""
        return self.total - self.named

    @property
    def tallest(self) -> int:
        """Cells of the highest bar, 1 at least."""
        return max(1, *(bar.cells for bar in self.bars))


def scores(annotation: Annotation) -> Scores:
    """Count cells by score, and unknown ones by reason."""
    score_n = annotation.score_n[annotation.answer_n >= 0]
    cells_b, edges_b = np.histogram(score_n, bins=BINS, range=(0, 1))
    low_b, high_b = edges_b[:-1].tolist(), edges_b[1:].tolist()
    return Scores(
        total=len(annotation.answer_n),
        named=len(score_n),
        sure=int((score_n >= SURE).sum()),
        median=float(np.median(score_n)) if len(score_n) else None,
        least=annotation.least_score,
        bars=tuple(Bar(*bar) for bar in zip(low_b, high_b, cells_b.tolist(), strict=True)),
        reasons=annotation.why_unknown(),
    )
