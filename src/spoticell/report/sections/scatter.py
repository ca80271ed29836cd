"""The map of fingerprints as two pictures: coloured by type and by score.

A picture is drawn with one path for each colour, whose points are strokes of length zero with round ends: a
tenth of the size of circles.  Axes: ``n`` cells on the map, ``q`` steps of the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from spoticell.annotation.result import Annotation
from spoticell.biology.palette import GREY
from spoticell.keys import UNKNOWN
from spoticell.report.map import FEWEST, choose_mapped, project
from spoticell.report.sections.composition import Lineage, TypeRow

SIDE = 600
MARGIN = 30
BADGE = 13
"""Radius of a number on the map."""

STEPS = 6
"""Shades for scores from the least that an answer has up to 1."""

LISTED = 24
"""Types that are named under the map."""

Positions = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """Cells of one look."""

    name: str | None
    path: str
    width: float
    look: str
    """Colour, or class of the style sheet."""


@dataclass(frozen=True)
class Number:
    """A type's number among its cells."""

    type: TypeRow
    x: float
    y: float


@dataclass(frozen=True)
class FingerprintMap:
    """What is drawn of the map, and its keys."""

    by_type: tuple[Points, ...]
    by_score: tuple[Points, ...]
    numbers: tuple[Number, ...]
    listed: tuple[TypeRow, ...]
    """Types that are named under the map."""
    n_unlisted: int
    """The other types."""
    drawn: int
    """Cells on the map."""
    total: int
    """Cells in all."""
    drawn_unknown: bool
    """Whether some of the cells on the map are unknown."""
    any_unknown: bool
    """Whether some of all cells are."""
    least_score: float
    method: str
    """By which the cells were laid out."""
    unknown_color: str = GREY
    side: int = SIDE
    number_radius: int = BADGE
    steps: int = STEPS


def fingerprint_map(annotation: Annotation, lineages: Sequence[Lineage]) -> FingerprintMap | None:
    """Lay out both maps; None where no cell has a fingerprint."""
    held = np.flatnonzero(annotation.fingerprint_sd.any(axis=1))
    if not len(held):
        return None
    chosen = held[choose_mapped(len(held))]
    made_s2 = annotation.position_s2
    places_n2 = project(annotation.fingerprint_sd[chosen]) if made_s2 is None else made_s2[chosen]
    positions_n2 = MARGIN + (SIDE - 2 * MARGIN) * places_n2
    cells = annotation.sample_s[chosen]
    answer_n, score_n = annotation.answer_n[cells], annotation.score_n[cells]
    rows = sorted((row for lineage in lineages for row in lineage.rows), key=lambda row: -row.cells)
    radius = float(np.clip(110 / np.sqrt(len(chosen)), 2.2, 7))
    return FingerprintMap(
        by_type=tuple(_by_type(positions_n2, answer_n, rows, radius)),
        by_score=tuple(_by_score(positions_n2, score_n, answer_n, annotation.least_score, radius)),
        numbers=tuple(_numbers(positions_n2, answer_n, rows[:LISTED])),
        listed=tuple(sorted(rows[:LISTED], key=lambda row: row.number)),
        n_unlisted=len(rows[LISTED:]),
        drawn=len(chosen),
        total=len(annotation.answer_n),
        drawn_unknown=bool((answer_n < 0).any()),
        any_unknown=bool((annotation.answer_n < 0).any()),
        least_score=annotation.least_score,
        method="PCA" if len(chosen) < FEWEST else "t-SNE",
    )


def _by_type(
    positions_n2: Positions, answer_n: NDArray[np.intp], rows: Sequence[TypeRow], radius: float
) -> list[Points]:
    """Points by type, the largest type first so that it covers none."""
    groups = [(UNKNOWN, -1, GREY, radius * 0.8), *((row.name, row.answer, row.color, radius) for row in rows)]
    return [
        Points(name, _path(positions_n2[answer_n == answer]), 2 * size, color)
        for name, answer, color, size in groups
        if (answer_n == answer).any()
    ]


def _by_score(
    positions_n2: Positions, score_n: NDArray[np.float32], answer_n: NDArray[np.intp], least: float, radius: float
) -> list[Points]:
    """Points by score, the surest first, so that doubts lie on top."""
    step_n = np.where(answer_n >= 0, score_steps(score_n, least), -1)
    points = [
        Points(None, _path(positions_n2[step_n == step]), 2 * radius, f"q{step}")
        for step in reversed(range(STEPS))
        if (step_n == step).any()
    ]
    if (answer_n < 0).any():
        points.append(Points(UNKNOWN, _path(positions_n2[answer_n < 0]), 2 * radius, "none"))
    return points


def score_steps(score_n: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Give the shade of each score, from 0 at the least that an answer has.

    Examples
    --------
    >>> score_steps(np.float32([0.5, 0.75, 1]), 0.5).tolist()
    [0, 3, 5]
    """
    part_n = (score_n - least) / max(1 - least, 1e-6)
    return np.clip((part_n * STEPS).astype(np.intp), 0, STEPS - 1)


def _path(positions_n2: Positions) -> str:
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in positions_n2.tolist())


def _numbers(positions_n2: Positions, answer_n: NDArray[np.intp], rows: Sequence[TypeRow]) -> list[Number]:
    """Put each type's number where its cells are densest, but not on another number."""
    taken: list[tuple[float, float]] = []
    numbers = []
    for row in rows:
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
        numbers.append(Number(row, x, y))
    return numbers
