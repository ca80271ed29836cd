"""The map of fingerprints as two pictures: coloured by type and by score.

A picture is drawn with one path for each colour, whose points are strokes of length zero with round ends: a
tenth of the size of circles.  Axes: ``n`` cells on the map, ``q`` steps of the score.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY, ink_on
from spoticell.keys import UNKNOWN
from spoticell.report.html import Markup, join, tag
from spoticell.report.map import choose_mapped, project
from spoticell.report.sections.composition import Lineage, TypeRow, number_badge

SIDE = 600
MARGIN = 30
BADGE = 13
"""Radius of a number on the map."""

STEPS = 6
"""Shades for scores from the least that an answer has up to 1."""

LISTED = 24
"""Types that are named under the map."""

Positions = NDArray[np.float64]


def map_section(annotation: Annotation, lineages: Sequence[Lineage]) -> Markup | None:
    """Draw both maps with their keys; None where no cell has a fingerprint."""
    held = np.flatnonzero(annotation.fingerprint_sd.any(axis=1))
    if not len(held):
        return None
    chosen = held[choose_mapped(len(held))]
    made_s2 = annotation.position_s2
    places_n2 = project(annotation.fingerprint_sd[chosen]) if made_s2 is None else made_s2[chosen]
    positions_n2 = MARGIN + (SIDE - 2 * MARGIN) * places_n2
    cells = annotation.sample_s[chosen]
    answer_n, score_n = annotation.answer_n[cells], annotation.score_n[cells]
    rows = [row for lineage in lineages for row in lineage.rows]
    radius = float(np.clip(110 / np.sqrt(len(chosen)), 2.2, 7))
    by_type = _picture(
        [
            *_type_paths(positions_n2, answer_n, rows, radius),
            *_badges(positions_n2, answer_n, sorted(rows, key=lambda row: -row.cells)),
        ],
        "Map of the fingerprints, one point a cell, coloured by type.",
    )
    by_score = _picture(
        _score_paths(positions_n2, score_n, answer_n, annotation.least_score, radius),
        "The same map, coloured by score.",
    )
    all_cells = len(annotation.answer_n)
    drawn = f"All {all_cells:,} cells" if len(chosen) == all_cells else f"{len(chosen):,} of {all_cells:,} cells"
    figures = tag(
        "div",
        tag("figure", by_type, tag("figcaption", "By type")),
        _type_key(rows, unknown=bool((answer_n < 0).any())),
        tag("figure", by_score, tag("figcaption", "By score", _score_key(annotation))),
        class_="maps",
    )
    note = tag("p", f"{drawn}, laid out by t-SNE: neighbours look alike, distances between groups mean little.")
    return join([figures, note])


def _picture(pieces: Sequence[Markup], words: str) -> Markup:
    return tag("svg", *pieces, viewBox=f"0 0 {SIDE} {SIDE}", role="img", aria_label=words)


def _type_paths(
    positions_n2: Positions, answer_n: NDArray[np.intp], rows: Sequence[TypeRow], radius: float
) -> list[Markup]:
    """Points by type, the largest type first so that it covers none."""
    groups = [(UNKNOWN, -1, GREY, radius * 0.8)]
    groups += [(row.name, row.answer, row.color, radius) for row in sorted(rows, key=lambda row: -row.cells)]
    return [
        _points(positions_n2[answer_n == answer], size, tag("title", name), stroke=color)
        for name, answer, color, size in groups
        if (answer_n == answer).any()
    ]


def _score_paths(
    positions_n2: Positions, score_n: NDArray[np.float32], answer_n: NDArray[np.intp], least: float, radius: float
) -> list[Markup]:
    """Points by score, the surest first, so that doubts lie on top."""
    step_n = score_steps(score_n, least)
    paths = [
        _points(positions_n2[(answer_n >= 0) & (step_n == step)], radius, class_=f"q{step}")
        for step in reversed(range(STEPS))
        if ((answer_n >= 0) & (step_n == step)).any()
    ]
    if (answer_n < 0).any():
        paths.append(_points(positions_n2[answer_n < 0], radius, tag("title", UNKNOWN), class_="none"))
    return paths


def score_steps(score_n: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Give the shade of each score, from 0 at the least that an answer has.

    Examples
    --------
    >>> score_steps(np.float32([0.5, 0.75, 1]), 0.5).tolist()
    [0, 3, 5]
    """
    part_n = (score_n - least) / max(1 - least, 1e-6)
    return np.clip((part_n * STEPS).astype(np.intp), 0, STEPS - 1)


def _points(positions_n2: Positions, radius: float, *title: Markup, **attributes: str) -> Markup:
    steps = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in positions_n2.tolist())
    return tag("g", *title, tag("path", d=steps), stroke_width=2 * radius, **attributes)


def _badges(positions_n2: Positions, answer_n: NDArray[np.intp], rows: Sequence[TypeRow]) -> list[Markup]:
    """Put each type's number where its cells are densest, but not on another number."""
    taken: list[tuple[float, float]] = []
    badges = []
    for row in rows[:LISTED]:
        own_n2 = positions_n2[answer_n == row.answer]
        if not len(own_n2):
            continue
        density = np.array([len(near) for near in KDTree(own_n2).query_ball_point(own_n2, SIDE / 12)], dtype=float)
        if taken:
            gap = np.min(np.linalg.norm(own_n2[:, None] - np.array(taken), axis=2), axis=1)
            density *= gap > 2 * BADGE
        if density.max() == 0:
            continue
        x, y = own_n2[int(density.argmax())].round().tolist()
        taken.append((x, y))
        badges.append(_badge(row, x, y))
    return badges


def _badge(row: TypeRow, x: float, y: float) -> Markup:
    number = str(row.number)
    return tag(
        "g",
        tag("title", row.name),
        tag("circle", cx=x, cy=y, r=BADGE, fill=row.color),
        tag("text", number, x=x, y=y + 5, fill=ink_on(row.color), font_size=15 if len(number) < 3 else 11.5),
        class_="number",
    )


def _type_key(rows: Sequence[TypeRow], *, unknown: bool) -> Markup:
    commonest = sorted(sorted(rows, key=lambda row: -row.cells)[:LISTED], key=lambda row: row.number)
    items = [tag("li", number_badge(row), " ", row.name) for row in commonest]
    if len(rows) > LISTED:
        items.append(tag("li", f"and {len(rows) - LISTED} rarer types"))
    if unknown:
        badge = tag("span", "–", class_="badge", style=f"background:{GREY};color:{ink_on(GREY)}")
        items.append(tag("li", badge, UNKNOWN))
    return tag("ol", *items, class_="key")


def _score_key(annotation: Annotation) -> Markup:
    steps = (tag("i", class_=f"q{step}") for step in range(STEPS))
    scale = tag("span", f"{annotation.least_score:.2f} ", tag("span", *steps, class_="scale"), " 1.00")
    unknown = tag("span", tag("i", class_="none"), " unknown") if (annotation.answer_n < 0).any() else None
    return tag("p", scale, unknown, class_="key")
