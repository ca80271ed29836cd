"""Which types a set of cells has: counts in two levels, and the table of bars that shows them.

Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spoticell.annotation.result import Annotation
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import GREY, ink_on, term_color
from spoticell.keys import UNKNOWN
from spoticell.report.html import Markup, join, share, tag

NAMED_FROM = 0.02
"""Share of the cells from which on a broad type is named at the head of the page."""

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


def composition_strip(lineages: Sequence[Lineage], annotation: Annotation) -> Markup:
    """Draw one bar of all cells, cut by broad type."""
    total = len(annotation.answer_n)
    parts = [(lineage.name, lineage.cells, lineage.color) for lineage in lineages]
    unknown = total - sum(cells for _, cells, _ in parts)
    parts += [(UNKNOWN, unknown, GREY)] if unknown else []
    words = ", ".join(f"{name} {share(cells, total)}" for name, cells, _ in parts)
    pieces = (
        tag("i", title=f"{name}: {cells:,} cells", style=f"flex-grow:{cells};background:{color}")
        for name, cells, color in parts
    )
    strip = tag("div", *pieces, class_="strip", role="img", aria_label=f"All cells by broad type: {words}.")
    main = [part for part in parts if part[1] >= NAMED_FROM * total]
    key = (
        tag("li", tag("i", class_="dot", style=f"background:{color}"), f"{name} {share(cells, total)}")
        for name, cells, color in main
    )
    return join([strip, tag("ul", *key, class_="striped", aria_hidden="true")])


def composition_table(lineages: Sequence[Lineage], annotation: Annotation) -> Markup:
    """Give the table of types, each with a bar; the rarest ones are summed there, and in a table that opens."""
    bars = _Bars(len(annotation.answer_n), max([lineage.cells for lineage in lineages], default=1))
    rare = _rare_types(lineages)
    bodies = [tag("tbody", *_lineage_rows(lineage, rare, bars)) for lineage in lineages]
    unknown = int((annotation.answer_n < 0).sum())
    if unknown:
        bodies.append(tag("tbody", bars.row(tag("span", UNKNOWN), unknown, None, color=GREY, broad=True)))
    table = _table("Types found", bodies)
    if not rare:
        return table
    rare_rows = (_type_row(row, lineage, bars) for lineage in lineages for row in lineage.rows if row.number in rare)
    more = _table("Rarer types", [tag("tbody", *rare_rows)])
    return join([table, tag("details", tag("summary", f"All {len(rare):,} rarer types"), more)])


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


@dataclass(frozen=True)
class _Bars:
    """Makes rows whose bars have one scale."""

    total: int
    """Cells in all."""
    longest: int
    """Cells of the longest bar."""

    def row(self, name: Markup, cells: int, mean_score: float | None, *, color: str, broad: bool = False) -> Markup:
        width = 100 * cells / self.longest
        bar = tag("i", tag("b", style=f"width:{width:.2f}%;background:{color}"), class_="bar")
        figures = (f"{cells:,}", share(cells, self.total), "–" if mean_score is None else f"{mean_score:.2f}")
        return tag(
            "tr",
            tag("th", tag("div", tag("span", name, class_="name"), bar), scope="row"),
            *(tag("td", figure) for figure in figures),
            class_="broad" if broad else None,
        )


def _table(caption: str, bodies: list[Markup]) -> Markup:
    heads = [tag("th", word, scope="col") for word in ("Type", "Cells", "Share", "Mean score")]
    head = tag("thead", tag("tr", *heads))
    return tag("table", tag("caption", caption, class_="hidden"), head, *bodies, class_="types")


def _lineage_rows(lineage: Lineage, rare: frozenset[int], bars: _Bars) -> Iterator[Markup]:
    first = lineage.rows[0]
    if len(lineage.rows) == 1 and first.term == lineage.term:
        name = join([number_badge(first), tag("span", lineage.name, " ", _term_link(lineage.term))])
        yield bars.row(name, lineage.cells, lineage.mean_score, color=lineage.color, broad=True)
        return
    yield bars.row(tag("span", lineage.name), lineage.cells, lineage.mean_score, color=lineage.color, broad=True)
    yield from (_type_row(row, lineage, bars) for row in lineage.rows if row.number not in rare)
    rest = Lineage(lineage.term, lineage.name, tuple(row for row in lineage.rows if row.number in rare))
    if rest.rows:
        words = tag("span", f"{len(rest.rows):,} rarer types")
        yield bars.row(words, rest.cells, rest.mean_score, color=lineage.color)


def _type_row(row: TypeRow, lineage: Lineage, bars: _Bars) -> Markup:
    name = f"{row.name}, no subtype" if row.term == lineage.term else row.name
    label = join([number_badge(row), tag("span", name, " ", _term_link(row.term))])
    return bars.row(label, row.cells, row.mean_score, color=row.color)


def number_badge(row: TypeRow) -> Markup:
    """Show a type's number on its colour."""
    return tag("span", str(row.number), class_="badge", style=f"background:{row.color};color:{ink_on(row.color)}")


def _term_link(term: str) -> Markup:
    address = f"http://purl.obolibrary.org/obo/{term.replace(':', '_')}"
    return tag("a", term, href=address, rel="noreferrer", class_="term")
