"""What is kept of the cells' counts: what a second look needs, and what a result shows of them.

It is worked out where the counts are: the rest of a run needs no counts, and may be another process.
Axes: ``n`` cells, ``g`` the model's genes, ``p`` programmes, ``k`` numbers of a sketch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

if TYPE_CHECKING:
    from spoticell.annotation.mixed import Marks
    from spoticell.annotation.result import FirstBlock

KEPT = 3
"""Surest cells of each type whose counts are kept, before it is known what the second look says of them."""


@dataclass(frozen=True)
class Kept:
    """What a second look needs of some consecutive cells, besides their answers."""

    voices: sparse.csr_array
    """The likeliest labels of each cell, see `together.likeliest`."""
    sketch_nk: NDArray[np.float32]
    key_n: NDArray[np.uint64]
    mixed: Marks | None = None


@dataclass(frozen=True)
class Sure:
    """A cell that is surely of a type."""

    position: int
    """In the source."""
    answer: int
    score: float
    counts_g: sparse.csr_array
    """Its counts, one row."""


@dataclass(frozen=True)
class Seen:
    """What a result shows of the counts of some consecutive cells."""

    programs_np: NDArray[np.bool_]
    """Which programmes each cell shows."""
    surest: tuple[Sure, ...] = ()
    """The surest of these cells, or of some blocks of which this is the last."""


class Surest:
    """The surest cells of each type among all that went by, first to last; of equally sure ones the first."""

    def __init__(self) -> None:
        self._of: dict[int, list[Sure]] = {}

    def see(self, block: FirstBlock) -> None:
        """Take in the next cells."""
        alone = block.alone
        for answer in np.unique(alone.answer_n[alone.answer_n >= 0]).tolist():
            score_n = np.where(alone.answer_n == answer, alone.score_n, -1)
            for row in np.argsort(-score_n, kind="stable")[:KEPT].tolist():
                score = float(score_n[row])
                if score >= 0 and self._is_surer(answer, score):
                    self._keep(Sure(alone.start + row, answer, score, block.counts_ng[[row]]))

    def take(self, others: Iterable[Sure]) -> None:
        """Take in the surest of the next cells."""
        for sure in others:
            if self._is_surer(sure.answer, sure.score):
                self._keep(sure)

    def all(self) -> tuple[Sure, ...]:
        """Give them all."""
        return tuple(sure for of_type in self._of.values() for sure in of_type)

    def _is_surer(self, answer: int, score: float) -> bool:
        kept = self._of.get(answer, [])
        return len(kept) < KEPT or score > kept[-1].score

    def _keep(self, sure: Sure) -> None:
        kept = self._of.setdefault(sure.answer, [])
        kept.append(sure)
        kept.sort(key=lambda one: (-one.score, one.position))
        del kept[KEPT:]
