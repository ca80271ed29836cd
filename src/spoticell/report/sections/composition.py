"""Which types a set of cells has: counts in two levels, and what the table of types shows of them.

Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spoticell.annotation.result import Annotation
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import GREY, term_color
from spoticell.keys import UNKNOWN

SHOWN = 30
"""Types that are in the table at once; the rarer ones open on request."""


@dataclass(frozen=True)
class TypeRow:
    """The cells of one type."""

    number: int
    """Its place in the table, from 1; the same in all pictures."""
    answer: int
    """Position in the bundle's nodes."""
    term: str
    name: str
    cells: int
    mean_score: float

    @property
    def color(self) -> str:
        """As ``#rrggbb``."""
        return term_color(self.term)


@dataclass(frozen=True)
class Lineage:
    """The cells of one broad type."""

    term: str
    """Of the broad type, or ``unknown`` where the types have none above them."""
    name: str
    rows: tuple[TypeRow, ...]

    @property
    def cells(self) -> int:
        """Of all its types."""
        return sum(row.cells for row in self.rows)

    @property
    def mean_score(self) -> float:
        """Over all its cells."""
        return sum(row.cells * row.mean_score for row in self.rows) / self.cells

    @property
    def color(self) -> str:
        """As ``#rrggbb``."""
        return term_color(self.term) if self.term != UNKNOWN else self.rows[0].color

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
    answer_n = annotation.answer_n[known_n]
    cells_m = np.bincount(answer_n, minlength=n_nodes)
    scores_m = np.bincount(answer_n, weights=annotation.score_n[known_n].astype(np.float64), minlength=n_nodes)
    by_broad: dict[str, list[int]] = {}
    for answer in np.argsort(-cells_m, kind="stable")[: np.count_nonzero(cells_m)].tolist():
        by_broad.setdefault(ontology.broad(annotation.nodes[answer]), []).append(answer)
    lineages: list[Lineage] = []
    number = 0
    for broad, found in sorted(by_broad.items(), key=lambda item: -int(cells_m[item[1]].sum())):
        rows = []
        for answer in found:
            number += 1
            cells = int(cells_m[answer])
            mean_score = float(scores_m[answer]) / cells
            rows.append(TypeRow(number, answer, annotation.nodes[answer], annotation.names[answer], cells, mean_score))
        name = ontology.name(broad) if broad != UNKNOWN else "other types"
        lineages.append(Lineage(broad, name, tuple(rows)))
    return lineages


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
    return Group(lineage, shown, Lineage(lineage.term, lineage.name, rest) if rest else None)


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
