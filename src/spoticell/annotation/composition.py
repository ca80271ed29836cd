"""How many cells of each type a sample has, and how sure its shares are.

Axes: ``n`` cells, ``s`` samples, ``t`` types, of which ``unknown`` is the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.samples import Samples
from spoticell.keys import UNKNOWN

CONFIDENCE = 0.95
"""Of the intervals of shares."""


@dataclass(frozen=True)
class Composition:
    """The cells of each type in each sample.

    Examples
    --------
    >>> samples = Samples("donor", None, ("d1", "d2"), np.array([0, 0, 1]), ("", ""))
    >>> found = count_types(samples, np.array([0, -1, 0]), nodes=("CL:0000236",), names=("B cell",))
    >>> found.table()[["sample", "cell_type", "cells", "share"]].to_records(index=False).tolist()
    [('d1', 'B cell', 1, 0.5), ('d1', 'unknown', 1, 0.5), ('d2', 'B cell', 1, 1.0), ('d2', 'unknown', 0, 0.0)]
    """

    samples: tuple[str, ...]
    conditions: tuple[str, ...]
    """Condition of each sample, '' where there is none."""
    terms: tuple[str, ...]
    """Answers that occur, commonest first, and ``unknown``."""
    names: tuple[str, ...]
    """Of the answers."""
    cells_st: NDArray[np.int64]

    @property
    def shares_st(self) -> NDArray[np.float64]:
        """Shares of the cells of each sample."""
        shares_st: NDArray[np.float64] = self.cells_st / self.cells_st.sum(axis=1, keepdims=True)
        return shares_st

    def table(self) -> pd.DataFrame:
        """Give a row for each sample and type: its ``cells``, ``share``, ``low`` and ``high``.

        The last two bound the share: they are its Wilson interval at 95 %.  It says how far the share would move if
        other cells of the sample had been measured; samples of one kind differ by more.
        """
        n_samples, n_types = self.cells_st.shape
        total_s = self.cells_st.sum(axis=1)
        bounds = [
            interval(cells, total)
            for row_t, total in zip(self.cells_st.tolist(), total_s.tolist(), strict=True)
            for cells in row_t
        ]
        table = pd.DataFrame(
            {
                "sample": np.repeat(np.array(self.samples, dtype=object), n_types),
                "cell_type": np.tile(np.array(self.names, dtype=object), n_samples),
                "term": np.tile(np.array(self.terms, dtype=object), n_samples),
                "cells": self.cells_st.ravel(),
                "share": self.shares_st.ravel(),
                "low": [low for low, _ in bounds],
                "high": [high for _, high in bounds],
            }
        )
        if any(self.conditions):
            table.insert(1, "condition", np.repeat(np.array(self.conditions, dtype=object), n_types))
        return table

    def of_file(self, name: str, *, alone: bool) -> Composition:
        """Give the same with the name of the file in those of the samples; ``alone`` where the file is one sample."""
        return replace(self, samples=(name,) if alone else tuple(f"{name}: {sample}" for sample in self.samples))


def count_types(
    samples: Samples, answer_n: NDArray[np.intp], *, nodes: Sequence[str], names: Sequence[str]
) -> Composition:
    """Count the cells of each type in each sample.

    Parameters
    ----------
    samples
        From which sample each cell is; cells of none are left out.
    answer_n
        Position in ``nodes``; -1 is unknown.
    nodes, names
        Terms and names of the types.
    """
    known_n = samples.sample_n >= 0
    cells_sm = np.zeros((len(samples.names), len(nodes) + 1), dtype=np.int64)
    np.add.at(cells_sm, (samples.sample_n[known_n], answer_n[known_n]), 1)  # -1 leads to the last
    terms, words = (*nodes, UNKNOWN), (*names, UNKNOWN)
    return _ordered(samples.names, samples.conditions, terms, words, cells_sm)


def together(parts: Iterable[Composition]) -> Composition:
    """Give the samples of several compositions, of one condition beside each other, with the types of all."""
    parts = list(parts)
    name_of = {term: name for part in parts for term, name in zip(part.terms, part.names, strict=True)}
    name_of[UNKNOWN] = name_of.pop(UNKNOWN)
    column_of = {term: column for column, term in enumerate(name_of)}
    cells_st = np.zeros((sum(len(part.samples) for part in parts), len(name_of)), dtype=np.int64)
    start = 0
    for part in parts:
        rows = slice(start, start := start + len(part.samples))
        cells_st[rows, [column_of[term] for term in part.terms]] = part.cells_st
    samples = [sample for part in parts for sample in part.samples]
    conditions = [condition for part in parts for condition in part.conditions]
    rank = {condition: place for place, condition in enumerate(filter(None, dict.fromkeys(conditions)))}
    order = sorted(range(len(samples)), key=lambda row: rank.get(conditions[row], len(rank)))
    return _ordered(
        tuple(samples[row] for row in order),
        tuple(conditions[row] for row in order),
        tuple(name_of),
        tuple(name_of.values()),
        cells_st[order],
    )


def _ordered(
    samples: tuple[str, ...],
    conditions: tuple[str, ...],
    terms: tuple[str, ...],
    names: tuple[str, ...],
    cells_st: NDArray[np.int64],
) -> Composition:
    """Put types in order, unknown last, and leave out those that don't occur."""
    cells_t = cells_st[:, :-1].sum(axis=0)
    order = sorted(np.flatnonzero(cells_t).tolist(), key=lambda column: (-cells_t[column], names[column]))
    order.append(len(terms) - 1)
    return Composition(
        samples,
        conditions,
        tuple(terms[column] for column in order),
        tuple(names[column] for column in order),
        cells_st[:, order],
    )


@lru_cache(maxsize=2**16)
def interval(cells: int, total: int) -> tuple[float, float]:
    """Give the Wilson interval of a share, after Wilson 1927."""
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to load, and most runs do without

    # the share itself as the one to test against: its p-value, which nobody asks for, is then known at once
    bounds = binomtest(cells, total, p=cells / total).proportion_ci(CONFIDENCE, method="wilson")
    return float(bounds.low), float(bounds.high)
