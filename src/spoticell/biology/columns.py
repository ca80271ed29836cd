"""Columns of a table about cells as words: text once for each value that occurs, a number for each cell.

So a table of a hundred million cells needs no hundred million texts.
Axis: ``n`` cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import ConfigError
from spoticell.keys import UNKNOWN

MOST = 30
"""Columns that are named one by one where the right one isn't there."""

MOST_VALUES, CELLS_A_VALUE = 500, 10
"""Of a column that can tell groups or samples: values at most, and cells of a value at least, on average."""

SILENT = frozenset({"", UNKNOWN, "unassigned", "na", "n/a", "nan", "none"})
"""Words that say nothing of a cell, in lower case."""


def named_column(obs: pd.DataFrame, column: str, *, name: str) -> str:
    """Give a column's name if a table about cells has it.

    Parameters
    ----------
    obs, column
        The table, and the column that is asked for.
    name
        How messages call the data set.

    Raises
    ------
    ConfigError
        If it isn't there; the message names those that are.

    Examples
    --------
    >>> named_column(pd.DataFrame({"batch": ["a"]}), "donor", name="mine.h5ad")
    Traceback (most recent call last):
    spoticell.errors.ConfigError: mine.h5ad has no column 'donor' about its cells; it has 'batch'.
    """
    if column not in obs:
        raise ConfigError(f"{name} has no column {column!r} about its cells; it has {listed(obs)}.")
    return column


def listed(obs: pd.DataFrame) -> str:
    """Name the columns of a table about cells, for a message."""
    return ", ".join(repr(str(one)) for one in obs.columns[:MOST]) or "none"


def shared_columns(obs: pd.DataFrame) -> list[str]:
    """Name the columns whose values are few, each of several cells: they may tell groups or samples.

    Examples
    --------
    >>> shared_columns(pd.DataFrame({"batch": ["a", "b"] * 10, "depth": range(20), "organ": "lung"}))
    ['batch']
    """
    most = min(MOST_VALUES, len(obs) // CELLS_A_VALUE)
    return [str(name) for name, column in obs.items() if 2 <= column.nunique() <= most]


def words(column: pd.Series) -> pd.Categorical:
    """Give a column as text without spaces around it; missing where nothing is said (`SILENT`).

    Examples
    --------
    >>> words(pd.Series([" T cell", "T cell", None, "NA", "3"])).tolist()
    ['T cell', 'T cell', nan, nan, '3']
    """
    return renamed(column.astype("category").array, lambda word: "" if word.lower() in SILENT else word)


def renamed(values: pd.Categorical, name: Callable[[str], str]) -> pd.Categorical:
    """Give other names to values, the same to several if need be; missing where the name is ''.

    Examples
    --------
    >>> renamed(pd.Categorical(["a", "b", "A"]), str.upper).tolist()
    ['A', 'B', 'A']
    """
    names = [name(str(value).strip()) or None for value in values.categories]
    return _recoded(values.codes, [*names, None])  # the last is what the code -1 leads to


def constant(word: str, n: int) -> pd.Categorical:
    """Give the same word for each of ``n`` cells."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), categories=pd.Index([word], dtype=object))


def filled(values: pd.Categorical, word: str) -> pd.Categorical:
    """Put a word where a value is missing.

    Examples
    --------
    >>> filled(pd.Categorical(["lung", None]), "unknown").tolist()
    ['lung', 'unknown']
    """
    if (values.codes >= 0).all():
        return values
    if word not in values.categories:
        values = values.add_categories([word])
    return values.fillna(word)


def joined(first: pd.Categorical, second: pd.Categorical, join: Callable[[str, str], str]) -> pd.Categorical:
    """Make one value of two that no cell lacks.

    Examples
    --------
    >>> joined(pd.Categorical(["a", "b"]), pd.Categorical(["x", "x"]), "{}:{}".format).tolist()
    ['a:x', 'b:x']
    """
    pair_n = first.codes.astype(np.int64) * len(second.categories) + second.codes
    code_n, pairs = pd.factorize(pair_n)
    one, two = np.divmod(pairs, len(second.categories))
    names = [join(str(a), str(b)) for a, b in zip(first.categories[one], second.categories[two], strict=True)]
    return _recoded(code_n, names)


def among(values: pd.Categorical, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Say of each cell whether its value is one of those wanted."""
    wanted_c = np.append(values.categories.isin(wanted), False)
    return np.asarray(wanted_c[values.codes], dtype=np.bool_)


def counted(values: pd.Categorical, chosen_n: NDArray[np.bool_]) -> dict[str, int]:
    """Count the chosen cells of each value, commonest first, then by name; missing ones are left out."""
    code_k = values.codes[chosen_n]
    cells = np.bincount(code_k[code_k >= 0], minlength=len(values.categories))
    order = sorted(np.flatnonzero(cells).tolist(), key=lambda code: (-cells[code], str(values.categories[code])))
    return {str(values.categories[code]): int(cells[code]) for code in order}


def _recoded(code_n: NDArray[np.integer], names: Sequence[str | None]) -> pd.Categorical:
    """Give each cell the name that its code leads to, in sorted categories."""
    code_of, categories = pd.factorize(np.array(names, dtype=object), sort=True)
    return pd.Categorical.from_codes(code_of.astype(np.int32)[code_n], categories=pd.Index(categories, dtype=object))
