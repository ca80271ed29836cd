"""How answers look when Python or a notebook prints them: a few lines, or a small table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    from spoticell.annotation.result import Annotation

TOP = 8
"""Types that are named; the others are counted."""


class Row(NamedTuple):
    """One line of what is printed."""

    term: str
    """Ontology term; '' of several types together."""
    name: str
    cells: int
    share: float
    score: float | None
    """Median of the cells' scores; None where there is no one answer."""


def as_text(annotation: Annotation) -> str:
    """Give cells, model and commonest types in a few lines.

    Parameters
    ----------
    annotation
        The answers.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> print(as_text(spoticell.annotate(cells)).splitlines()[0])
    Annotation of pbmc68k_reduced.h5ad by human-v1: 700 cells, ... named, ... unknown
    """
    rows = _rows(annotation)
    table = [
        f"{row.cells:>9,}  {row.share:>6.1%}  {'' if row.score is None else f'{row.score:.2f}':>5}  {row.name}"
        for row in rows
    ]
    head = f"{'cells':>9}  {'share':>6}  {'score':>5}  type"
    return "\n".join([f"Annotation of {_headline(annotation)}", head, *table, *_cautions(annotation)])


def as_html(annotation: Annotation) -> str:
    """Give the same as a small table in which each type has its colour.

    Parameters
    ----------
    annotation
        The answers.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> as_html(spoticell.annotate(cells)).count("<tr>")
    10
    """
    rows = "".join(_html_row(annotation, row) for row in _rows(annotation))
    cautions = "".join(f"<p>{escape(line)}</p>" for line in _cautions(annotation))
    left = 'style="text-align:left"'
    return (
        f"<div><p>{escape(_headline(annotation))}</p><table><thead><tr><th {left}>type</th><th>cells</th><th>share</th>"
        f"<th>score</th></tr></thead><tbody>{rows}</tbody></table>{cautions}</div>"
    )


def _html_row(annotation: Annotation, row: Row) -> str:
    # types together have no colour, but the place of one, so that names stand in line
    color = annotation.colors.of(row.term) if row.term else "transparent"
    dot = f'<span style="display:inline-block;width:.7em;height:.7em;margin-right:.5em;background:{color}"></span>'
    score = "" if row.score is None else f"{row.score:.2f}"
    return (
        f'<tr><td style="text-align:left">{dot}{escape(row.name)}</td><td>{row.cells:,}</td><td>{row.share:.1%}</td>'
        f"<td>{score}</td></tr>"
    )


def _headline(annotation: Annotation) -> str:
    cells, unknown = len(annotation.answer_n), int((annotation.answer_n < 0).sum())
    return (
        f"{annotation.findings.source} by {annotation.bundle.name}: {cells:,} {'cell' if cells == 1 else 'cells'}, "
        f"{cells - unknown:,} named, {unknown:,} unknown"
    )


def _rows(annotation: Annotation) -> list[Row]:
    records = annotation.summary().to_dict(orient="records")
    known = [record for record in records if record["term"] != UNKNOWN]
    rows = [
        Row(record["term"], short_name(record["term"]), record["cells"], record["share"], record["median_score"])
        for record in known[:TOP]
    ]
    if rest := known[TOP:]:
        name = f"{len(rest)} other {'type' if len(rest) == 1 else 'types'}"
        rows.append(Row("", name, sum(one["cells"] for one in rest), sum(one["share"] for one in rest), None))
    rows += [Row(UNKNOWN, UNKNOWN, one["cells"], one["share"], None) for one in records if one["term"] == UNKNOWN]
    return rows


def _cautions(annotation: Annotation) -> list[str]:
    return [f"note: {caution.text}" for caution in annotation.cautions]
