"""Types by distance, and how signals tell known from unknown cells."""

import numpy as np
import pytest
from benchmarks.lib.separation import COUSIN, LINEAGE, SIBLING, Combination, auroc, distance, false_known
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import load_bundle

CD4, CD8, NAIVE_CD4 = "CL:0000624", "CL:0000625", "CL:0000895"
T_CELL, B_CELL, PLASMA, NK = "CL:0000084", "CL:0000236", "CL:0000786", "CL:0000623"
MONOCYTE, CD14, CD16, DENDRITIC = "CL:0000576", "CL:0000860", "CL:0000875", "CL:0000451"
ENDOTHELIAL, OLIGODENDROCYTE, ASTROCYTE = "CL:0000115", "CL:0000128", "CL:0000127"

signals = st.lists(st.floats(-5, 5).map(lambda value: round(value, 1)), min_size=1, max_size=30).map(np.array)


@pytest.mark.parametrize(
    ("term", "known", "expected"),
    [
        (CD8, [CD4], SIBLING),
        (CD8, [NAIVE_CD4], SIBLING),
        (CD16, [CD14], SIBLING),
        (PLASMA, [B_CELL], COUSIN),
        (NK, [T_CELL], COUSIN),
        (DENDRITIC, [MONOCYTE], COUSIN),
        (OLIGODENDROCYTE, [ASTROCYTE], COUSIN),
        (ENDOTHELIAL, [T_CELL, B_CELL, ASTROCYTE], LINEAGE),
        (CD8, [ENDOTHELIAL], LINEAGE),
        (CD8, [], LINEAGE),
    ],
)
def test_a_type_stands_as_near_as_its_nearest_kin(term, known, expected):
    assert distance(term, known) == expected


def test_what_is_below_the_type_itself_is_no_kin():
    assert distance(CD4, [NAIVE_CD4]) == LINEAGE


@settings(deadline=None)
@given(st.sampled_from(load_bundle().manifest.labels), st.sets(st.sampled_from(load_bundle().manifest.labels)))
def test_more_known_labels_never_move_a_type_away(term, some):
    order = (SIBLING, COUSIN, LINEAGE)
    few, more = (order.index(distance(term, known)) for known in (sorted(some)[::2], some))
    assert more <= few
    assert term in load_ontology()


@settings(deadline=None)
@given(signals, signals)
def test_auroc_counts_the_pairs_in_which_the_known_cell_is_ahead(known, strange):
    ahead = (known[:, None] > strange) + 0.5 * (known[:, None] == strange)
    assert auroc(known, strange) == pytest.approx(ahead.mean())


@settings(deadline=None)
@given(signals)
def test_a_signal_that_says_nothing_has_an_auroc_of_one_half(values):
    assert auroc(values, values) == pytest.approx(0.5)


def test_weights_let_small_sets_of_known_cells_count_alike():
    known = np.array([1.0] * 90 + [-1.0])
    weights = np.array([1 / 90] * 90 + [1.0])
    assert auroc(known, np.array([0.0])) == pytest.approx(90 / 91)
    assert auroc(known, np.array([0.0]), weights) == pytest.approx(0.5)
    assert false_known(known, np.array([0.0]), weights) == 1


def test_false_known_cells_are_those_above_the_bar_that_most_known_cells_pass():
    known = np.linspace(0, 1, 101)
    assert false_known(known, np.array([0.04, 0.06, 2.0])) == pytest.approx(2 / 3)
    assert false_known(known, known + 2) == 1
    assert false_known(known, known - 2) == 0


def test_a_combination_beats_each_of_two_signals_that_know_different_things():
    rng = np.random.default_rng(0)
    known, strange = rng.normal(1, 1, (400, 2)), rng.normal(0, 1, (400, 2))
    combination = Combination([(known[:200], strange[:200])])
    both = auroc(combination(known[200:]), combination(strange[200:]))
    assert both > max(auroc(known[200:, s], strange[200:, s]) for s in (0, 1))
    assert len(combination.coefficients) == 2


def test_a_large_pair_weighs_no_more_than_a_small_one():
    rng = np.random.default_rng(0)
    small, large = ((rng.normal(1, 1, (n, 1)), rng.normal(0, 1, (n, 1))) for n in (300, 3000))
    turned = (large[1], large[0])
    assert Combination([small, turned]).coefficients[0] == pytest.approx(0, abs=0.15)
