"""Which columns of an upload can tell groups, samples and conditions: what the form before a run offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.groups import AUTO
from spoticell.annotation.samples import values_of
from spoticell.biology.columns import shared_columns
from spoticell.errors import ConfigError

if TYPE_CHECKING:
    from spoticell.web.job_schemas import RunOrder

SHOWN, LONGEST = 6, 60
"""Values of a column that are told, and letters of one."""
MOST_CONDITIONS = 24
"""Columns of two values for which it is looked which columns can tell their samples."""


def choices(obs: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the columns of a table about cells that a run may name, each with some of its values.

    ``samples`` names the columns that can tell the samples where the column is the condition: no value of these has
    cells under both.  It is None for a column that can't be the condition.

    Examples
    --------
    >>> table = pd.DataFrame({"donor": ["d1", "d2"] * 20, "stim": ["yes", "no"] * 20, "plate": ["A"] * 20 + ["B"] * 20})
    >>> for column in choices(table):
    ...     print(column["name"], column["values"], column["samples"])
    donor ['d1', 'd2'] ['donor', 'stim']
    stim ['no', 'yes'] ['donor', 'stim']
    plate ['A', 'B'] ['plate']
    """
    found = {name: values_of(obs, name, name="the table") for name in shared_columns(obs)}
    pairs = [name for name, (values, _) in found.items() if len(values) == 2][:MOST_CONDITIONS]
    return [
        {
            "name": name,
            "values": [value[:LONGEST] for value in values[:SHOWN]],
            "n_values": len(values),
            "samples": [by for by in found if _is_within(found[by][1], code_n)] if name in pairs else None,
        }
        for name, (values, code_n) in found.items()
    ]


def _is_within(sample_n: NDArray[np.intp], condition_n: NDArray[np.intp]) -> bool:
    """Say whether no sample has cells of both conditions."""
    known_n = (sample_n >= 0) & (condition_n >= 0)
    both = np.unique(2 * sample_n[known_n] + condition_n[known_n])
    return len(np.unique(both // 2)) == len(both)


def check_columns(order: RunOrder, findings: dict[str, Any], *, name: str) -> None:
    """Refuse columns that the check of a file didn't find, or that can't be what an order takes them for.

    Raises
    ------
    ConfigError
        If a column isn't there, or can't be the condition, or the samples can't be those of the condition.
    """
    asked = (None if order.groups == AUTO else order.groups, order.by, order.condition)
    there = findings.get("columns", asked)  # an older server didn't look for any
    for column in asked:
        if column is not None and column not in there:
            raise ConfigError(
                f"{name} has no column {column!r} that can tell groups or samples; it has {_listed(there)}."
            )
    if order.condition is None:
        return
    if order.by is None:
        raise ConfigError(
            "two conditions are compared between samples; choose the column that says from which sample each cell is."
        )
    told = {choice["name"]: choice for choice in findings.get("choices", [])}.get(order.condition)
    if told is None:  # the run refuses what can't be
        return
    if told["samples"] is None:
        raise ConfigError(
            f"the column {order.condition!r} has {told['n_values']:,} values ({_listed(told['values'])}); two "
            "conditions are compared. Choose a column that has two."
        )
    if order.by not in told["samples"]:
        raise ConfigError(
            f"a sample of {order.by!r} has cells of both {' and '.join(map(repr, told['values']))} in "
            f"{order.condition!r}; a sample has one condition. Columns that tell such samples: "
            f"{_listed(told['samples'])}."
        )


def _listed(names: Any) -> str:  # noqa: ANN401 - a list, or a pair of what was asked for
    return ", ".join(map(repr, names)) or "none"
