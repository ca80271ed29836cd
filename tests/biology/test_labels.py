from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.labels import read_labels
from spoticell.biology.ontology import load_ontology
from spoticell.errors import FileFormatError


def test_terms_go_before_names() -> None:
    obs = pd.DataFrame({"cell_type": ["B cell", "B cell"], "cell_type_ontology_term_id": ["CL:0000084", "unknown"]})
    labels = read_labels(obs, name="x")
    assert labels.term_n.tolist() == ["CL:0000084", ""]
    assert labels.n_unlabelled == 1


@pytest.mark.parametrize("word", ["", "unknown", "Unknown", "nan", None, np.nan, " NA "])
def test_words_for_nothing_are_no_label_and_nothing_to_complain_about(word: object) -> None:
    labels = read_labels(pd.DataFrame({"cell_type": ["T cell", word]}), name="x")
    assert labels.term_n.tolist() == ["CL:0000084", ""]
    assert (labels.n_unlabelled, labels.unresolved) == (1, {})


def test_categories_without_cells_are_not_reported() -> None:
    column = pd.Categorical(["T cell", None], categories=["T cell", "never seen"])
    labels = read_labels(pd.DataFrame({"cell_type": column}), name="x")
    assert labels.unresolved == {}


def test_labels_that_lead_nowhere_are_told_commonest_first() -> None:
    labels = read_labels(pd.DataFrame({"cell_type": ["clump", "blob", "blob", "T cell", "array"]}), name="x")
    assert list(labels.unresolved.items()) == [("blob", 2), ("array", 1), ("clump", 1)]


def test_a_table_without_labels_is_refused() -> None:
    with pytest.raises(
        FileFormatError, match="mine has no labels: neither 'cell_type_ontology_term_id' nor 'cell_type'"
    ):
        read_labels(pd.DataFrame({"cluster": [1]}), name="mine")


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.sampled_from(["T cell", "CL:0000236"]))))
def test_every_cell_has_a_term_or_is_counted_as_without(values: list[object]) -> None:
    labels = read_labels(pd.DataFrame({"cell_type": pd.Series(values, dtype=object)}), name="x")
    without = labels.n_unlabelled + sum(labels.unresolved.values())
    assert len(labels.term_n) == len(values)
    assert int((labels.term_n == "").sum()) == without
    assert all(term == "" or term in load_ontology() for term in labels.term_n)
