"""Why the answer to a cell isn't sure, in one of a few sentences.

The first that holds is said; of a cell whose answer is likely, like the references and of one type, there is none.
That reference cells say another type is no reason: such answers are wrong no more often than their scores say.
Axis: ``n`` cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIKELY = 0.5
"""Score below which an answer is doubtful."""
SHALLOW = 200
"""Counts below which droplets are often empty."""
ENOUGH_GENES = 5000
"""Known genes from which few counts say that; on a panel whole cells have few."""

EMPTY = "no counts in known genes"
UNSURE = "no type passed the threshold"
BARRED = "next to nothing speaks for an allowed type"
DOUBTED = "too little speaks for any type that the model knows"
OF_UNKNOWN = (EMPTY, UNSURE, BARRED, DOUBTED)
"""Why a cell has no answer."""

UNLIKE = "unlike all reference cells"
MIXED = "looks like two cells"
FEW_COUNTS = "few counts"
BETWEEN = "between two types"
LOW = "low score"
REASONS = (*OF_UNKNOWN, UNLIKE, MIXED, FEW_COUNTS, BETWEEN, LOW)
"""All of them; those of unknown cells first."""


def reasons(
    *,
    answer_n: NDArray[np.integer],
    score_n: NDArray[np.floating],
    second_n: NDArray[np.integer],
    n_counts_n: NDArray[np.floating],
    barred_n: NDArray[np.bool_],
    doubted_n: NDArray[np.bool_],
    n_measured: int,
    novel_n: NDArray[np.bool_] | None = None,
    mixed_n: NDArray[np.bool_] | None = None,
) -> NDArray[np.int8]:
    """Give for each cell the place of its reason among `REASONS`, -1 where there is none.

    Parameters
    ----------
    answer_n, second_n
        Places of answer and second best type; -1 for none.
    score_n, n_counts_n
        Score, and counts in known genes.
    barred_n, doubted_n
        Which cells are unknown since their types aren't allowed, or since any answer would be too doubtful.
    n_measured
        Known genes that are measured.
    novel_n, mixed_n
        Which are like no reference cell, like two cells of different types; None if nobody looked.

    Examples
    --------
    >>> no_n = np.zeros(4, dtype=bool)
    >>> code_n = reasons(
    ...     answer_n=np.array([2, 2, 2, -1]),
    ...     score_n=np.array([0.9, 0.4, 0.4, 0]),
    ...     second_n=np.array([5, 5, -1, -1]),
    ...     n_counts_n=np.full(4, 1000.0),
    ...     barred_n=no_n,
    ...     doubted_n=no_n,
    ...     n_measured=12_000,
    ... )
    >>> [REASONS[code] if code >= 0 else "" for code in code_n.tolist()]
    ['', 'between two types', 'low score', 'no type passed the threshold']
    """
    nowhere_n, unknown_n, low_n = np.zeros(len(answer_n), dtype=np.bool_), answer_n < 0, score_n < LIKELY
    holds = {
        EMPTY: unknown_n & (n_counts_n == 0),
        BARRED: unknown_n & barred_n,
        DOUBTED: unknown_n & doubted_n,
        UNSURE: unknown_n,
        UNLIKE: nowhere_n if novel_n is None else novel_n,
        MIXED: nowhere_n if mixed_n is None else mixed_n,
        FEW_COUNTS: low_n & (n_counts_n < SHALLOW) & (n_measured >= ENOUGH_GENES),
        BETWEEN: low_n & (second_n >= 0),
        LOW: low_n,
    }
    code_n: NDArray[np.int8] = np.select(list(holds.values()), [REASONS.index(reason) for reason in holds], -1).astype(
        np.int8
    )
    return code_n
