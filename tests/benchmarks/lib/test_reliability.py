"""Calibration and risk: the figures agree with the package's, with sklearn's, and with chance."""

import numpy as np
import pytest
from benchmarks.lib.reliability import brier, chance_error, reliability, risk_coverage
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from spoticell.annotation.figures import score

T_CELL, B_CELL = "CL:0000084", "CL:0000236"
RNG = np.random.default_rng(0)
SCORES = RNG.uniform(0.4, 1, 15 * 40)
RIGHT = RNG.random(len(SCORES)) < SCORES**2

cells = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_without_weights_the_error_is_that_of_evaluate():
    answers = [T_CELL if hit else B_CELL for hit in RIGHT]
    expected = score([T_CELL] * len(SCORES), answers, SCORES)["ece"]
    assert reliability(SCORES, RIGHT).error == pytest.approx(expected)


def test_cells_with_a_weight_count_as_often_as_it_says():
    weights = RNG.integers(1, 4, len(SCORES)).astype(float)
    repeats = weights.astype(int)
    many = (np.repeat(SCORES, repeats), np.repeat(RIGHT, repeats))
    assert brier(SCORES, RIGHT, weights) == pytest.approx(brier_score_loss(many[1], many[0]))
    assert risk_coverage(SCORES, RIGHT, weights).area == pytest.approx(risk_coverage(*many).area, abs=2e-3)
    assert reliability(SCORES, RIGHT, weights).error == pytest.approx(reliability(*many).error, abs=0.02)


def test_chance_alone_gives_few_cells_more_error_than_many():
    few, many = (chance_error(RNG.uniform(0.4, 1, size), repeats=50).mean() for size in (60, 6000))
    assert few > 3 * many > 0


def test_calibrated_hits_show_the_error_that_chance_gives():
    scores = RNG.uniform(0.4, 1, 3000)
    errors = [reliability(scores, RNG.random(3000) < scores).error for _ in range(30)]
    assert np.mean(errors) == pytest.approx(chance_error(scores).mean(), rel=0.15)


def test_overconfident_scores_exceed_what_chance_gives():
    assert reliability(SCORES, RIGHT).error > np.quantile(chance_error(SCORES), 0.99)


@settings(deadline=None)
@given(cells)
def test_risk_at_full_coverage_is_the_share_of_wrong_answers(cells):
    score_n, right_n = (np.array(column) for column in zip(*cells, strict=True))
    curve = risk_coverage(score_n, right_n)
    assert curve.accuracy_at(1.0) == pytest.approx(right_n.mean())
    assert 0 <= curve.area <= 1 + 1e-9


@settings(deadline=None)
@given(cells, st.randoms())
def test_the_order_of_cells_changes_nothing(cells, random):
    shuffled = random.sample(cells, len(cells))
    first, second = (
        risk_coverage(*(np.array(column) for column in zip(*some, strict=True))) for some in (cells, shuffled)
    )
    assert np.allclose(first.accuracy_n, second.accuracy_n)


def test_when_right_answers_score_highest_only_wrong_ones_are_given_up():
    curve = risk_coverage(np.array([0.9, 0.8, 0.5, 0.4]), np.array([True, True, False, False]))
    assert [curve.accuracy_at(coverage) for coverage in (0.5, 0.75, 1.0)] == pytest.approx([1, 2 / 3, 0.5])
