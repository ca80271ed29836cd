import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spoticell.model.calibration import Calibration, Softening, Stranger, Trust

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


def test_no_answer_for_a_strange_cell_is_sure_enough():
    least_n = PLAIN.least(np.array([10.0, 5.0]), np.array([1000, 1000]), threshold=0.5)
    assert least_n[0] < 0.1
    assert least_n[1] > 1


def test_of_a_cell_with_few_counts_nothing_is_asked():
    least_n = PLAIN.least(np.array([5.0, 5.0]), np.array([199, 200]), threshold=0.5)
    assert (least_n[0], least_n[1]) == (0, 2)


def test_who_asks_for_no_sureness_gets_doubtful_answers():
    assert not PLAIN.least(np.array([-20.0, 5.0]), np.array([1000, 1000]), threshold=0).any()


@given(
    trust=trusts,
    familiarity=st.floats(-20, 20),
    counts=st.floats(0, 1e6),
    one=st.floats(0, 1),
    other=st.floats(0, 1),
)
def test_answers_as_sure_as_asked_score_enough_and_a_lower_threshold_asks_no_more(
    trust, familiarity, counts, one, other
):
    known_n, counts_n = np.array([familiarity]), np.array([counts])
    low, high = sorted((one, other))
    less, more = (trust.least(known_n, counts_n, threshold=threshold)[0] for threshold in (low, high))
    assert less <= more
    if more <= 1 and counts >= trust.enough:
        score = trust.scores(np.array([more]), known_n, counts_n)[0]
        assert score >= min(trust.doubt, high) - 1e-4


@pytest.mark.parametrize("field", [{"chance": -0.1}, {"familiarity": -1}, {"doubt": 1.0}, {"intercept": np.nan}])
def test_a_trust_that_turns_things_round_is_refused(field):
    with pytest.raises(ValidationError):
        Trust(**PLAIN.model_dump() | field)


softenings = st.builds(Softening, power=st.floats(-1, 1), depth=st.floats(-1, 1))


@given(softening=softenings, weights=st.lists(st.floats(0, 1), min_size=2, max_size=6), counts=st.floats(0, 1e6))
def test_softened_weights_add_up_to_one_and_keep_their_order(softening, weights, counts):
    weight_1c = np.array([weights], dtype=np.float32) / max(sum(weights), 1e-3)
    softened_1c = softening.apply(weight_1c, np.array([counts]))
    assert softened_1c.sum() == pytest.approx(1, abs=1e-5) or not softened_1c.any()
    assert (np.diff(softened_1c[0][np.argsort(weight_1c[0], kind="stable")]) >= 0).all()
    assert (softened_1c[weight_1c == 0] == 0).all()


def test_softening_makes_shallow_cells_less_sure_down_to_a_bound():
    weight_nc = np.tile(np.float32([[0.9, 0.1]]), (4, 1))
    sure_n = Softening(power=0, depth=0.3).apply(weight_nc, np.array([1, 20, 300, 900_000]))[:, 0]
    assert sure_n[0] == sure_n[1] < sure_n[2] < sure_n[3]
    deepest_n = Softening(power=0, depth=0.3).apply(weight_nc, np.array([5000, 900_000, 10_000_000, 3163]))[:, 0]
    assert len(set(deepest_n.tolist())) == 1


def test_a_softening_of_one_changes_nothing_and_nothing_stays_nothing():
    plain = Softening(power=0, depth=0)
    np.testing.assert_allclose(plain.apply(np.float32([[0.7, 0.3]]), np.array([10])), [[0.7, 0.3]], atol=1e-6)
    assert not plain.apply(np.zeros((2, 3), np.float32), np.array([0, 500])).any()


def test_a_shallow_cell_and_one_seen_through_few_genes_may_look_less_familiar():
    stranger, known_n = Stranger(counts=0.5, genes=1.0, intercept=8.0), np.array([8.5, 8.5])
    assert stranger.is_strange(known_n, np.array([100, 3000]), 1000).tolist() == [False, False]
    assert stranger.is_strange(known_n, np.array([100, 3000]), 5000).tolist() == [False, True]
    assert stranger.is_strange(known_n, np.array([0, 3000]), 0).tolist() == [False, False]
