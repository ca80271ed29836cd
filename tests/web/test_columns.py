"""Which columns of a file the page keeps, and how."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spoticell.web.columns import MISSING, MOST_CATEGORIES, MOST_COLUMNS, unit_square, usable_columns

N = 40


def kept(**columns):
    found, left_out = usable_columns(pd.DataFrame(columns))
    return {column.name: column for column in found}, left_out


def test_words_become_categories_in_natural_order_and_silence_is_missing():
    columns, _ = kept(day=["d10", "d2", " ", None] * 10)
    assert columns["day"].categories == ("d2", "d10")
    assert columns["day"].values_n[:4].tolist() == [1, 0, MISSING, MISSING]
    assert columns["day"].describe() == {
        "name": "day",
        "kind": "category",
        "ours": False,
        "categories": [{"name": "d2", "cells": 10}, {"name": "d10", "cells": 10}],
        "missing": 20,
    }


def test_categories_keep_the_order_that_somebody_gave_them():
    values = pd.Categorical(["mid", "late", "early", "mid"] * 10, categories=["early", "mid", "late"])
    assert kept(stage=values)[0]["stage"].categories == ("early", "mid", "late")


def test_truth_and_few_whole_numbers_are_categories():
    columns, _ = kept(doublet=[True, False] * 20, leiden=[0, 1, 10, 2] * 10, nullable=pd.array([1, 2, None, 1] * 10))
    assert {name: column.categories for name, column in columns.items()} == {
        "doublet": ("False", "True"),
        "leiden": ("0", "1", "2", "10"),
        "nullable": ("1", "2"),
    }
    assert columns["nullable"].values_n[2] == MISSING


@pytest.mark.parametrize("values", [np.arange(N), np.linspace(0, 1, N), [1e30, 2e30] * 20, [0.5, 1.5] * 20])
def test_other_numbers_stay_numbers(values):
    column = kept(depth=values)[0]["depth"]
    assert column.categories is None
    assert column.values_n.dtype == np.float32
    told = column.describe()
    assert (told["kind"], told["missing"]) == ("number", 0)
    assert (told["low"], told["high"]) == (np.float32(min(values)), np.float32(max(values)))


def test_numbers_that_are_not_finite_or_too_large_are_missing():
    column = kept(depth=[np.nan, np.inf, 1e300, *np.linspace(0, 1, N - 3)])[0]["depth"]
    assert np.flatnonzero(np.isnan(column.values_n)).tolist() == [0, 1, 2]
    assert column.describe()["missing"] == 3


@pytest.mark.parametrize(
    "values",
    [
        [f"ACGT-{n}" for n in range(N)],
        ["lung"] * N,
        [None] * N,
        [7] * N,
        [np.nan] * N,
    ],
)
def test_columns_that_say_nothing_of_groups_are_left_out(values):
    assert kept(dull=values, donor=["a", "b"] * 20)[1] == ["dull"]


def test_too_many_values_too_many_columns_and_endless_names_are_left_out():
    n = 4 * MOST_CATEGORIES
    many = {f"c{number}": ["a", "b"] * (n // 2) for number in range(MOST_COLUMNS + 5)}
    table = {"word": [f"w{row // 2}" for row in range(n)], "x" * 5000: ["a", "b"] * (n // 2), **many}
    columns, left_out = kept(**table)
    assert len(columns) == MOST_COLUMNS
    assert left_out == ["word", "x" * 200, *(f"c{number}" for number in range(MOST_COLUMNS, MOST_COLUMNS + 5))]


def test_endless_values_are_cut():
    columns, _ = kept(note=["x" * 5000, "y" * 5000] * 20)
    assert columns["note"].categories == ("x" * 200, "y" * 200)


def test_a_table_without_columns_keeps_none():
    assert usable_columns(pd.DataFrame()) == ([], [])


def test_places_are_brought_into_the_square_with_both_axes_alike():
    placed_n2 = unit_square(np.float32([[-10, 5], [10, 5], [0, 15], [np.nan, np.nan]]))
    np.testing.assert_allclose(placed_n2[:3], [[0, 0.25], [1, 0.25], [0.5, 0.75]])
    assert np.isnan(placed_n2[3]).all()


def test_places_in_a_tissue_are_counted_downwards():
    places_n2 = np.float32([[0, 0], [1, 1]])
    np.testing.assert_allclose(unit_square(places_n2, "spatial")[:, 1], [1, 0])
