"""Which types a set of cells has: counts in two levels, and what the table of types shows of them.

Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.result import Annotation
from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.biology.palette import GREY
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN

SHOWN = 30
"""Types that are in the table at once; the rarer ones open on request."""


@dataclass(frozen=True)
class TypeRow:
    """The cells of one type."""

    number: int
    """Its place among all types by their cells, from 1; the same in all pictures and on the web page."""
    answer: int
    """Position in the bundle's nodes."""
    term: str
    name: str
    color: str
    """As ``#rrggbb``."""
    score_n: NDArray[np.float32] = field(repr=False, compare=False)
    """Scores of its cells."""

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self.score_n)

    @property
    def median_score(self) -> float:
        """Over its cells."""
        return float(np.median(self.score_n))

    @property
    def short(self) -> str:
        """Its short name."""
        return short_name(self.term)


@dataclass(frozen=True)
class Lineage:
    """The cells of one broad type."""

    term: str
    """Of the broad type, or ``unknown`` where the types have none above them."""
    name: str
    rows: tuple[TypeRow, ...]
    color: str
    """As ``#rrggbb``."""

    @property
    def short(self) -> str:
        """Its short name; the name itself where it is of no term."""
        return self.name if self.term == UNKNOWN else short_name(self.term)

    @property
    def cells(self) -> int:
        """Of all its types."""
        return sum(row.cells for row in self.rows)

    @property
    def median_score(self) -> float:
        """Over all its cells."""
        return float(np.median(np.concatenate([row.score_n for row in self.rows])))

    @property
    def alone(self) -> TypeRow | None:
        """The type of all its cells, where that is the broad type itself."""
        return self.rows[0] if [row.term for row in self.rows] == [self.term] else None


@dataclass(frozen=True)
class Part:
    """A piece of a bar of all cells."""

    name: str
    cells: int
    color: str
    full: str = ""
    """What the name is short for, if it is."""


@dataclass(frozen=True)
class Group:
    """The rows of the table of types for one broad type."""

    lineage: Lineage
    shown: tuple[TypeRow, ...]
    """Types with a row below that of the broad type."""
    rare: Lineage | None
    """The other types, which share a row and are listed apart; None where there are none."""


@dataclass(frozen=True)
class TypeTable:
    """The table of types, each with a bar."""

    groups: tuple[Group, ...]
    total: int
    """Cells in all."""
    unknown: int
    longest: int
    """Cells of the longest bar."""
    unknown_color: str = GREY

    @property
    def n_rare(self) -> int:
        """Types that are listed apart."""
        return sum(len(group.rare.rows) for group in self.groups if group.rare)


def compose(annotation: Annotation) -> list[Lineage]:
    """Count cells by broad type and by type, most first; cells without a type are left out."""
    ontology, n_nodes = load_ontology(), len(annotation.nodes)
    known_n = annotation.answer_n >= 0
    answer_n, score_n = annotation.answer_n[known_n], annotation.score_n[known_n]
    cells_m = np.bincount(answer_n, minlength=n_nodes)
    by_broad: dict[str, list[TypeRow]] = {}
    for place, answer in enumerate(np.argsort(-cells_m, kind="stable")[: np.count_nonzero(cells_m)].tolist()):
        term, color = annotation.nodes[answer], annotation.colors.of(annotation.nodes[answer])
        row = TypeRow(place + 1, answer, term, annotation.names[answer], color, score_n[answer_n == answer])
        by_broad.setdefault(ontology.broad_level(term), []).append(row)
    lineages = [_lineage(broad, rows, annotation, ontology) for broad, rows in by_broad.items()]
    return sorted(lineages, key=lambda lineage: -lineage.cells)


def _lineage(broad: str, rows: list[TypeRow], annotation: Annotation, ontology: Ontology) -> Lineage:
    if broad == UNKNOWN:
        return Lineage(broad, "other types", tuple(rows), rows[0].color)
    return Lineage(broad, ontology.name(broad), tuple(rows), annotation.colors.of(broad))


def type_table(lineages: Sequence[Lineage], annotation: Annotation) -> TypeTable:
    """Settle what is in the table of types; the rarest ones are summed, and listed apart."""
    rare = _rare_types(lineages)
    return TypeTable(
        groups=tuple(_group(lineage, rare) for lineage in lineages),
        total=len(annotation.answer_n),
        unknown=int((annotation.answer_n < 0).sum()),
        longest=max([lineage.cells for lineage in lineages], default=1),
    )


def _group(lineage: Lineage, rare: frozenset[int]) -> Group:
    shown = () if lineage.alone else tuple(row for row in lineage.rows if row.number not in rare)
    rest = tuple(row for row in lineage.rows if row.number in rare)
    return Group(lineage, shown, Lineage(lineage.term, lineage.name, rest, lineage.color) if rest else None)


def _rare_types(lineages: Sequence[Lineage]) -> frozenset[int]:
    """Give the numbers of the types to sum: beyond the commonest, neither first nor the only such one of a lineage."""
    commonest = sorted((row for lineage in lineages for row in lineage.rows), key=lambda row: -row.cells)[:SHOWN]
    kept = {row.number for row in commonest}
    rare: set[int] = set()
    for lineage in lineages:
        others = [row.number for row in lineage.rows[1:] if row.number not in kept]
        rare.update(others if len(others) > 1 else [])
    # a second table for a few types isn't worth it
    return frozenset(rare if len(rare) > 5 else ())
