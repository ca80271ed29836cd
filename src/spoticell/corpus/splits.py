"""Honest splits of a corpus: by data set, donor, assay or release, never with a donor on two sides.

A split says on which side each group of cells is, not each cell, so it stays small however many cells there are.
A donor is a donor of the store; cells whose donor is unknown count as one donor a data set.
Axis: ``n`` cells, or groups of them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from spoticell.corpus.block import ASSAY, DATASET
from spoticell.corpus.dealing import SIDES, Side, deal, linked, shuffled
from spoticell.corpus.words import filled
from spoticell.errors import ConfigError, StoreError
from spoticell.keys import DONOR, UNKNOWN

RELEASE = "release"
"""Column: day on which the data set of a cell came out, as ``2025-11-08``; '' where nobody knows."""

N_CELLS = "n_cells"
"""Column: cells that a row stands for; 1 where it is missing."""

COLUMNS = {"dataset": DATASET, "donor": DONOR, "assay": ASSAY, "release": DATASET}
"""Column that groups the cells of each kind of split."""

MAJOR, MINOR = 1, 0
"""The format of a split that this release writes; it reads every ``MAJOR.x`` up to ``MINOR``."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Share = Annotated[float, Field(gt=0, le=1)]


class SplitSpec(BaseModel):
    """How a split shall be made.

    Groups that are named go where they are named; the others are dealt by ``shares``, those that share a donor
    together, and without shares all go to ``train``.

    Examples
    --------
    >>> SplitSpec(name="donors", by="donor", shares={"train": 0.7, "validation": 0.15, "test": 0.15}).seed
    0
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    by: Literal["dataset", "donor", "assay", "release"]
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    after: datetime.date | None = None
    """By release: data sets that came out later are for testing."""
    shares: dict[Side, Share] = {}
    """Part of the cells on each side, roughly; they sum to 1."""
    seed: int = 0
    shared_donors: Literal["refuse", "drop"] = "refuse"
    """What happens where a donor is on two sides: nothing is made, or its cells stay on the last of them only."""

    @model_validator(mode="after")
    def _is_a_split(self) -> Self:
        named = [group for side in SIDES for group in getattr(self, side)]
        if len(set(named)) < len(named):
            raise ValueError("a group is named twice")
        if self.shares and abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError(f"shares sum to {sum(self.shares.values()):g}; 1 is needed")
        if (self.by == "release") != (self.after is not None):
            raise ValueError("a split by release needs a day in 'after', and no other split has one")
        if not (self.validation or self.test or self.after or set(self.shares) - {"train"}):
            raise ValueError("nothing is put aside; name groups for 'test' or 'validation', or give shares")
        return self


class Split(BaseModel):
    """On which side each group of cells is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}$")] = f"{MAJOR}.{MINOR}"
    spec: SplitSpec
    members: dict[Side, tuple[str, ...]]
    """Groups of each side, sorted: values of the column that the split goes by."""
    shared_donors: dict[str, Side] = {}
    """Donors that would be on several sides, with the only one on which their cells stay."""
    cells: dict[str, int]
    """Cells of each side, and those that are ``dropped``."""

    @property
    def name(self) -> str:
        """What the split is called."""
        return self.spec.name

    @property
    def sha256(self) -> str:
        """Hash of all that the split says, as JSON with sorted keys and no spaces."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def side_of(self, cells: pd.DataFrame) -> NDArray[np.object_]:
        """Say on which side each cell is.

        Parameters
        ----------
        cells
            Table about ``n`` cells of the store, with its columns.

        Returns
        -------
        ``train``, ``validation``, ``test``, or '' for a cell that is dropped since its donor is on another side.

        Raises
        ------
        StoreError
            If there are cells that the split was not made with.
        """
        side_of = {group: side for side, groups in self.members.items() for group in groups}
        group_n = _text(cells, COLUMNS[self.spec.by]) if self.spec.by != "donor" else donors(cells)
        side_n = _take([side_of.get(group, "?") for group in group_n.categories], group_n)
        if (side_n == "?").any():
            raise StoreError(
                f"The split {self.name!r} doesn't know the {self.spec.by} "
                f"{str(group_n[side_n == '?'][0])!r}, which came later. Make the split again."
            )
        donor_n = donors(cells)
        stays_n = _take([self.shared_donors.get(donor, "") for donor in donor_n.categories], donor_n)
        side_n[(stays_n != "") & (stays_n != side_n)] = ""
        return side_n


def donors(cells: pd.DataFrame) -> pd.Categorical:
    """Give the donor of each cell; an unknown one is the unknown donor of the cell's data set.

    Examples
    --------
    >>> list(donors(pd.DataFrame({"dataset_id": ["a", "b", "b"], "donor_id": ["Ann", "unknown", "unknown"]})))
    ['Ann', 'b/unknown', 'b/unknown']
    """
    donor_n, dataset_n = _text(cells, DONOR), _text(cells, DATASET)
    if UNKNOWN not in donor_n.categories:
        return donor_n
    names = [*donor_n.categories, *(f"{dataset}/{UNKNOWN}" for dataset in dataset_n.categories)]
    unknown_n = donor_n.codes == donor_n.categories.get_loc(UNKNOWN)
    code_n = np.where(unknown_n, len(donor_n.categories) + dataset_n.codes.astype(np.int64), donor_n.codes)
    code_of_name, unique = pd.factorize(np.array(names, dtype=object), sort=True)
    return pd.Categorical.from_codes(code_of_name[code_n], categories=pd.Index(unique))


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
    dropped = (table["donor"].map(stays).fillna(table["side"]) != table["side"]).to_numpy()
    counted = table[~dropped].groupby("side")[N_CELLS].sum()
    sizes = {side: int(counted.get(side, 0)) for side in SIDES} | {"dropped": int(table[N_CELLS][dropped].sum())}
    _check_sides(sizes, side_of, spec)
    members = {side: tuple(sorted(group for group in side_of if side_of[group] == side)) for side in SIDES}
    return Split(spec=spec, members=members, shared_donors=stays, cells=sizes)


def _grouped(cells: pd.DataFrame, spec: SplitSpec) -> pd.DataFrame:
    """Count the cells of each group and donor."""
    group_n = donors(cells) if spec.by == "donor" else _text(cells, COLUMNS[spec.by])
    columns: dict[str, Any] = {"group": group_n, "donor": donors(cells)}
    if spec.by == "release":
        columns[RELEASE] = _text(cells, RELEASE)
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


def _text(cells: pd.DataFrame, column: str) -> pd.Categorical:
    if column not in cells:
        raise ConfigError(f"A split needs the column {column!r} about cells; there are {', '.join(cells.columns)}.")
    values = cells[column].array
    codes = values if isinstance(values, pd.Categorical) else pd.Categorical(values)
    return filled(codes.rename_categories(str), UNKNOWN)


def _take(words: Sequence[str], codes: pd.Categorical) -> NDArray[np.object_]:
    taken: NDArray[np.object_] = np.array(words, dtype=object)[codes.codes]
    return taken
