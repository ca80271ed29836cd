"""What the reference cells of an index say of groups of cells.

Axes: ``n`` cells, ``k`` groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.evidence import AGREE, COMPATIBLE, agreement
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    from spoticell.annotation.matches import Matches

NAMED = 3
"""Nearest studies and tissues that are named of a group."""
Counted = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class GroupReferences:
    """Where the references lie that are nearest to a group's cells."""

    studies: Counted = ()
    """Studies, and of how many cells; none without an index."""
    tissues: Counted = ()
    """Tissues, likewise."""


def references_of(code_n: NDArray[np.intp], n_groups: int, matches: Matches | None) -> list[GroupReferences]:
    """Say of each group where its nearest references lie.

    Parameters
    ----------
    code_n
        The group of each cell; -1 for cells that have no say.
    n_groups
        How many groups there are.
    matches
        What an index says of the cells; None where there is none.
    """
    if matches is None:
        return [GroupReferences()] * n_groups
    words = (matches.nearest_study_n, matches.nearest_tissue_n)
    studies, tissues = (_commonest(code_n, n_groups, word_n) for word_n in words)
    return [GroupReferences(*both) for both in zip(studies, tissues, strict=True)]


def agreeing(term_k: list[str], code_n: NDArray[np.intp], theirs_n: NDArray[np.object_] | None) -> list[float | None]:
    """Give the share of each group's cells whose references say its type, or a coarser or finer one.

    Parameters
    ----------
    term_k
        The group's type, or ``unknown``, with which nothing agrees.
    code_n
        The group of each cell; -1 for cells that have no say.
    theirs_n
        The term that the references of each cell agree on, or ``unknown``; None where there is no index.

    Examples
    --------
    >>> t_cell, cd4, b_cell = "CL:0000084", "CL:0000624", "CL:0000236"
    >>> theirs_n = np.array([t_cell, cd4, b_cell, "unknown", cd4], dtype=object)
    >>> agreeing([cd4, "unknown"], np.array([0, 0, 0, 0, 1]), theirs_n)
    [0.5, 0.0]
    """
    if theirs_n is None:
        return [None] * len(term_k)
    own_n = np.array([*term_k, UNKNOWN], dtype=object)[code_n]
    agrees_n = np.isin(agreement(own_n, theirs_n).astype(str), [AGREE, COMPATIBLE])
    told_n = code_n >= 0
    cells_k = np.bincount(code_n[told_n], minlength=len(term_k))
    agree_k = np.bincount(code_n[told_n & agrees_n], minlength=len(term_k))
    return [float(share) for share in agree_k / np.maximum(cells_k, 1)]


def _commonest(code_n: NDArray[np.intp], n_groups: int, word_n: NDArray[np.object_]) -> list[Counted]:
    """Count the words of each group's cells, the commonest first; '' says nothing."""
    found: list[list[tuple[str, int]]] = [[] for _ in range(n_groups)]
    table = pd.DataFrame({"group": code_n, "word": word_n.astype(str)})
    counts = table[(table["group"] >= 0) & (table["word"] != "")].value_counts(sort=False).reset_index(name="cells")
    counts = counts.sort_values(["group", "cells", "word"], ascending=[True, False, True])
    for code, word, cells in counts.itertuples(index=False):
        found[code].append((word, int(cells)))
    return [tuple(words[:NAMED]) for words in found]
