import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.errors import SearchError
from spoticell.index.conditions import chosen_groups

GROUPS = pd.DataFrame(
    {"tissue": ["blood", "blood", "lung", ""], "study": ["Kang 2018", "a=b", "Kang 2018", "c"]}, dtype=object
)


@given(st.sampled_from(["tissue", "study"]), st.integers(0, 3), st.booleans())
def test_a_condition_and_its_contrary_part_the_groups(column, row, spaced):
    value = GROUPS.loc[row, column]
    space = " " if spaced else ""
    same = chosen_groups(GROUPS, [f"{column}{space}={space}{value}"])
    other = chosen_groups(GROUPS, [f"{column}!={value}"])
    assert (same != other).all()
    assert same.tolist() == (GROUPS[column] == value).tolist()


def test_all_conditions_must_hold():
    assert chosen_groups(GROUPS, ["study=Kang 2018", "tissue!=lung"]).tolist() == [True, False, False, False]
    assert chosen_groups(GROUPS, []).all()
    assert chosen_groups(GROUPS, "study=a=b").tolist() == [False, True, False, False]
    assert chosen_groups(GROUPS, np.array([True, False, True, False])).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (["tissue"], "needs the form tissue=blood"),
        (["=blood"], "needs the form"),
        (["organ=blood"], "a condition can be on tissue, study"),
        (["tissue=bloood"], "did you mean 'blood'"),
        (["tissue!=skin"], "there are 'blood', 'lung'"),
        (["tissue=lung", "study=c"], "no reference cell fulfils all of tissue=lung, study=c"),
    ],
)
def test_conditions_that_can_not_be_are_explained(conditions, message):
    with pytest.raises(SearchError, match=message):
        chosen_groups(GROUPS, conditions)


def test_of_many_values_the_first_are_named():
    groups = pd.DataFrame({"donor": [f"{letter}{letter}" for letter in "abcdefghijklmno"]})
    with pytest.raises(SearchError, match=r"'aa', 'bb'.* and 5 others"):
        chosen_groups(groups, ["donor=zzzzzz"])
