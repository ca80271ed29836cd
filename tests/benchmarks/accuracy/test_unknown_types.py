"""Which cells count as known or unknown, and which cases a combination may learn from."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the training cells are read with what trains on them")

from benchmarks.accuracy.unknown_types import Case, answers_of, cases_in, combination_for, over_seeds
from benchmarks.lib.signals import SIGNALS, Asked, Knower
from benchmarks.lib.studies import Cells

T_CELL, CD4, CD8, NAIVE_CD8, B_CELL = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000900", "CL:0000236"


def knower(labels, without):
    made = SimpleNamespace(labels=labels, without=without)
    made.knows = lambda term: Knower.knows(made, term)
    return made


def case(set_name, term, *, held_out, seed=0):
    known, strange = np.random.default_rng(seed).normal((1, 0), 1, (40, 2)).T
    stretched = [np.repeat(side[:, None], len(SIGNALS), axis=1) for side in (known, strange)]
    return Case(set_name, term, "sibling", held_out, *stretched, answers={})


def test_types_left_out_are_unknown_with_their_subtypes_and_what_lies_above_them_is_neither():
    truth = np.array([CD4] * 20 + [B_CELL] * 15 + [CD8] * 12 + [NAIVE_CD8] * 3 + [T_CELL] * 30, dtype=object)
    cells = Cells("some", None, np.ones(1, dtype=bool), truth)
    asked = Asked(cells, np.full(len(truth), T_CELL, dtype=object), np.zeros((len(truth), 5)))
    [found] = cases_in(asked, knower([CD4, T_CELL, B_CELL], (CD8,)), "test")
    assert (len(found.known_ns), len(found.strange_ns)) == (35, 15)
    assert (found.distance, found.held_out) == ("sibling", False)
    assert found.answers["coarser"] == 1


def test_too_few_cells_make_no_case():
    truth = np.array([CD4] * 20 + [CD8] * 9, dtype=object)
    asked = Asked(Cells("few", None, np.ones(1, dtype=bool), truth), truth, np.zeros((len(truth), 5)))
    assert not list(cases_in(asked, knower([CD4], (CD8,)), "test"))


def test_answers_for_unknown_cells_are_coarser_wrong_or_none():
    found = answers_of([CD8] * 4, np.array([T_CELL, T_CELL, CD4, "unknown"], dtype=object))
    assert (found["coarser"], found["wrong"], found["none"], found["commonest"]) == (0.5, 0.25, 0.25, "T cell")


def test_a_combination_learns_from_held_out_training_sets_of_other_names_and_types_only():
    scored = case("scored", CD8, held_out=False)
    assert combination_for(scored, [scored, case("test set", B_CELL, held_out=False)]) is None
    assert combination_for(scored, [case("scored", B_CELL, held_out=True)]) is None
    assert combination_for(scored, [case("other", NAIVE_CD8, held_out=True)]) is None
    assert combination_for(scored, [case("other", B_CELL, held_out=True)]) is not None


def test_the_same_case_of_several_seeds_is_one_with_their_mean():
    cases = [case("some", B_CELL, held_out=True, seed=seed) for seed in (0, 1)] + [case("other", B_CELL, held_out=True)]
    shares = {"coarser": 0.2, "wrong": 0.5, "none": 0.3, "commonest": "T cell"}
    rows = pd.DataFrame([one.figures(None) | shares for one in cases])
    some, other = over_seeds(rows).to_dict("records")
    each = [row["auroc"]["familiarity"] for row in rows.to_dict("records")]
    assert (some["set"], some["bundles"], other["bundles"]) == ("some", 2, 1)
    assert some["auroc"]["familiarity"] == pytest.approx((each[0] + each[1]) / 2)
    assert other["auroc"]["familiarity"] == each[2]
