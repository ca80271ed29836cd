"""The share of a type among the cells of each sample, with its interval.

Axis: ``n`` cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.composition import interval
from spoticell.web.changes import category_names
from spoticell.web.columns import MISSING, kept_values
from spoticell.web.grounds import kept_samples
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results

NOT_TOLD = "This run wasn't told which column says from which sample each cell is. Give one of the list of columns."


def shares(
    results: Results, types: list[int], column: int | None = None, *, kept_n: NDArray[np.bool_]
) -> dict[str, Any]:
    """Give how many of the cells of each sample are of a type, or of several together, by their numbers.

    Parameters
    ----------
    results, types
        The results, and the types.
    column
        Place of the column that says from which sample each cell is; that of the run if not given.
    kept_n
        Cells that are counted.

    Raises
    ------
    Refusal
        If there is no such column of categories, or the run knows of no samples.
    """
    names, sample_n = _samples(results, column)
    known_n, member_n = kept_n & (sample_n >= 0), np.isin(results.types(), types)
    total_s = np.bincount(sample_n[known_n], minlength=len(names)).tolist()
    own_s = np.bincount(sample_n[member_n & known_n], minlength=len(names)).tolist()
    rows = []
    for name, cells, total in zip(names, own_s, total_s, strict=True):
        if total:
            low, high = interval(cells, total)
            rows.append(
                {"name": name, "cells": cells, "total": total, "share": cells / total, "low": low, "high": high}
            )
    return {"samples": rows, "without": int((kept_n & (sample_n < 0)).sum())}


def _samples(results: Results, column: int | None) -> tuple[list[str], NDArray[np.int64]]:
    """Give the names of the samples, and the place of each cell's, -1 where there is none."""
    if column is not None:
        names, code_n = category_names(results.folder, column), kept_values(results.folder, column).astype(np.int64)
        return names, np.where(code_n == MISSING, -1, code_n)
    samples = kept_samples(results.folder)
    if samples is None:
        raise Refusal(422, NOT_TOLD)
    return list(samples.names), samples.sample_n.astype(np.int64)
