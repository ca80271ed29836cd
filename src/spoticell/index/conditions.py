"""Conditions on what is known of reference cells: ``tissue=blood``, ``study!=Kang 2018``.

Cells that share all of it form a group, and there are few groups, so a condition is settled on these.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError

NAMED = 10
"""Values that a message names."""

Where = Sequence[str] | NDArray[np.bool_]
"""Conditions that must all hold, or a boolean for each group."""


def chosen_groups(groups: pd.DataFrame, where: Where) -> NDArray[np.bool_]:
    """Say which groups fulfil all conditions.

    Parameters
    ----------
    groups
        A row for each group.
    where
        Conditions ``column=value`` and ``column!=value``, or a boolean for each group, which is given back.

    Raises
    ------
    SearchError
        If a condition can't be read, or names a column or a value that isn't there; or if none fulfils all.

    Examples
    --------
    >>> groups = pd.DataFrame({"tissue": ["blood", "lung"], "study": ["a", "b"]})
    >>> chosen_groups(groups, ["tissue=blood", "study!=b"]).tolist()
    [True, False]
    >>> chosen_groups(groups, ["tissue=bloood"])
    Traceback (most recent call last):
    spoticell.errors.SearchError: no reference cell has the tissue 'bloood'; did you mean 'blood'?
    """
    if isinstance(where, np.ndarray):
        if where.shape != (len(groups),) or where.dtype != np.bool_:
            raise ValueError(f"a filter needs {len(groups)} booleans, one a group")
        return where
    where = [where] if isinstance(where, str) else where
    chosen = np.ones(len(groups), dtype=bool)
    for condition in where:
        chosen &= _holds(groups, condition)
    if not chosen.any():
        raise SearchError(f"no reference cell fulfils all of {', '.join(where)}.")
    return chosen


def _holds(groups: pd.DataFrame, condition: str) -> NDArray[np.bool_]:
    name, sign, value = condition.partition("=")
    negated = name.endswith("!")
    name, value = name.removesuffix("!").strip(), value.strip()
    if not sign or not name:
        raise SearchError(
            f"the condition {condition!r} can't be read; it needs the form tissue=blood or tissue!=blood."
        )
    if name not in groups:
        raise SearchError(f"reference cells have no {name!r}; a condition can be on {', '.join(groups.columns)}.")
    same = (groups[name] == value).to_numpy(dtype=bool)
    if not same.any():
        raise SearchError(f"no reference cell has the {name} {value!r}; {_there_is(groups[name], value)}")
    return ~same if negated else same


def _there_is(column: pd.Series, value: str) -> str:
    values = sorted(set(column) - {""})
    if near := difflib.get_close_matches(value, values, n=1):
        return f"did you mean {near[0]!r}?"
    more = f" and {len(values) - NAMED} others" if len(values) > NAMED else ""
    return f"there are {', '.join(map(repr, values[:NAMED])) or 'none'}{more}."
