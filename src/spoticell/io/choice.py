"""Which of several matrices is used: the one that holds most, and of those that hold the same the exact one.

What a matrix is called only breaks ties: people store counts of the most variable genes, of half of the cells or of
nothing under the best of names.
"""

from __future__ import annotations

from dataclasses import dataclass

from spoticell.biology.counts import CountsVerdict, Kind

SAME = 0.98
"""Matrices whose numbers of values differ less than this hold the same."""
MUCH_FULLER = {"counts": 0.9, "proportions": 0.5}
"""A matrix of exact counts gives way to one from which this can be had if it holds less than this share of it."""
FILLED = 0.5
"""What was filled in has values in more than this share of cells and genes, and is no fuller for it."""


@dataclass(frozen=True)
class Candidate:
    """A matrix from which counts can be had."""

    matrix: str
    verdict: CountsVerdict
    n_values: int
    """Counts above zero in known genes, over all cells."""
    filled: float
    """The same as a share of all cells and known genes."""

    @property
    def exact(self) -> bool:
        """Whether its counts are those that were counted."""
        return self.verdict.exact and self.verdict.recovers == "counts"


def best_of(candidates: list[Candidate]) -> Candidate:
    """Choose a matrix; of equal ones the first.

    Parameters
    ----------
    candidates
        At least one, likeliest names first.
    """
    exact = [candidate for candidate in candidates if candidate.exact]
    inexact = [candidate for candidate in candidates if not candidate.exact]
    best = _fullest(exact) if exact else None
    fuller = [one for one in inexact if best is None or _much_fuller(one, best)]
    return best if best is not None and not fuller else _fullest(fuller)


def _much_fuller(inexact: Candidate, best: Candidate) -> bool:
    return inexact.filled < FILLED and best.n_values < MUCH_FULLER[inexact.verdict.recovers] * inexact.n_values


def why_not(other: Candidate, chosen: Candidate) -> str:
    """Say why a matrix that would serve isn't the one that is used."""
    if other.n_values < SAME * chosen.n_values:
        share = other.n_values / max(chosen.n_values, 1)
        empty = other.verdict.n_empty - chosen.verdict.n_empty
        cells = f", and {empty:,} of its cells are empty" if empty > 0 else ""
        return f"it holds {share:.0%} of the counts above zero that {chosen.matrix} holds{cells}."
    return other.verdict.evidence


def _fullest(candidates: list[Candidate]) -> Candidate:
    most = max(candidate.n_values for candidate in candidates)
    return min((one for one in candidates if one.n_values >= SAME * most), key=_plainness)


def _plainness(candidate: Candidate) -> int:
    kinds = (Kind.COUNTS, Kind.NEAR_COUNTS)
    return kinds.index(candidate.verdict.kind) if candidate.verdict.kind in kinds else len(kinds)
