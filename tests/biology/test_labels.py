from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.labels import Labelling, read_labels
from spoticell.biology.ontology import load_ontology
from spoticell.errors import ConfigError, FileFormatError


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


@pytest.mark.parametrize(
    "column", ["CellType", "celltype", "cell.type", "Cell_Type", "annotation", "label", "author_cell_type"]
)
def test_a_column_of_labels_is_found_however_it_is_spelled(column: str) -> None:
    labels = read_labels(pd.DataFrame({"sample": ["a"], column: ["B cells"]}), name="x")
    assert (labels.column, labels.term_n.tolist()) == (column, ["CL:0000236"])


def test_a_column_that_says_nothing_gives_way_to_the_next() -> None:
    obs = pd.DataFrame({"cell_type_ontology_term_id": ["unknown"], "celltype": ["NK"]})
    assert read_labels(obs, name="x").column == "celltype"


def test_the_column_that_is_asked_for_is_taken_or_missed() -> None:
    obs = pd.DataFrame({"cell_type": ["B cell"], "mine": ["NK"]})
    assert read_labels(obs, name="x", labelling=Labelling("mine")).term_n.tolist() == ["CL:0000623"]
    with pytest.raises(ConfigError, match="x has no column 'yours' about its cells; it has 'cell_type', 'mine'"):
        read_labels(obs, name="x", labelling=Labelling("yours"))


def test_what_the_user_says_of_a_label_goes_before_all_else() -> None:
    meanings = {"NK": "CL:0000084", "junk": "unknown"}
    labels = read_labels(pd.DataFrame({"label": ["NK", "junk"]}), name="x", labelling=Labelling(meanings=meanings))
    assert (labels.term_n.tolist(), labels.unresolved, labels.n_unlabelled) == (["CL:0000084", ""], {}, 1)


def test_labels_that_are_not_understood_are_told_with_their_cells_and_what_helps() -> None:
    labels = read_labels(pd.DataFrame({"label": ["PC"] * 3 + ["B"] + [f"odd {i}" for i in range(9)]}), name="x")
    remark = labels.remark()
    assert remark is not None
    assert remark.startswith("10 labels in 'label' are not understood: 'PC' (3 cells; may be ")
    assert "5 more. Say what they mean in a table" in remark
    assert "--meanings TABLE, in Python meanings=" in remark
    with pytest.raises(ConfigError, match="x: of 13 labelled cells 1 have a label that is understood"):
        labels.check(name="x")


def test_a_column_of_terms_is_pointed_to_where_it_has_the_cells_whose_label_is_not_understood() -> None:
    obs = pd.DataFrame(
        {"mine": ["B", "odd", "odd"], "cell_type_ontology_term_id": ["unknown", "CL:0000236", "CL:0000623"]}
    )
    told = "The column 'cell_type_ontology_term_id' has ontology terms for such cells: --label-column cell_type_ont"
    assert told in (read_labels(obs, name="x", labelling=Labelling("mine")).remark() or "")
    obs["cell_type_ontology_term_id"] = ["CL:0000236", "unknown", "CL:0000623"]
    assert "ontology terms" not in (read_labels(obs, name="x", labelling=Labelling("mine")).remark() or "")
    assert read_labels(obs, name="x").terms_in is None


def test_half_of_the_labels_will_do() -> None:
    read_labels(pd.DataFrame({"label": ["B", "odd", None, None]}), name="x").check(name="x")
