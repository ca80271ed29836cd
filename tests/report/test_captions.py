"""Names beside points."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spoticell.report.captions import LETTER, Label, place_labels

SIDE, HEIGHT, RING = 620, 21, 8
POINT = st.tuples(st.floats(0, SIDE), st.floats(0, SIDE))


def box(label: Label) -> tuple[float, float, float, float]:
    x, y = label.middle
    half = LETTER * len(label.text) * HEIGHT / 2
    return x - half, y - HEIGHT / 2, x + half, y + HEIGHT / 2


def overlap(one: Label, other: Label) -> bool:
    a, b = box(one), box(other)
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@given(st.lists(st.tuples(st.text(min_size=1, max_size=12), POINT), max_size=8))
def test_every_name_is_placed_in_order_within_the_picture(named):
    labels = place_labels([n for n, _ in named], [p for _, p in named], side=SIDE, height=HEIGHT, ring=RING)
    assert [(label.text, label.point) for label in labels] == named
    for label in labels:
        left, top, right, bottom = box(label)
        assert min(left, top) >= 0
        assert max(right, bottom) <= SIDE


def test_names_of_scattered_genes_do_not_overlap():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = [tuple(point) for point in rng.uniform(0, SIDE, (8, 2)).tolist()]
        labels = place_labels(["HLA-DRB1"] * 8, points, side=SIDE, height=HEIGHT, ring=RING)
        assert not any(overlap(one, other) for one, other in combinations(labels, 2))


def test_names_of_genes_in_one_spot_do_not_overlap():
    points = [(300 + 4 * i, 300 - 4 * (i % 3)) for i in range(8)]
    labels = place_labels(["S100A8"] * 8, points, side=SIDE, height=HEIGHT, ring=RING)
    assert not any(overlap(one, other) for one, other in combinations(labels, 2))


def test_a_lone_name_stays_close():
    [label] = place_labels(["CD3E"], [(310, 310)], side=SIDE, height=HEIGHT, ring=RING)
    assert np.hypot(*np.subtract(label.line_end, label.point)) < 2 * HEIGHT
