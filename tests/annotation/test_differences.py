"""How types differ between the samples of two conditions, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_ind

from spoticell.annotation.composition import Composition
from spoticell.annotation.differences import FEWEST_CELLS, differences

CLASSICAL, NON_CLASSICAL = "CL:0002057", "CL:0002396"
CD4, T_CELL, B_CELL = "CL:0000624", "CL:0000084", "CL:0000236"


def compared(cells, conditions, terms=(CD4, B_CELL, CLASSICAL)):
    """Compare samples of some counts, to which a column of no unknown cells is added."""
    cells_st = np.array([[*row, 0] for row in cells])
    names = tuple(f"s{row}" for row in range(len(cells)))
    return differences(Composition(names, tuple(conditions), (*terms, "unknown"), (*terms, "unknown"), cells_st))


def row_of(found, term):
    return found.table.set_index("term").loc[term]


SIX = [[50, 30, 20], [55, 30, 15], [45, 35, 20], [20, 60, 20], [25, 58, 17], [22, 60, 18]]


def test_a_difference_is_told_by_welchs_test_on_arcsine_roots_of_the_samples_shares():
    found = compared(SIX, "aaabbb")
    shares = np.arcsin(np.sqrt(np.array(SIX) / 100))
    p_t = ttest_ind(shares[:3], shares[3:], equal_var=False).pvalue
    rows = found.table.set_index("term")
    np.testing.assert_allclose(rows.loc[[CD4, B_CELL, CLASSICAL], "p"], p_t)
    tested = rows["p"].dropna()
    np.testing.assert_allclose(rows.loc[tested.index, "q"], false_discovery_control(tested))
    bounds = ttest_ind(np.array(SIX[3:]) / 100, np.array(SIX[:3]) / 100, equal_var=False).confidence_interval()
    np.testing.assert_allclose(rows.loc[[CD4, B_CELL, CLASSICAL], "low"], bounds.low)
    np.testing.assert_allclose(rows.loc[[CD4, B_CELL, CLASSICAL], "high"], bounds.high)
    assert rows.loc[B_CELL, "difference"] == pytest.approx((60 + 58 + 60 - 30 - 30 - 35) / 300)
    assert (found.conditions, found.samples, found.notes) == (("a", "b"), (3, 3), ())


@given(st.integers(1, 50))
def test_a_sample_counts_once_however_many_cells_it_has(times):
    cells = np.array(SIX)
    cells[0] *= times
    np.testing.assert_allclose(
        compared(cells, "aaabbb").table["share_first"], compared(SIX, "aaabbb").table["share_first"]
    )


def test_a_type_counts_its_subtypes_so_that_depth_makes_no_difference():
    shallow = [[0, 40, 60]] * 3
    deep = [[40, 0, 60]] * 3
    found = compared([*shallow, *deep], "aaabbb", terms=(CD4, T_CELL, B_CELL))
    row = row_of(found, T_CELL)
    assert (row["share_first"], row["share_second"], row["cells"]) == pytest.approx((0.4, 0.4, 240))


def test_a_broad_type_is_listed_once_where_one_answer_is_all_of_it():
    terms = compared(SIX, "aaabbb").table["term"].tolist()
    assert CD4 in terms
    assert T_CELL not in terms


def test_rare_types_and_equal_shares_are_not_tested():
    cells = [[90, 10, 1 if row == 0 else 0] for row in range(6)]
    found = compared(cells, "aaabbb")
    assert row_of(found, CLASSICAL)["cells"] < FEWEST_CELLS
    assert row_of(found, CLASSICAL)[["low", "high", "p"]].isna().all()
    same = compared([[50, 50, 0]] * 6, "aaabbb")
    assert same.table["p"].isna().all()


def test_too_few_samples_are_compared_without_a_test():
    found = compared(SIX[1:], "aabbb")
    assert found.table["q"].isna().all()
    assert found.record()["method"] is None
    assert "each condition needs 3 samples, and 'a' has 2 and 'b' has 3" in found.notes[0]
    assert row_of(found, B_CELL)["difference"] > 0.2


@pytest.mark.parametrize(("conditions", "said"), [("aaaaaa", "have 1"), ("aabbcc", "have 3"), ([""] * 6, "none")])
def test_other_than_two_conditions_give_no_comparison_and_a_note(conditions, said):
    found = compared(SIX, conditions)
    assert found.table.empty
    assert said in found.notes[0]


def test_samples_without_a_condition_are_left_out():
    found = compared([*SIX, [100, 0, 0]], [*"aaabbb", ""])
    np.testing.assert_allclose(found.table["share_first"], compared(SIX, "aaabbb").table["share_first"])


MONOCYTES = (CLASSICAL, NON_CLASSICAL, B_CELL)


def moved(found):
    return [note for note in found.notes if "another state" in note]


def test_a_type_that_moves_while_its_kin_stays_is_said_to_be_perhaps_in_another_state():
    (note,) = moved(compared([[400, 40, 560], [180, 250, 570]], "cs", terms=MONOCYTES))
    assert "40% of the cells of 'c' and 18% of 's'" in note
    assert "monocyte with all its types has 44% and 43%" in note


def test_a_note_on_another_state_names_its_type_and_rounds_as_the_page_does():
    found = compared([[10_000, 400, 14_600], [10, 9_990, 15_000]], "cs", terms=MONOCYTES)
    assert found.states == (CLASSICAL,)
    assert "40% of the cells of 'c' and < 0.1% of 's'" in found.notes[-1]
    assert compared(SIX, "aaabbb").states == ()


def test_cells_that_come_or_go_are_not_said_to_be_in_another_state():
    assert moved(compared([[400, 40, 560], [180, 20, 800]], "cs", terms=MONOCYTES)) == []
    assert moved(compared([[400, 40, 560], [400, 40, 560]], "cs", terms=MONOCYTES)) == []


def test_a_change_that_may_be_chance_is_no_change_of_state():
    assert moved(compared([[4, 1, 5], [2, 3, 5]], "cs", terms=MONOCYTES)) == []
    overlapping = [[400, 40, 560], [150, 290, 560], [180, 250, 570], [390, 40, 570]]
    assert moved(compared(overlapping, "ccss", terms=MONOCYTES)) == []


@given(st.integers(0, 2**32 - 1))
def test_halves_of_the_same_cells_differ_in_nothing(seed):
    cells = np.random.default_rng(seed).multinomial(400, [0.3, 0.2, 0.5], size=2)
    assert moved(compared(cells, "cs", terms=MONOCYTES)) == []
