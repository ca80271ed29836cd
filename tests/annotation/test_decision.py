from dataclasses import replace

import numpy as np
import pytest

from spoticell.annotation.allowed import allowed_types
from spoticell.annotation.decision import decide
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.model.calibration import Stranger, Trust
from spoticell.model.runtime import Prediction

TRUST = Trust(chance=0.1, depth=0.4, familiarity=1.0, intercept=-9.0, doubt=0.2, enough=200)
B_CELL, FIBROBLAST = "CL:0000236", "CL:0000057"


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"trust": TRUST}))


def said(bundle, familiarity, **weight):
    """Give what a network says that puts some weight on labels, of a cell for each familiarity."""
    labels = bundle.manifest.labels
    nodes, reach_cm = reach_matrix(labels, load_ontology())
    weight_c = np.array([weight.get(label, 0.0) for label in labels], dtype=np.float32)
    probability_m = (weight_c @ reach_cm)[[nodes.index(node) for node in bundle.nodes]]
    n = len(familiarity)
    known_n = np.array(familiarity, dtype=np.float32)
    return Prediction(np.ones((n, 3), np.float32), np.tile(probability_m, (n, 1)).astype(np.float32), known_n)


@pytest.mark.rows(45)
def test_a_familiar_cell_is_named_and_a_strange_one_unknown_with_no_score(bundle):
    decision = decide(said(bundle, [11, 5], **{B_CELL: 1.0}), np.array([1000, 1000]), bundle, threshold=0.5)
    assert [bundle.nodes[answer] if answer >= 0 else None for answer in decision.answer_n] == [B_CELL, None]
    assert decision.doubted_n.tolist() == [False, True]
    assert decision.score_n[0] > 0.8
    assert decision.score_n[1] == 0
    assert (decision.probability_nm[0] == decision.probability_nm[1]).all()


def test_a_strange_cell_with_few_counts_keeps_its_answer_and_a_low_score(bundle):
    decision = decide(said(bundle, [5], **{B_CELL: 1.0}), np.array([100]), bundle, threshold=0.5)
    assert bundle.nodes[decision.answer_n[0]] == B_CELL
    assert decision.score_n[0] < 0.05


def test_without_a_trust_the_score_is_the_chance(tiny_bundle):
    decision = decide(
        said(tiny_bundle, [5], **{B_CELL: 0.7, FIBROBLAST: 0.3}), np.array([1000]), tiny_bundle, threshold=0.5
    )
    assert decision.score_n[0] == pytest.approx(0.7)
    assert not decision.doubted_n.any()


def test_a_cell_without_counts_is_unknown_and_not_doubted_even_where_anything_passes(bundle):
    decision = decide(said(bundle, [5], **{B_CELL: 1.0}), np.array([0]), bundle, threshold=0)
    assert (decision.answer_n[0], decision.score_n[0]) == (-1, 0)
    assert not decision.doubted_n.any()
    assert not decision.probability_nm.any()


def test_a_threshold_of_zero_names_every_cell_with_counts(bundle):
    decision = decide(said(bundle, [0], **{B_CELL: 1.0}), np.array([1000]), bundle, threshold=0)
    assert decision.answer_n[0] >= 0


def test_a_cell_is_no_stranger_for_being_kept_to_types_that_the_network_hardly_believes_in(bundle):
    prediction = said(bundle, [11, 5], **{B_CELL: 0.2, FIBROBLAST: 0.8})
    counts_n, allowed = np.array([1000, 1000]), allowed_types(bundle, allow=[B_CELL])
    kept = decide(prediction, counts_n, bundle, threshold=0.5, allowed=allowed)
    assert bundle.nodes[kept.answer_n[0]] == B_CELL
    assert kept.score_n[0] > 0.8
    assert kept.doubted_n.tolist() == [False, True]


def test_a_cell_too_strange_for_its_finest_answer_gets_a_coarser_one_before_none(tiny_bundle):
    trust = Trust(chance=1.0, depth=0, familiarity=1.0, intercept=-10.0, doubt=0.5, enough=0)
    strict = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"trust": trust}))
    split = {"CL:0000624": 0.6, "CL:0000625": 0.38, FIBROBLAST: 0.02}  # CD4 and CD8 T cell
    decision = decide(said(strict, [11, 8, 2], **split), np.array([1000] * 3), strict, threshold=0.3)
    terms = [strict.nodes[answer] if answer >= 0 else None for answer in decision.answer_n]
    assert terms[0] == "CL:0000624"
    assert "CL:0000084" in load_ontology().ancestors(terms[1])
    assert terms[1] != "CL:0000624"
    assert terms[2] is None
    assert decision.doubted_n.tolist() == [False, False, True]
    assert (decision.score_n[:2] >= 0.3).all()


def test_a_cell_that_is_too_strange_is_unknown_unless_nothing_is_asked_for(tiny_bundle):
    stranger = Stranger(counts=0, genes=1.0, intercept=8.0)
    trust = Trust(chance=1.0, depth=0, familiarity=0.0, intercept=0.0, stranger=stranger)
    strict = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"trust": trust}))
    prediction = said(strict, [9, 7], **{B_CELL: 1.0})
    prediction.n_measured = 1000
    decision = decide(prediction, np.array([1000, 1000]), strict, threshold=0.3)
    assert [answer >= 0 for answer in decision.answer_n] == [True, False]
    assert decision.doubted_n.tolist() == [False, True]
    assert (decide(prediction, np.array([1000, 1000]), strict, threshold=0).answer_n >= 0).all()
