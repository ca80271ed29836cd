"""From which sample each cell is, and under which condition each sample was taken: columns about the cells.

Axes: ``n`` cells, ``s`` samples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.columns import named_column, renamed
from spoticell.errors import ConfigError, note
from spoticell.io.source import CellSource

MOST_SAMPLES = 500
"""A column with more values says something else."""

SILENT = frozenset({"", "nan"})
"""Words that say nothing, in lower case; fewer than for labels, since a condition may well be called "none"."""


@dataclass(frozen=True)
class Samples:
    """The samples that cells are from."""

    by: str | None
    """Column that tells them apart; None where all cells are one sample."""
    condition: str | None
    """Column of their conditions; None where none was asked for."""
    names: tuple[str, ...]
    """Of the samples: those of one condition beside each other, then in their natural order."""
    sample_n: NDArray[np.intp]
    """Place of each cell's sample among the names; -1 where nothing is said."""
    conditions: tuple[str, ...]
    """Condition of each sample, '' where there is none."""


def find_samples(source: CellSource, *, by: str | None, condition: str | None = None) -> Samples | None:
    """Find from which sample each cell of a source is.

    Parameters
    ----------
    source
        The cells.
    by
        Column that says it; all cells are one sample if not given.
    condition
        Column that says under which of two conditions a sample was taken.

    Returns
    -------
    The samples; None where neither column is asked for.

    Raises
    ------
    ConfigError
        If a column is missing or can't be of samples or conditions.
    """
    if by is None and condition is None:
        return None
    return samples_of(source.obs(), by=by, condition=condition, name=source.name)


def samples_of(obs: pd.DataFrame, *, by: str | None, condition: str | None = None, name: str) -> Samples:
    """Find the samples in a table about cells; ``name`` is how messages call it.  See `find_samples`.

    Examples
    --------
    >>> obs = pd.DataFrame({"donor": ["d10", "d2", "d10", "d2"], "disease": ["none", "flu", "none", "flu"]})
    >>> found = samples_of(obs, by="donor", condition="disease", name="mine.h5ad")
    >>> found.names, found.conditions, found.sample_n.tolist()
    (('d2', 'd10'), ('flu', 'none'), [1, 0, 1, 0])
    """
    names: tuple[str, ...]
    if by is None:
        names, sample_n = (name,), one_sample(name, len(obs)).sample_n
    else:
        names, sample_n = values_of(obs, by, name=name)
        _check(by, names, sample_n, name=name)
    if condition is None:
        return Samples(by, None, names, sample_n, ("",) * len(names))
    every, condition_n = values_of(obs, condition, name=name)
    if len(every) > 2:
        raise ConfigError(
            f"the column {condition!r} has {len(every):,} values ({_some(every)}); two conditions are compared. "
            "Take the cells of two, or name a column that has two."
        )
    place_s = _condition_of_each(names, sample_n, every, condition_n, condition=condition)
    order_s = np.lexsort((np.arange(len(names)), np.where(place_s < 0, len(every), place_s)))
    new_s = np.append(np.argsort(order_s), -1)  # the last is what -1 leads to
    conditions = ("", *every)
    return Samples(
        by,
        condition,
        tuple(names[place] for place in order_s),
        new_s[sample_n],
        tuple(conditions[place_s[place] + 1] for place in order_s),
    )


def one_sample(name: str, cells: int) -> Samples:
    """Take all cells as one sample."""
    return Samples(None, None, (name,), np.zeros(cells, dtype=np.intp), ("",))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Give what sorts names as people do.

    Examples
    --------
    >>> sorted(["S10", "S9", "day"], key=natural)
    ['day', 'S9', 'S10']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def values_of(obs: pd.DataFrame, column: str, *, name: str) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Give the values of a column in their order, and the place of each cell's among them, -1 where there is none.

    Examples
    --------
    >>> values_of(pd.DataFrame({"day": ["d10", "d2", None]}), "day", name="mine.h5ad")
    (('d2', 'd10'), array([ 1,  0, -1]))
    """
    values = obs[named_column(obs, column, name=name)]
    found = renamed(values.astype("category").array, lambda word: "" if word.lower() in SILENT else word)
    names = sorted(map(str, found.categories), key=natural)
    if isinstance(values.dtype, pd.CategoricalDtype):
        given = [str(value).strip() for value in values.cat.categories]
        # files keep categories sorted; any other order is somebody's will
        if given != sorted(given):
            rank = {value: place for place, value in enumerate(given)}
            names.sort(key=rank.__getitem__)
    place_of = {value: place for place, value in enumerate(names)}
    place_c = np.array([place_of[str(value)] for value in found.categories] + [-1], dtype=np.intp)
    place_n = place_c[found.codes]
    there = np.unique(place_n[place_n >= 0])
    again = np.full(len(names) + 1, -1, dtype=np.intp)
    again[there] = np.arange(len(there))
    return tuple(names[place] for place in there), again[place_n]


def _check(by: str, names: tuple[str, ...], sample_n: NDArray[np.intp], *, name: str) -> None:
    """Refuse a column that can't be of samples, and say how many cells have no sample."""
    cells, silent = len(sample_n), int((sample_n < 0).sum())
    if not names:
        raise ConfigError(
            f"the column {by!r} of {name} is empty. Name the column that says from which sample each cell is."
        )
    if len(names) > MOST_SAMPLES or len(names) > max(cells / 2, 1):
        raise ConfigError(
            f"the column {by!r} of {name} has {len(names):,} values for {cells:,} cells; a sample has many cells, and "
            f"there are {MOST_SAMPLES} at most. Name the column that says from which sample each cell is."
        )
    if silent:
        note(f"{silent:,} of {cells:,} cells have no sample in {by!r}; they are named, but counted in no sample.")


def _condition_of_each(
    names: tuple[str, ...],
    sample_n: NDArray[np.intp],
    every: tuple[str, ...],
    condition_n: NDArray[np.intp],
    *,
    condition: str,
) -> NDArray[np.intp]:
    """Give the place of each sample's condition, -1 where it has none; a sample of two is refused."""
    known_n = (sample_n >= 0) & (condition_n >= 0)
    cells_sc = np.zeros((len(names), max(len(every), 1)), dtype=np.int64)
    np.add.at(cells_sc, (sample_n[known_n], condition_n[known_n]), 1)
    mixed = np.flatnonzero((cells_sc > 0).sum(axis=1) > 1)
    if len(mixed):
        raise ConfigError(
            f"the sample {names[mixed[0]]!r} has cells of {_some(every)} in {condition!r}; a sample has one condition. "
            "Name the column that tells the samples apart: --by COLUMN, in Python by=."
        )
    return np.where(cells_sc.any(axis=1), cells_sc.argmax(axis=1), -1)


def _some(values: tuple[str, ...]) -> str:
    return ", ".join(repr(value) for value in values[:4]) + (", ..." if len(values) > 4 else "")
