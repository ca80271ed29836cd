"""Genes by type: how many cells of each type have a gene, how much of it, and how that is spread.

Log-normalised is the logarithm of one more than the counts of a cell that is scaled to 10,000 counts.
Axes: ``n`` cells, ``t`` types, the unknown the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.web import sink
from spoticell.web.arrays import Counts, log_normalised
from spoticell.web.results import Results

STEPS = 32
"""Equal steps of a spread."""


def expression(results: Results, texts: list[str], *, kept_n: NDArray[np.bool_]) -> dict[str, Any]:
    """Give share and mean in each type of the genes that texts name, over the cells that are kept; and other texts."""
    type_n = _type_of_each(results)[kept_n]
    counted_t = np.bincount(type_n, minlength=_types(results))
    cells_t = np.maximum(counted_t, 1)
    meant, unknown = genes_meant(results, texts)
    genes = []
    for g, words in meant.items():
        level_n = levels_of(results, g)[kept_n]
        seen_t = np.bincount(type_n, weights=level_n > 0, minlength=len(cells_t)) / cells_t
        mean_t = np.bincount(type_n, weights=level_n, minlength=len(cells_t)) / cells_t
        genes.append(words | {"share": seen_t.round(4).tolist(), "mean": mean_t.round(4).tolist()})
    return {"genes": genes, "unknown": unknown, "cells": counted_t.tolist()}


def genes_meant(results: Results, texts: list[str]) -> tuple[dict[int, dict[str, str]], list[str]]:
    """Give symbol and id of each gene that texts name, by its position, and the texts that name none."""
    meant: dict[int, dict[str, str]] = {}
    unknown: list[str] = []
    for text in dict.fromkeys(texts):
        g = results.gene(text)
        if g is None:
            unknown.append(text)
        else:
            meant[g] = {"symbol": results.bundle.vocabulary.symbols[g], "id": results.bundle.vocabulary.ids[g]}
    return meant, unknown


def spread(results: Results, g: int, *, kept_n: NDArray[np.bool_]) -> dict[str, Any]:
    """Give how a gene is spread over the cells of each type that have it, of those that are kept."""
    level_n = levels_of(results, g)[kept_n]
    most, seen_n = float(level_n.max(initial=0)), level_n > 0
    step_n = np.minimum((level_n * (STEPS / max(most, 1e-30))).astype(np.intp), STEPS - 1)
    place_s = (_type_of_each(results)[kept_n] * STEPS + step_n)[seen_n]
    cells_t = np.bincount(place_s, minlength=_types(results) * STEPS).reshape(-1, STEPS)
    return {"symbol": results.bundle.vocabulary.symbols[g], "most": round(most, 4), "cells": cells_t.tolist()}


def levels_of(results: Results, g: int) -> NDArray[np.float64]:
    """Give the log-normalised counts of a gene in all cells, ``(n,)``."""
    return log_normalised(Counts(results.folder / sink.COUNTS).gene(g), results.array(sink.N_COUNTS))


def _types(results: Results) -> int:
    return len(results.array(sink.NODES)) + 1


def _type_of_each(results: Results) -> NDArray[np.intp]:
    return np.minimum(results.types(), _types(results) - 1).astype(np.intp)
