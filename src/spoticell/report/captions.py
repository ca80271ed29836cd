"""Where to put names on a picture so that they cover neither each other nor what they name.

Names are placed one by one, each where it does least harm.  Positions are x from the left and y from the
top of a square.  Axes: ``p`` points, ``s`` spots that a name could take, ``b`` boxes that are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]

DISTANCES = (0.6, 1.6, 2.8, 4.2, 6.0)
"""How far a name may be from its point, in lines of text."""

LETTER = 0.66
"""Width of a letter in heights of a line, rather too much than too little."""


@dataclass(frozen=True)
class Label:
    """A name beside its point."""

    text: str
    point: Point
    middle: Point
    """Of the name."""
    line_end: Point
    """Where a line from the point meets the name."""


def place_labels(
    texts: Sequence[str], points: Sequence[Point], *, side: float, height: float, ring: float
) -> list[Label]:
    """Put names beside points.

    Parameters
    ----------
    texts, points
        The names and what they name, the most important first.
    side
        Of the square that the names should stay in.
    height
        Of a line of text.
    ring
        Radius around each point that should stay free.

    Returns
    -------
    A label for each name, in the same order.

    Examples
    --------
    >>> [label] = place_labels(["CD3E"], [(50.0, 50.0)], side=100, height=10, ring=2)
    >>> label.text, label.middle != label.point
    ('CD3E', True)
    """
    points_p2 = np.array(points, dtype=np.float64).reshape(-1, 2)
    labels: list[Label] = []
    taken: list[Floats] = []
    for text, point in zip(texts, points_p2, strict=True):
        half = np.array([LETTER * len(text) / 2 + 0.2, 0.6]) * height
        spots_s2 = _spots(point, half, ring, height)
        boxes_s4 = np.hstack([spots_s2 - half, spots_s2 + half])
        ends_s2 = np.clip(point, spots_s2 - half, spots_s2 + half)
        harm_s = (
            100 * _outside(boxes_s4, side)
            + 10 * _hits(boxes_s4, np.array(taken).reshape(-1, 4))
            + 4 * _hits(boxes_s4, np.hstack([points_p2 - ring, points_p2 + ring]))
            + 6 * _line_hits(point, ends_s2, np.array(taken).reshape(-1, 4))
            + 6 * _crossings(point, ends_s2, labels)
            + 2 * np.hypot(*(ends_s2 - point).T) / side
        )
        best = int(harm_s.argmin())
        taken.append(boxes_s4[best])
        labels.append(Label(text, _pair(point), _pair(spots_s2[best]), _pair(ends_s2[best])))
    return labels


def _spots(point: Floats, half: Floats, ring: float, height: float) -> Floats:
    """Middles of a name around a point, nearer ones first, those at the sides before those above and below."""
    turns = np.arange(16) * np.pi / 8
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.vstack([point + around * (half + ring + distance * height) for distance in DISTANCES])


def _outside(boxes_s4: Floats, side: float) -> Floats:
    over = np.maximum(-boxes_s4[:, :2], 0).sum(axis=1) + np.maximum(boxes_s4[:, 2:] - side, 0).sum(axis=1)
    harm: Floats = (over > 0) + over / side
    return harm


def _hits(boxes_s4: Floats, others_b4: Floats) -> Floats:
    low, high = boxes_s4[:, None, :2], boxes_s4[:, None, 2:]
    meets = (low < others_b4[None, :, 2:]) & (high > others_b4[None, :, :2])
    hits: Floats = meets.all(axis=2).sum(axis=1).astype(np.float64)
    return hits


def _line_hits(point: Floats, ends_s2: Floats, boxes_b4: Floats) -> Floats:
    """How many boxes a line meets, looked at in ten places."""
    along = np.linspace(0, 1, 10)[None, :, None]
    places = (point + along * (ends_s2[:, None] - point))[:, :, None]
    inside = ((places > boxes_b4[:, :2]) & (places < boxes_b4[:, 2:])).all(axis=3)
    hits: Floats = np.count_nonzero(np.any(inside, axis=1), axis=1).astype(np.float64)
    return hits


def _crossings(point: Floats, ends_s2: Floats, labels: list[Label]) -> Floats:
    crossed_s = np.zeros(len(ends_s2))
    for label in labels:
        start, end = np.array(label.point), np.array(label.line_end)
        either_side = _side(point, ends_s2, start) * _side(point, ends_s2, end) < 0
        crossed_s += either_side & (_side(start, end, point) * _side(start, end, ends_s2) < 0)
    return crossed_s


def _side(start: Floats, end: Floats, of: Floats) -> Floats:
    along, to = end - start, of - start
    side: Floats = along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]
    return side


def _pair(point: Floats) -> Point:
    return float(point[0]), float(point[1])
