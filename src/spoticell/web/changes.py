"""How the shares of types differ between two values of a kept column, as ``spoticell annotate --condition`` says it.

Axis: ``n`` cells, ``k`` those that are compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.composition import count_types
from spoticell.annotation.differences import METHOD, Differences, differences
from spoticell.annotation.samples import samples_of
from spoticell.errors import ConfigError
from spoticell.model.bundle import Bundle
from spoticell.web import sink
from spoticell.web.columns import CATEGORY, LIST, MISSING, kept_values, listed
from spoticell.web.refusal import Refusal
from spoticell.web.summary import UNKNOWN_TYPE

NO_COLUMNS = "This run kept no columns of its file. Run the job again."
NO_CATEGORIES = "There is no such column of categories. Give the place of one in the list of columns."
MIXED = "These columns can't be compared: a sample has cells of both values, or none is left. Choose other samples."


def changes(
    folder: Path,
    bundle: Bundle,
    *,
    column: int,
    first: int,
    second: int,
    samples: int | None = None,
    kept_n: NDArray[np.bool_],
) -> dict[str, Any]:
    """Compare the types of the cells that have one value of a column with those that have another.

    Parameters
    ----------
    folder, bundle
        The results of a run, and its model.
    column, first, second
        Place of the column among those kept, and of two of its values.
    samples
        Place of the column of samples; the cells of a value are one sample if not given.
    kept_n
        Cells that are counted.

    Raises
    ------
    Refusal
        If there is no such column or value, or a sample has cells of both values.
    """
    names = category_names(folder, column)
    if first == second or max(first, second) >= len(names):
        raise Refusal(422, f"Give two different values of the column, from 0 to {len(names) - 1}.")
    pair = (names[first], names[second])
    code_n = kept_values(folder, column)
    place_n = np.select([code_n == first, code_n == second], [0, 1], -1)
    by, sample_names = (place_n, pair) if samples is None else _samples(folder, samples)
    compared_k = np.flatnonzero(kept_n & (place_n >= 0) & (by >= 0))
    obs = pd.DataFrame(
        {
            "condition": pd.Categorical.from_codes(place_n[compared_k], categories=pd.Index(pair, dtype=object)),
            "sample": pd.Categorical.from_codes(by[compared_k], categories=pd.Index(sample_names, dtype=object)),
        }
    )
    try:
        found = samples_of(obs, by="sample", condition="condition", name="the file")
    except ConfigError as error:
        raise Refusal(422, MIXED) from error
    counted = count_types(found, answers_of(folder)[compared_k], nodes=bundle.nodes, names=bundle.node_names)
    return _plain(differences(counted), pair)


def category_names(folder: Path, place: int) -> list[str]:
    """Give the values of a kept column of categories, or refuse."""
    if not (folder / LIST).exists():
        raise Refusal(404, NO_COLUMNS)
    columns = listed(folder)["columns"]
    if place >= len(columns) or columns[place]["kind"] != CATEGORY:
        raise Refusal(404, NO_CATEGORIES)
    return [category["name"] for category in columns[place]["categories"]]


def _samples(folder: Path, place: int) -> tuple[NDArray[np.int64], list[str]]:
    names = category_names(folder, place)
    code_n = kept_values(folder, place).astype(np.int64)
    return np.where(code_n == MISSING, -1, code_n), names


def answers_of(folder: Path) -> NDArray[np.int64]:
    """Give each cell's answer as a position in the bundle's nodes, -1 for unknown."""
    types_n, answer_n = np.load(folder / sink.TYPES), np.full(1, -1, dtype=np.int64)
    node_t = np.concatenate([np.load(folder / sink.NODES), answer_n])  # the last is that of unknown
    return node_t[np.where(types_n == UNKNOWN_TYPE, -1, types_n.astype(np.int64))]


def _plain(found: Differences, pair: tuple[str, str]) -> dict[str, Any]:
    """Give differences as plain values, in the order that was asked for."""
    forward = found.conditions == pair
    if not forward and found.conditions != pair[::-1]:
        raise Refusal(422, MIXED)
    first, second = ("share_first", "share_second") if forward else ("share_second", "share_first")
    rows = [
        {
            "term": row["term"],
            "type": row["cell_type"],
            "first": row[first],
            "second": row[second],
            "low": _number(row["low"] if forward else -row["high"]),
            "high": _number(row["high"] if forward else -row["low"]),
            "p": _number(row["p"]),
            "q": _number(row["q"]),
        }
        for row in found.table.to_dict("records")
    ]
    samples = found.samples if forward else found.samples[::-1]
    return {
        "samples": list(samples),
        "method": METHOD if found.tested else None,
        "changes": rows,
        "notes": list(found.notes),
        "states": list(found.states),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
