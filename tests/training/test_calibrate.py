import numpy as np
import pytest

from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import TrainingError
from spoticell.model.calibration import Calibration, Trust
from spoticell.training.calibrate import MAYBE, Judged, JudgedAnswers, fit_calibration, fit_trust, judge_nodes

T_CELL, CD4, CD8, B_CELL = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236"
LABELS = (T_CELL, CD4, CD8, B_CELL)
NODES, REACH = reach_matrix(LABELS, load_ontology())


def cells(rng, n, *, counts, truth):
    chance_e = rng.random(n).astype(np.float32)
    counts_e = np.full(n, counts, dtype=np.float32)
    right_e = rng.random(n) < truth.apply(chance_e[:, None], counts_e)[:, 0]
    return Judged(chance_e, counts_e, right_e)


def answers(rng, n, *, truth):
    chance_e, familiarity_e, counts_e = rng.uniform(0.5, 1, n), rng.normal(10, 1.5, n), 10 ** rng.uniform(1, 4, n)
    return JudgedAnswers(
        chance_e, counts_e, rng.random(n) < truth.scores(chance_e, familiarity_e, counts_e), familiarity_e
    )


def judged(label, **weight):
    """Judge one cell by the weights of its labels: which nodes, and which of them are right."""
    weight_1c = np.array([[weight.get(name, 0.0) for name in ("T_CELL", "CD4", "CD8", "B_CELL")]])
    found = judge_nodes(np.float32(weight_1c @ REACH), np.array([500.0]), np.array([label], dtype=object), NODES)
    return dict(zip((round(chance, 2) for chance in found.chance_e.tolist()), found.right_e.tolist(), strict=True))


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
        fit_calibration([Judged(sure, np.full(4, 1000, dtype=np.float32), np.array(right))])


def test_the_trust_that_made_the_answers_is_found_again():
    truth = Trust(chance=0.3, depth=0.4, familiarity=0.8, intercept=-7.0)
    found = fit_trust([answers(np.random.default_rng(0), 60_000, truth=truth)], doubt=0.2, enough=200)
    assert found.chance == pytest.approx(0.3, abs=0.05)
    assert found.familiarity == pytest.approx(0.8, abs=0.05)
    assert found.depth == pytest.approx(0.4, abs=0.05)
    assert (found.doubt, found.enough) == (0.2, 200)


def test_a_surer_answer_is_not_trusted_less_even_where_surer_ones_were_wrong():
    rng = np.random.default_rng(0)
    chance_e, familiarity_e = rng.uniform(0.5, 1, 5000), rng.normal(10, 1, 5000)
    right_e = rng.random(5000) < 1 / (1 + np.exp(10 - familiarity_e + 4 * (chance_e - 0.75)))
    found = fit_trust([JudgedAnswers(chance_e, np.full(5000, 1000), right_e, familiarity_e)], doubt=0, enough=0)
    assert found.chance == 0
    assert found.familiarity == pytest.approx(1, abs=0.15)


def test_familiarity_that_misleads_is_refused():
    rng = np.random.default_rng(0)
    familiarity_e = rng.normal(10, 1, 5000)
    right_e = rng.random(5000) < 1 / (1 + np.exp(familiarity_e - 10))
    with pytest.raises(TrainingError, match="familiar cells are no more often answered rightly"):
        fit_trust([JudgedAnswers(np.full(5000, 0.5), np.full(5000, 1000), right_e, familiarity_e)], doubt=0, enough=0)


def test_the_deepest_probable_node_and_those_above_it_are_judged():
    found = judged(CD8, CD4=0.6, CD8=0.3, B_CELL=0.1)
    assert (found[0.6], found[0.9]) == (False, True)
    assert 0.3 not in found


def test_a_node_below_the_label_is_right_as_nothing_speaks_against_it():
    assert judged(T_CELL, CD4=0.7, B_CELL=0.3)[0.7]


def test_a_cell_for_which_hardly_anything_speaks_is_not_judged():
    assert judged(CD8, CD8=MAYBE / 2) == {}
