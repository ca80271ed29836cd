import numpy as np
import pytest

from spoticell.errors import TrainingError
from spoticell.model.calibration import Softening, Trust
from spoticell.training.calibrate import (
    JudgedAnswers,
    Seen,
    Weighed,
    fit_softening,
    fit_stranger,
    fit_trust,
    possible,
)

LYMPHOCYTE, T_CELL, CD4, CD8, B_CELL = "CL:0000542", "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236"
LABELS = (T_CELL, CD4, CD8, B_CELL)


def cells(rng, n, *, counts, truth):
    """Give cells whose labels are drawn by their weights as `truth` softens them."""
    weight_nc, counts_n = rng.dirichlet([0.4] * 4, n).astype(np.float32), np.full(n, counts, dtype=np.float32)
    softened_nc = truth.apply(weight_nc, counts_n)
    label_n = (softened_nc.cumsum(axis=1) < rng.random((n, 1)) * softened_nc.sum(axis=1, keepdims=True)).sum(axis=1)
    return Weighed(weight_nc, counts_n, np.eye(4, dtype=np.bool_)[label_n])


def answers(rng, n, *, truth):
    chance_e, familiarity_e, counts_e = rng.uniform(0.5, 1, n), rng.normal(10, 1.5, n), 10 ** rng.uniform(1, 4, n)
    return JudgedAnswers(
        chance_e, counts_e, rng.random(n) < truth.scores(chance_e, familiarity_e, counts_e), familiarity_e
    )


def test_the_softening_that_made_the_answers_is_found_again():
    rng, truth = np.random.default_rng(0), Softening(power=-0.3, depth=0.2)
    found = fit_softening([cells(rng, 10_000, counts=counts, truth=truth) for counts in (100, 1000, 3000)])
    assert found.power == pytest.approx(-0.3, abs=0.05)
    assert found.depth == pytest.approx(0.2, abs=0.05)


def test_a_small_data_set_counts_as_much_as_a_large_one():
    rng = np.random.default_rng(0)
    sharp, soft = Softening(power=0.2, depth=0), Softening(power=-0.2, depth=0)
    large, small = cells(rng, 20_000, counts=1000, truth=sharp), cells(rng, 2000, counts=1000, truth=soft)
    alike, alone = fit_softening([large, small]).power, fit_softening([large]).power
    assert alone == pytest.approx(0.2, abs=0.05)
    assert alike < 0.05


def test_a_cell_can_be_its_label_or_a_subtype_or_what_is_nearest_to_a_label_that_the_network_lacks():
    found_nc = possible(np.array([T_CELL, CD8, LYMPHOCYTE, "CL:0000909"], dtype=object), LABELS)
    assert found_nc.tolist() == [
        [True, True, True, False],
        [False, False, True, False],
        [True] * 4,
        [False, False, True, False],
    ]


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


def test_of_cells_of_known_types_the_share_that_was_asked_for_is_strange_in_whatever_way_they_are_seen():
    rng, seen = np.random.default_rng(0), []
    for counts in (100, 1000):
        for genes in (500, 5000):
            known_n = rng.normal(9 + 0.5 * np.log10(counts / 1000) + 1.2 * np.log10(genes / 1000), 1, 2000)
            seen.append(Seen(known_n, np.full(2000, counts), genes))
    found = fit_stranger(seen, share=0.05)
    assert (found.counts, found.genes) == (pytest.approx(0.5, abs=0.15), pytest.approx(1.2, abs=0.15))
    strange = [found.is_strange(part.familiarity_n, part.counts_n, part.n_measured).mean() for part in seen]
    assert strange == pytest.approx([0.05] * 4, abs=0.02)
