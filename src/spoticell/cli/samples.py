"""What commands print and write of samples and groups: tables of them, and how two conditions differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spoticell.cli.tables import TOP, columns, share
from spoticell.io.address import Place

if TYPE_CHECKING:
    from spoticell.annotation.composition import Composition
    from spoticell.annotation.differences import Differences
    from spoticell.annotation.groups import Groups
    from spoticell.io.write import Placed

SHOWN = 6
"""Samples that have a column each; of more the least, the median and the largest share are shown."""

LONGEST = 14
"""Letters that are shown of the name of a sample or condition."""


@dataclass(frozen=True)
class SampleTables:
    """The csv files of samples and groups that are asked for."""

    composition: Place | None
    """Where the composition by sample goes."""
    differences: Place | None
    """Where the differences between conditions go."""
    groups: Place | None = None
    """Where the table of groups goes."""
    overwrite: bool = False
    """Whether files may be replaced that are there."""

    def check(
        self,
        others: Iterable[Placed],
        *,
        condition: str | None,
        groups: str | None = None,
        sample: str | None = None,
    ) -> None:
        """Refuse before any work what couldn't be written; ``others`` says where all else goes and comes from.

        Raises
        ------
        SpoticellError
            If a file can't be written, or there are no conditions to compare, or no groups, or no table for a name.
        """
        from spoticell.errors import ConfigError
        from spoticell.io.write import check_apart, check_written

        if self.differences is not None and condition is None:
            raise ConfigError("there are differences between conditions only: give --condition COLUMN too.")
        if self.groups is not None and groups is None:
            raise ConfigError("there are no groups to write: give --groups COLUMN or --groups auto too.")
        if self.composition is None and sample is not None:
            raise ConfigError("there is no table in which to name the sample: give --composition TABLE too.")
        if sample is not None and not sample.strip():
            raise ConfigError("the name of the sample is empty: give --sample a name, or leave it out.")
        tables = ("the composition", "the differences", "the groups")
        check_apart(zip(tables, (self.composition, self.differences, self.groups), strict=True), others)
        for path in self.paths:
            check_written(path, kinds=(".csv",), what="a table is written as .csv", overwrite=self.overwrite)

    @property
    def paths(self) -> list[Place]:
        """The files that are written."""
        return list(self.given.values())

    @property
    def given(self) -> dict[str, Place]:
        """The files that are written, by the names of their options."""
        places = {"composition": self.composition, "differences": self.differences, "groups_output": self.groups}
        return {name: path for name, path in places.items() if path is not None}

    def write(self, composition: Composition, differences: Differences | None, groups: Groups | None = None) -> None:
        """Write the files."""
        from spoticell.io.write import write_csv

        if self.composition is not None:
            write_csv(self.composition, [composition.table()], overwrite=self.overwrite)
        if self.differences is not None and differences is not None:
            write_csv(self.differences, [differences.table], overwrite=self.overwrite)
        if self.groups is not None and groups is not None:
            write_csv(self.groups, [groups.table], overwrite=self.overwrite)


def sample_lines(composition: Composition, differences: Differences | None) -> list[str]:
    """List the commonest types of each sample, and the types that differ most between two conditions."""
    lines = _composition(composition)
    return lines if differences is None or differences.table.empty else [*lines, "", *_differences(differences)]


def _composition(composition: Composition) -> list[str]:
    total_s = composition.cells_st.sum(axis=1)
    known = list(range(len(composition.terms) - 1))[:TOP]
    few = len(composition.samples) <= SHOWN
    heads = [_cut(name) for name in composition.samples] if few else ["least", "median", "most"]
    rows = [(*heads, f"share in each of {len(composition.samples)} samples" if few else _among(composition))]
    for place in (*known, -1):
        cells_s = composition.cells_st[:, place]
        shares = [share(cells, total) for cells, total in zip(cells_s.tolist(), total_s.tolist(), strict=True)]
        if not few:
            spread = sorted((composition.shares_st[:, place]).tolist())
            shares = [f"{value:.1%}" for value in (spread[0], spread[len(spread) // 2], spread[-1])]
        rows.append((*shares, composition.names[place]))
    if few:
        rows.insert(1, (*(f"{total:,}" for total in total_s.tolist()), "cells"))
    return columns(rows, right=frozenset(range(len(heads))))


def _among(composition: Composition) -> str:
    return f"share among {len(composition.samples)} samples"


def _differences(differences: Differences) -> list[str]:
    rows = [(*(_cut(name) for name in differences.conditions), "change", "95%", "p", "q", "type, with subtypes")]
    rows += [
        (
            f"{row['share_first']:.1%}",
            f"{row['share_second']:.1%}",
            f"{100 * row['difference']:+.1f}",
            f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}" if row["low"] == row["low"] else "-",
            *(f"{row[name]:.3f}" if row[name] == row[name] else "-" for name in ("p", "q")),
            str(row["cell_type"]),
        )
        for row in differences.table.head(TOP).to_dict(orient="records")
    ]
    return columns(rows, right=frozenset(range(6)))


def _cut(name: str) -> str:
    """Shorten a name in the middle: samples are often told apart by their ends."""
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[: half - 1]}…{name[-half:]}"
