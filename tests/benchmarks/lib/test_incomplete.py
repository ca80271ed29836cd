"""Panels that cells are seen through, and what answers are worth there."""

import numpy as np
import pytest
from benchmarks.lib.incomplete import ALL, FEWEST_GENES, area_under, views, worth
from hypothesis import given, settings
from hypothesis import strategies as st

T_CELL, CD4, B_CELL = "CL:0000084", "CL:0000624", "CL:0000236"


@settings(deadline=None)
@given(st.integers(60, 400), st.integers(1, 3))
def test_random_panels_have_their_size_and_only_measured_genes(measured, draws):
    measured_g = np.random.default_rng(measured).permutation(500) < measured
    found = list(views(measured_g, {}, draws, sizes=(300, 100, 50)))
    assert found[0].name == ALL
    for view in found[1:]:
        assert view.panel_g.sum() == int(view.name) <= measured
        assert not (view.panel_g & ~measured_g).any()
    assert sum(view.name == "50" for view in found) == draws


def test_draws_of_one_size_differ_and_come_back_the_same():
    measured_g = np.ones(400, dtype=bool)
    first, second = ([view.panel_g for view in views(measured_g, {}, 3, sizes=(100,))][1:] for _ in range(2))
    assert np.array_equal(first, second)
    assert len({panel_g.tobytes() for panel_g in first}) == 3


def test_a_real_panel_is_cut_to_what_is_measured_and_left_out_where_that_is_too_little():
    measured_g = np.arange(400) < 200
    panels = {"half": np.arange(400) % 2 == 0, "elsewhere": np.arange(400) >= 200 - FEWEST_GENES + 1}
    named = {view.name: view.panel_g.sum() for view in views(measured_g, panels, 1, sizes=())}
    assert named == {ALL: 200, "half": 100}


def test_coarser_answers_and_missing_ones_are_told_apart():
    figures = worth([CD4, CD4, CD4, B_CELL], [CD4, T_CELL, "unknown", CD4])
    assert (figures["coarser"], figures["coverage"], figures["accuracy"]) == (0.25, 0.75, 0.25)


def test_depth_falls_when_answers_become_coarser():
    fine, coarse = (worth([CD4, CD4], [answer] * 2)["depth"] for answer in (CD4, T_CELL))
    assert fine > coarse


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_the_area_lies_between_the_ends_and_takes_points_in_any_order(values):
    genes = [50 * 2**place for place in range(len(values))]
    area = area_under(genes, values)
    assert min(values) - 1e-9 <= area <= max(values) + 1e-9
    assert area == pytest.approx(area_under(genes[::-1], values[::-1]))
