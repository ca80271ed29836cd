import numpy as np
import pytest

from spoticell.calibration import Calibration
from spoticell.errors import TrainingError
from spoticell.train.calibrate import Answered, fit_calibration


def cells(rng, n, *, counts, truth):
    probability_n = rng.random(n).astype(np.float32)
    counts_n = np.full(n, counts, dtype=np.float32)
    chance_n = truth.apply(probability_n[:, None], counts_n)[:, 0]
    return Answered(probability_n, counts_n, rng.random(n) < chance_n)


def test_the_calibration_that_made_the_answers_is_found_again():
    rng, truth = np.random.default_rng(0), Calibration(slope=0.6, depth=0.5, intercept=-0.4)
    found = fit_calibration([cells(rng, 20_000, counts=counts, truth=truth) for counts in (100, 1000, 10_000)])
    assert found.slope == pytest.approx(0.6, abs=0.05)
    assert found.depth == pytest.approx(0.5, abs=0.05)
    assert found.intercept == pytest.approx(-0.4, abs=0.05)


def test_a_small_data_set_counts_as_much_as_a_large_one():
    rng = np.random.default_rng(0)
    sure, unsure = Calibration(slope=1, depth=0, intercept=1), Calibration(slope=1, depth=0, intercept=-1)
    large, small = cells(rng, 40_000, counts=1000, truth=sure), cells(rng, 4000, counts=1000, truth=unsure)
    assert abs(fit_calibration([large, small]).intercept) < 0.1


@pytest.mark.parametrize(
    ("right", "words"), [([True] * 4, "right and answers"), ([True, True, False, False], "no more often right")]
)
def test_answers_that_teach_nothing_are_refused(right, words):
    sure = np.array([0.2, 0.3, 0.7, 0.8], dtype=np.float32)
    with pytest.raises(TrainingError, match=words):
        fit_calibration([Answered(sure, np.full(4, 1000, dtype=np.float32), np.array(right))])
