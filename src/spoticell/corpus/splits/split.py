"""What a split of a corpus is: how it shall be made, and on which side each group of cells is.

A split says on which side each group of cells is, not each cell, so it stays small however many cells there are.
A donor is a donor of the store; cells whose donor is unknown count as one donor a data set.
Axis: ``n`` cells, or groups of them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from spoticell.biology.columns import filled
from spoticell.corpus.block import ASSAY, DATASET
from spoticell.corpus.splits.dealing import SIDES, Side
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
        group_n = text(cells, COLUMNS[self.spec.by]) if self.spec.by != "donor" else donors(cells)
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
    donor_n, dataset_n = text(cells, DONOR), text(cells, DATASET)
    if UNKNOWN not in donor_n.categories:
        return donor_n
    names = [*donor_n.categories, *(f"{dataset}/{UNKNOWN}" for dataset in dataset_n.categories)]
    unknown_n = donor_n.codes == donor_n.categories.get_loc(UNKNOWN)
    code_n = np.where(unknown_n, len(donor_n.categories) + dataset_n.codes.astype(np.int64), donor_n.codes)
    code_of_name, unique = pd.factorize(np.array(names, dtype=object), sort=True)
    return pd.Categorical.from_codes(code_of_name[code_n], categories=pd.Index(unique))


def text(cells: pd.DataFrame, column: str) -> pd.Categorical:
    """Give a column about cells as text, ``unknown`` where it says nothing.

    Raises
    ------
    ConfigError
        If there is no such column.
    """
    if column not in cells:
        raise ConfigError(f"A split needs the column {column!r} about cells; there are {', '.join(cells.columns)}.")
    values = cells[column].array
    codes = values if isinstance(values, pd.Categorical) else pd.Categorical(values)
    return filled(codes.rename_categories(str), UNKNOWN)


def _take(words: Sequence[str], codes: pd.Categorical) -> NDArray[np.object_]:
    taken: NDArray[np.object_] = np.array(words, dtype=object)[codes.codes]
    return taken
