"""From which sample each cell is, and what is no column of samples."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.annotation.samples import find_samples, natural, samples_of
from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.io.in_memory import AnnDataCells


def table(**columns):
    return pd.DataFrame(columns)


def found(obs, by, condition=None):
    return samples_of(obs, by=by, condition=condition, name="mine.h5ad")


def test_samples_come_in_the_order_in_which_people_count():
    samples = found(table(donor=["d10", "d2", "D1"] * 2), "donor")
    assert samples.names == ("D1", "d2", "d10")
    assert samples.sample_n.tolist() == [2, 1, 0] * 2


def test_an_order_that_somebody_gave_to_the_categories_is_kept():
    days = pd.Categorical(["late", "early"] * 2, categories=["early", "late", "never"])
    assert found(table(day=days), "day").names == ("early", "late")
    chosen = pd.Categorical(["a", "b"] * 2, categories=["b", "a"])
    assert found(table(day=chosen), "day").names == ("b", "a")


def test_numbers_and_truths_are_samples_too():
    assert found(table(batch=[10, 9] * 2), "batch").names == ("9", "10")
    assert found(table(treated=[True, False] * 2), "treated").names == ("False", "True")


def test_samples_of_one_condition_stand_beside_each_other():
    obs = table(donor=["a", "b", "c", "d"] * 2, disease=["ill", "none", "ill", "none"] * 2)
    samples = found(obs, "donor", "disease")
    assert samples.names == ("a", "c", "b", "d")
    assert samples.conditions == ("ill", "ill", "none", "none")
    assert [samples.names[place] for place in samples.sample_n] == obs["donor"].tolist()


def test_a_condition_alone_takes_all_cells_as_one_sample():
    samples = found(table(disease=["ill"] * 3), None, "disease")
    assert (samples.names, samples.conditions) == (("mine.h5ad",), ("ill",))


def test_a_sample_may_lack_a_condition_and_then_comes_last():
    samples = found(table(donor=["a", "b"] * 3, disease=[None, "ill"] * 3), "donor", "disease")
    assert samples.names == ("b", "a")
    assert samples.conditions == ("ill", "")


def test_cells_without_a_sample_are_told_and_left_out():
    with pytest.warns(SpoticellWarning, match="2 of 6 cells have no sample in 'donor'"):
        samples = found(table(donor=["a", "b", None, "a", "b", "nan"]), "donor")
    assert samples.sample_n.tolist() == [0, 1, -1, 0, 1, -1]


@pytest.mark.parametrize(
    ("obs", "by", "condition", "message"),
    [
        (table(batch=["a"] * 4), "donor", None, "no column 'donor' about its cells; it has 'batch'"),
        (table(batch=[None] * 4), "batch", None, "the column 'batch' of mine.h5ad is empty"),
        (table(cell=list("abcd")), "cell", None, "4 values for 4 cells; a sample has many cells"),
        (table(cell=np.repeat(np.arange(501), 3)), "cell", None, "501 values for 1,503 cells"),
        (table(batch=["a"] * 4), "batch", "disease", "no column 'disease'"),
        (table(batch=["a", "b", "c"] * 2), "batch", "batch", "has 3 values .'a', 'b', 'c'.; two conditions"),
        (table(batch=["a"] * 4, dose=[0, 1] * 2), "batch", "dose", "the sample 'a' has cells of '0', '1' in 'dose'"),
        (table(dose=[0, 1] * 2), None, "dose", "--by COLUMN"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_column_of_samples_is_refused_in_a_sentence(obs, by, condition, message):
    with pytest.raises(ConfigError, match=message) as refused:
        found(obs, by, condition)
    assert "\n" not in str(refused.value)


def test_nothing_is_read_where_nothing_is_asked_for(tiny_cells, monkeypatch):
    source = AnnDataCells(tiny_cells)
    assert find_samples(source, by="batch").names == ("a", "b")
    monkeypatch.setattr(AnnDataCells, "obs", lambda self: pytest.fail("the table was read"))
    assert find_samples(source, by=None) is None


@given(st.lists(st.sampled_from(["S1", "S2", "S10", "x", "", None]), min_size=12, max_size=60))
def test_each_cell_is_in_the_sample_that_its_column_names(words):
    there = {word for word in words if word}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpoticellWarning)
        if not there:
            with pytest.raises(ConfigError, match="is empty"):
                found(table(by=words), "by")
            return
        samples = found(table(by=words), "by")
    assert list(samples.names) == sorted(there, key=natural)
    assert [samples.names[place] if place >= 0 else None for place in samples.sample_n] == [w or None for w in words]
