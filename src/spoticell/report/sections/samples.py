"""What each sample holds, as a bar of its types, and how two conditions differ.

Axes: ``s`` samples, ``t`` types.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spoticell.annotation.colors import TypeColors
from spoticell.annotation.composition import Composition
from spoticell.annotation.differences import FEWEST_CELLS, Differences
from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN
from spoticell.report.sections.composition import Lineage, Part, compose

SHOWN = 24
"""Samples that have a bar."""
IN_TABLE = 8
"""Samples that have a column in the table of shares."""
TYPES = 15
"""Types that have a part of their own in a bar and a row in the table; the others are summed."""
COMPARED = 15
"""Types that are listed as different."""

OTHERS = "var(--line)"
"""Colour of the other types together."""


@dataclass(frozen=True)
class Bar:
    """The cells of one sample."""

    name: str
    condition: str
    cells: int
    parts: tuple[Part, ...]
    heading: str = ""
    """The condition, where this is the first bar of several of it."""


@dataclass(frozen=True)
class Row:
    """One type in the samples."""

    name: str
    full: str
    """What the name is short for."""
    color: str
    shares: tuple[tuple[float, float, float], ...]
    """In each sample: the share, and the bounds of its interval."""


@dataclass(frozen=True)
class Change:
    """One type in two conditions."""

    name: str
    full: str
    """What the name is short for."""
    color: str
    first: float
    second: float
    bounds: tuple[float, float] | None
    """Of the change; None where there is no test."""
    p: float | None
    q: float | None


@dataclass(frozen=True)
class SampleView:
    """What is shown of the samples."""

    by: str
    """What tells them apart."""
    n_samples: int
    condition: str | None
    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    differences: Differences | None
    fewest: int = FEWEST_CELLS

    @property
    def in_table(self) -> int:
        """Samples that have a column."""
        return min(self.n_samples, IN_TABLE)

    @property
    def columns(self) -> tuple[Bar, ...]:
        """The samples that have a column."""
        return self.bars[: self.in_table]

    @property
    def key(self) -> list[Part]:
        """What the colours of the bars mean."""
        return [part for part in self.bars[0].parts if any(self.cells_of(part.name))]

    def cells_of(self, name: str) -> list[int]:
        """Give the cells of a part in each bar."""
        return [part.cells for bar in self.bars for part in bar.parts if part.name == name]


def sample_view(annotation: Annotation) -> SampleView | None:
    """Gather what is shown of the samples; None where none are told."""
    samples, found = annotation.samples, annotation.differences
    if samples is None:
        return None
    composition = annotation.by_sample
    own, colors = _own_parts(composition, compose(annotation)), annotation.colors
    return SampleView(
        by=samples.by or annotation.findings.source,
        n_samples=len(samples.names),
        condition=samples.condition,
        bars=_headed([_bar(composition, place, own, colors) for place in range(min(len(composition.samples), SHOWN))]),
        rows=_rows(composition, colors),
        changes=() if found is None else _changes(found, colors),
        differences=found,
    )


def _own_parts(composition: Composition, lineages: list[Lineage]) -> list[int]:
    """Give the places of the types with parts of their own, those of one broad type beside each other."""
    mean_t = composition.shares_st[:, :-1].mean(axis=0)
    chosen = np.argsort(-mean_t, kind="stable")[:TYPES].tolist()
    order = {row.term: number for number, row in enumerate(row for lineage in lineages for row in lineage.rows)}
    return sorted(chosen, key=lambda place: order[composition.terms[place]])


def _headed(bars: list[Bar]) -> tuple[Bar, ...]:
    """Put a condition above the first of its bars."""
    before = [None, *(bar.condition for bar in bars)]
    return tuple(
        replace(bar, heading=bar.condition) if bar.condition not in ("", bar.name, last) else bar
        for bar, last in zip(bars, before, strict=False)
    )


def _bar(composition: Composition, sample: int, own: list[int], colors: TypeColors) -> Bar:
    cells_t = composition.cells_st[sample].tolist()
    parts = []
    for place in own:
        term, name = composition.terms[place], composition.names[place]
        parts.append(Part(short_name(term), cells_t[place], colors.of(term), name))
    total = sum(cells_t)
    others = total - cells_t[-1] - sum(part.cells for part in parts)
    parts += [Part("other types", others, OTHERS), Part(UNKNOWN, cells_t[-1], GREY)]
    return Bar(composition.samples[sample], composition.conditions[sample], total, tuple(parts))


def _rows(composition: Composition, colors: TypeColors) -> tuple[Row, ...]:
    table = composition.table()
    chosen = [*composition.terms[:-1][:TYPES], UNKNOWN]
    shown = table[table["sample"].isin(composition.samples[:IN_TABLE])]
    return tuple(
        Row(
            short_name(term),
            composition.names[composition.terms.index(term)],
            colors.of(term),
            tuple(shown.loc[shown["term"] == term, ["share", "low", "high"]].itertuples(index=False, name=None)),
        )
        for term in chosen
    )


def _changes(found: Differences, colors: TypeColors) -> tuple[Change, ...]:
    return tuple(
        Change(
            short_name(row["term"]),
            row["cell_type"],
            colors.of(row["term"]),
            row["share_first"],
            row["share_second"],
            (row["low"], row["high"]) if row["low"] == row["low"] else None,
            *(row[name] if row[name] == row[name] else None for name in ("p", "q")),
        )
        for row in found.table.head(COMPARED).to_dict(orient="records")
    )
