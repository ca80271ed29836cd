"""The smallest values of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spoticell.biology.smallest import places_of, smallest


@given(arrays(np.float32, (7, 9), elements=st.integers(0, 4)), st.integers(1, 9))
def test_no_value_that_is_left_is_smaller_than_one_that_is_taken(values_nl, k):
    place_nk = smallest(values_nl, k)
    assert place_nk.shape == (7, k)
    for values_l, place_k in zip(values_nl, place_nk, strict=True):
        assert len(set(place_k.tolist())) == k
        assert sorted(values_l[place_k].tolist()) == sorted(values_l.tolist())[:k]


def test_rows_with_values_that_are_the_same_change_no_other_row():
    values_nl = np.random.default_rng(0).random((5, 8))
    alone_nk = smallest(values_nl, 3)
    values_nl[2] = 0.5
    together_nk = smallest(values_nl, 3)
    others = [0, 1, 3, 4]
    assert together_nk[others].tolist() == alone_nk[others].tolist()


def test_values_that_are_no_numbers_come_last():
    assert sorted(smallest(np.array([[np.nan, 2.0, 1.0], [np.nan, np.nan, 1.0]]), 2)[0].tolist()) == [1, 2]


def test_places_are_those_of_nonzero():
    true_nl = np.random.default_rng(0).random((6, 5)) < 0.4
    assert all((ours == theirs).all() for ours, theirs in zip(places_of(true_nl), np.nonzero(true_nl), strict=True))
