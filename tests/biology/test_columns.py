from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.columns import SILENT, among, constant, counted, filled, joined, renamed, words

VALUES = st.lists(st.one_of(st.sampled_from(["a", " a", "b", "NA", "", "unknown"]), st.none(), st.text(max_size=3)))


@given(VALUES)
def test_words_are_the_texts_without_spaces_and_without_what_says_nothing(values: list[str | None]) -> None:
    got = words(pd.Series(values, dtype=object))
    wanted = ["" if value is None or value.strip().lower() in SILENT else value.strip() for value in values]
    assert ["" if pd.isna(word) else word for word in got] == wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([1, 2], ["1", "2"]), ([True, False], ["True", "False"]), ([0.5, np.nan], ["0.5", np.nan])],
)
def test_numbers_become_words_too(values: list[object], wanted: list[object]) -> None:
    pd.testing.assert_series_equal(
        pd.Series(words(pd.Series(values)).tolist()), pd.Series(wanted, dtype=object), check_dtype=False
    )


def test_categories_are_sorted_whatever_their_order_before() -> None:
    assert list(words(pd.Series(pd.Categorical(["b", "a"], categories=["b", "a", "c"]))).categories) == ["a", "b", "c"]


def test_a_million_cells_need_one_byte_each() -> None:
    column = pd.Series(pd.Categorical.from_codes(np.arange(1_000_000) % 3, categories=["x", "y", "z"]))
    got = words(column)
    assert got.codes.nbytes == 1_000_000
    assert joined(got, constant("d", len(got)), "{}-{}".format).codes.nbytes == 1_000_000


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))))
def test_joined_values_are_those_of_each_cell(pairs: list[tuple[str, str]]) -> None:
    first, second = (
        pd.Categorical([pair[side] for pair in pairs], categories=list(c)) for side, c in ((0, "abc"), (1, "xyz"))
    )
    assert joined(first, second, "{}{}".format).tolist() == [a + b for a, b in pairs]


def test_several_values_may_get_one_name_or_none() -> None:
    values = pd.Categorical(["a", "b", "c", None])
    got = renamed(values, {"a": "x", "b": "x", "c": ""}.__getitem__)
    assert got.tolist()[:2] == ["x", "x"]
    assert got.codes.tolist() == [0, 0, -1, -1]


def test_missing_values_are_among_nothing_and_are_not_counted() -> None:
    values = pd.Categorical(["a", None, "b", "a"])
    assert among(values, ("a", "z")).tolist() == [True, False, False, True]
    assert counted(values, np.array([True, True, True, False])) == {"a": 1, "b": 1}
    assert filled(values, "b").tolist() == ["a", "b", "b", "a"]
