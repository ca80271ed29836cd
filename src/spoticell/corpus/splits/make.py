"""Honest splits of a corpus: by data set, donor, assay or release, never with a donor on two sides.

Axis: ``n`` cells, or groups of them.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd

from spoticell.corpus.splits.dealing import SIDES, Side, deal, linked, shuffled
from spoticell.corpus.splits.file import read_split, write_split
from spoticell.corpus.splits.split import COLUMNS, N_CELLS, RELEASE, Split, SplitSpec, donors, text
from spoticell.errors import ConfigError
from spoticell.keys import UNKNOWN

__all__ = ["RELEASE", "Split", "SplitSpec", "make_split", "read_split", "write_split"]


def make_split(cells: pd.DataFrame, spec: SplitSpec) -> Split:
    """Divide cells as a spec says.

    Parameters
    ----------
    cells
        A row for each cell, or for each group of alike cells with their number in ``n_cells``; the columns
        ``dataset_id``, ``donor_id``, ``assay``, and ``release`` where the split goes by it.  Their order is of no
        matter.
    spec
        How.

    Raises
    ------
    ConfigError
        If a donor would be on two sides, a side would be empty, or a name doesn't occur.

    Examples
    --------
    >>> cells = pd.DataFrame({"dataset_id": "blood", "donor_id": ["Ann", "Bob"], "assay": ["10x 3' v3", "Smart-seq2"]})
    >>> split = make_split(cells, SplitSpec(name="full-length", by="assay", test=["Smart-seq2"]))
    >>> split.cells, split.side_of(cells).tolist()
    ({'train': 1, 'validation': 0, 'test': 1, 'dropped': 0}, ['train', 'test'])
    """
    table = _grouped(cells, spec)
    side_of = _named(table, spec)
    side_of |= _dealt(table[~table["group"].isin(side_of)], spec)
    table["side"] = table["group"].map(side_of)
    stays = _settle(table, spec)
    stays_on = [stays.get(donor, side) for donor, side in zip(table["donor"], table["side"], strict=True)]
    dropped = (table["side"] != stays_on).to_numpy()
    counted = table[~dropped].groupby("side")[N_CELLS].sum()
    sizes = {side: int(counted.get(side, 0)) for side in SIDES} | {"dropped": int(table[N_CELLS][dropped].sum())}
    _check_sides(sizes, side_of, spec)
    members = {side: tuple(sorted(group for group in side_of if side_of[group] == side)) for side in SIDES}
    return Split(spec=spec, members=members, shared_donors=stays, cells=sizes)


def _grouped(cells: pd.DataFrame, spec: SplitSpec) -> pd.DataFrame:
    """Count the cells of each group and donor."""
    group_n = donors(cells) if spec.by == "donor" else text(cells, COLUMNS[spec.by])
    columns: dict[str, Any] = {"group": group_n, "donor": donors(cells)}
    if spec.by == "release":
        columns[RELEASE] = text(cells, RELEASE)
    columns[N_CELLS] = cells[N_CELLS].to_numpy() if N_CELLS in cells else np.ones(len(cells), dtype=np.int64)
    keys = list(columns)[:-1]
    table = pd.DataFrame(columns).groupby(keys, observed=True, sort=True)[N_CELLS].sum().reset_index()
    return table.astype(dict.fromkeys(keys, object))


def _named(table: pd.DataFrame, spec: SplitSpec) -> dict[str, str]:
    groups = set(table["group"])
    side_of: dict[str, str] = {group: side for side in SIDES for group in getattr(spec, side)}
    missing = sorted(set(side_of) - groups)
    if missing:
        some = ", ".join(repr(group) for group in sorted(groups)[:5])
        raise ConfigError(
            f"The split {spec.name!r} names {missing[0]!r} for {side_of[missing[0]]!r}, but no cell is of that "
            f"{spec.by}; there are {some}."
        )
    if spec.after is not None:
        side_of |= _later(table, spec.after, spec.name)
    return side_of


def _later(table: pd.DataFrame, after: datetime.date, name: str) -> dict[str, str]:
    """Give the data sets that came out after a day, all for testing."""
    unknown = sorted(table["group"][table[RELEASE].isin(["", UNKNOWN])])
    if unknown:
        raise ConfigError(
            f"The split {name!r} goes by release, but nobody says when the data set {unknown[0]!r} came out. "
            "Give earlier releases in the recipe to compare with, or split by data set."
        )
    return dict.fromkeys(table["group"][table[RELEASE] > after.isoformat()], "test")


def _dealt(rest: pd.DataFrame, spec: SplitSpec) -> dict[str, str]:
    """Deal the groups that nobody named, those that share a donor as one."""
    if not spec.shares:
        return dict.fromkeys(rest["group"], "train")
    together = spec.shared_donors == "refuse"
    sets = (
        linked(list(rest["group"]), list(rest["donor"]))
        if together
        else [(group,) for group in sorted(set(rest["group"]))]
    )
    if len(sets) < len(spec.shares):
        raise ConfigError(
            f"The split {spec.name!r} needs at least {len(spec.shares)} parts that share no donor, but the cells have "
            f"{len(sets)} by {spec.by}{_binding(rest)}. Split by donor, or allow it to drop shared donors."
        )
    sets, size = shuffled(sets, spec.seed), rest.groupby("group")[N_CELLS].sum().to_dict()
    sides = deal([sum(size[group] for group in groups) for groups in sets], spec.shares)
    return {group: side for groups, side in zip(sets, sides, strict=True) for group in groups}


def _binding(rest: pd.DataFrame) -> str:
    """Name a donor that holds groups together, for a message."""
    groups = rest.groupby("donor")["group"].nunique()
    return f" (the donor {groups.idxmax()!r} is in {groups.max()} of them)" if len(groups) and groups.max() > 1 else ""


def _settle(table: pd.DataFrame, spec: SplitSpec) -> dict[str, Side]:
    """Find donors on several sides: refuse them, or say on which their cells stay."""
    rank_of: dict[object, int] = {side: rank for rank, side in enumerate(SIDES)}
    ranks = table["side"].map(rank_of).groupby(table["donor"]).agg(["min", "max"])
    shared = ranks[ranks["min"] < ranks["max"]]
    if len(shared) and spec.shared_donors == "refuse":
        first = shared.iloc[0]
        others = f", and so would {len(shared) - 1:,} others" if len(shared) > 1 else ""
        raise ConfigError(
            f"The split {spec.name!r} by {spec.by} would put the donor {shared.index[0]!r} on both sides, "
            f"{SIDES[first['min']]!r} and {SIDES[first['max']]!r}{others}. "
            "Split by donor, or set shared_donors: drop to leave such donors' cells out of training."
        )
    return {str(donor): SIDES[int(rank)] for donor, rank in shared["max"].items()}


def _check_sides(sizes: dict[str, int], side_of: dict[str, str], spec: SplitSpec) -> None:
    wanted = {"train", *spec.shares, *side_of.values()} | ({"test"} if spec.after else set())
    empty = [side for side in SIDES if side in wanted and not sizes[side]]
    if empty:
        raise ConfigError(
            f"The split {spec.name!r} leaves no cell for {empty[0]!r}: by {spec.by} there are {len(side_of):,} groups "
            f"and {sum(sizes.values()):,} cells. Name other groups, or give other shares."
        )
