import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spoticell.model.calibration import Calibration, Trust

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


trusts = st.builds(
    Trust,
    chance=st.floats(0, 3),
    depth=st.floats(-2, 2),
    familiarity=st.floats(0, 3),
    intercept=st.floats(-10, 10),
    doubt=st.floats(0, 0.9),
    enough=st.floats(0, 1000),
)

PLAIN = Trust(chance=0.1, depth=0.4, familiarity=1.0, intercept=-9.0, doubt=0.2, enough=200)


def test_maps_that_drown_the_network_are_refused():
    for field, value in (("slope", 1e308), ("depth", -1e308), ("intercept", 1e308)):
        with pytest.raises(ValidationError, match=field):
            Calibration(**{"slope": 1.0, "depth": 0.0, "intercept": 0.0, field: value})
    for field in ("chance", "familiarity", "intercept"):
        with pytest.raises(ValidationError, match=field):
            Trust(**{"chance": 0.1, "depth": 0.4, "familiarity": 1.0, "intercept": -9.0, field: 1e308})


@given(trust=trusts, sure=st.lists(st.floats(0, 1), min_size=2, max_size=6), familiarity=st.floats(-20, 20))
def test_a_surer_answer_of_one_cell_never_scores_less(trust, sure, familiarity):
    probability_n = np.sort(np.array(sure))
    score_n = trust.scores(probability_n, np.full(len(sure), familiarity), np.full(len(sure), 1000))
    assert (np.diff(score_n) >= 0).all()
    assert ((score_n >= 0) & (score_n <= 1)).all()


@given(trust=trusts, known=st.lists(st.floats(-20, 20), min_size=2, max_size=6), counts=st.floats(0, 1e6))
def test_a_more_familiar_cell_never_scores_less(trust, known, counts):
    score_n = trust.scores(np.full(len(known), 0.8), np.sort(known), np.full(len(known), counts))
    assert (np.diff(score_n) >= 0).all()


def test_an_answer_for_a_strange_cell_is_doubted_however_sure_it_is():
    score_n = PLAIN.scores(np.array([0.999, 0.999]), np.array([10.0, 5.0]), np.array([1000, 1000]))
    assert PLAIN.doubts(score_n, np.array([1000, 1000]), threshold=0.5).tolist() == [False, True]


def test_a_cell_with_few_counts_is_not_doubted():
    assert PLAIN.doubts(np.array([0.1, 0.1]), np.array([199, 200]), threshold=0.5).tolist() == [False, True]


def test_who_asks_for_unsure_answers_gets_doubtful_ones():
    score_n, counts_n = np.array([0.05, 0.15]), np.array([1000, 1000])
    assert PLAIN.doubts(score_n, counts_n, threshold=0.1).tolist() == [True, False]
    assert not PLAIN.doubts(score_n, counts_n, threshold=0).any()


@pytest.mark.parametrize("field", [{"chance": -0.1}, {"familiarity": -1}, {"doubt": 1.0}, {"intercept": np.nan}])
def test_a_trust_that_turns_things_round_is_refused(field):
    with pytest.raises(ValidationError):
        Trust(**PLAIN.model_dump() | field)
