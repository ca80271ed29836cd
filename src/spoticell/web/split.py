"""Genes by type and by the values of a column: how many cells of each have a gene, and how much of it.

Axes: ``n`` cells, ``t`` types that are told, ``v`` values that are told.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.web.changes import category_names
from spoticell.web.columns import kept_values
from spoticell.web.expression import genes_meant, levels_of
from spoticell.web.results import Results

MOST_TYPES, MOST_VALUES = 12, 6
"""Types and values that are told, those of most cells; more don't make a plot that can be read."""


def split(results: Results, texts: list[str], column: int, *, kept_n: NDArray[np.bool_]) -> dict[str, Any]:
    """Give share and mean of genes in the cells of each type and value, and what is left out.

    Parameters
    ----------
    results
        The job's.
    texts
        What was asked for.
    column
        Place of a column of categories.
    kept_n
        Cells that are counted.

    Raises
    ------
    Refusal
        If there is no such column.
    """
    names = category_names(results.folder, column)
    type_n, code_n = results.types()[kept_n], kept_values(results.folder, column)[kept_n]
    types = _commonest(type_n, results.n_types, MOST_TYPES)
    values = sorted(_commonest(code_n, len(names), MOST_VALUES).tolist())
    row_n, value_n = _places(type_n, types), _places(code_n, np.array(values, dtype=np.intp))
    there_n, place_n = (row_n >= 0) & (value_n >= 0), row_n * len(values) + value_n
    size = len(types) * len(values)
    cells = np.bincount(place_n[there_n], minlength=size)

    def means(level_n: NDArray[Any]) -> list[list[float]]:
        sums = np.bincount(place_n[there_n], weights=level_n[there_n], minlength=size)
        rows: list[list[float]] = (sums / np.maximum(cells, 1)).round(4).reshape(len(types), len(values)).tolist()
        return rows

    meant, unknown = genes_meant(results, texts)
    genes = []
    for g, words in meant.items():
        level_n = levels_of(results, g)[kept_n]
        genes.append(words | {"share": means(level_n > 0), "mean": means(level_n)})
    return {
        "types": types.tolist(),
        "values": [names[value] for value in values],
        "cells": cells.reshape(len(types), len(values)).tolist(),
        "types_left_out": len(np.unique(type_n[type_n < results.n_types])) - len(types),
        "values_left_out": len(np.unique(code_n[code_n < len(names)])) - len(values),
        "genes": genes,
        "unknown": unknown,
    }


def _commonest(code_n: NDArray[np.integer], n_codes: int, most: int) -> NDArray[np.intp]:
    """Give the codes below a number that most cells have, commonest first."""
    cells = np.bincount(code_n[code_n < n_codes], minlength=n_codes)
    return np.argsort(-cells, kind="stable")[: min(most, np.count_nonzero(cells))]


def _places(code_n: NDArray[np.integer], codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the place of each cell's code among some codes, -1 where it is none of them."""
    place = np.full(int(np.iinfo(code_n.dtype).max) + 1, -1, dtype=np.intp)
    place[codes] = np.arange(len(codes))
    place_n: NDArray[np.intp] = place[code_n]
    return place_n
