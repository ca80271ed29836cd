import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spoticell.calibration import Calibration

calibrations = st.builds(Calibration, slope=st.floats(0.05, 3), depth=st.floats(-2, 2), intercept=st.floats(-3, 3))


@given(calibration=calibrations, sure=st.lists(st.floats(0, 1), min_size=2, max_size=6), counts=st.floats(0, 1e6))
def test_a_surer_node_stays_at_least_as_sure_so_parents_stay_above_children(calibration, sure, counts):
    rising_1m = np.sort(np.array([sure]), axis=1)
    chance_1m = calibration.apply(rising_1m, np.array([counts]))
    assert (np.diff(chance_1m) >= 0).all()
    assert ((chance_1m >= 0) & (chance_1m <= 1)).all()


@given(calibration=calibrations)
def test_what_cannot_be_stays_impossible(calibration):
    assert calibration.apply(np.zeros((2, 3)), np.array([0.0, 5000.0])).sum() == 0


def test_the_plain_calibration_changes_nothing():
    given = np.array([[0.1, 0.5, 0.99]])
    same = Calibration(slope=1, depth=0, intercept=0).apply(given, np.array([40.0]))
    np.testing.assert_allclose(same, given, atol=1e-6)


def test_shallow_cells_are_trusted_less_where_held_out_ones_were_wrong_more_often():
    deep, shallow = Calibration(slope=1, depth=0.5, intercept=0).apply(np.full((2, 1), 0.8), np.array([5000, 50]))
    assert shallow < 0.8 < deep


@pytest.mark.parametrize("slope", [0, -1, np.nan, np.inf])
def test_a_calibration_that_turns_probabilities_round_is_refused(slope):
    with pytest.raises(ValidationError):
        Calibration(slope=slope, depth=0, intercept=0)
