from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.corpus.block import CELL_COLUMNS
from spoticell.corpus.recipe.parts import Source
from spoticell.corpus.sources.table import tabulate
from spoticell.errors import FileFormatError

OBS = pd.DataFrame(
    {
        "cell_type": ["T cell", "B cell", "clump", "T cell", "unknown"],
        "who": ["x", "x", "y", None, "y"],
        "donor_id": ["d", "e", "d", "unknown", "d"],
        "dataset_id": ["one", "one", "two", "two", "two"],
        "disease": ["normal", "lupus", "normal", "normal", "normal"],
    }
)


def column(table, name: str) -> list[str]:
    return table.cells[name].astype(object).tolist()


def test_facts_are_found_in_the_columns_of_the_schema_and_unknown_where_there_are_none() -> None:
    table = tabulate(OBS, Source(), name="mine")
    assert tuple(table.cells.columns) == CELL_COLUMNS
    assert column(table, "disease") == OBS["disease"].tolist()
    assert set(column(table, "tissue")) == {"unknown"}


def test_a_recipe_names_other_columns_or_says_a_thing_of_all_cells() -> None:
    table = tabulate(OBS, Source(donor="who", tissue={"value": "blood"}, dataset={"value": "all"}), name="mine")
    assert column(table, "donor_id") == ["all:x", "all:x", "all:y", "unknown", "all:y"]
    assert set(column(table, "tissue")) == {"blood"}


def test_cells_of_no_named_data_set_are_of_one_called_like_the_source() -> None:
    table = tabulate(OBS.drop(columns="dataset_id"), Source(), name="mine")
    assert set(column(table, "dataset_id")) == {"mine"}


def test_donors_of_one_name_are_different_people_in_different_data_sets() -> None:
    table = tabulate(OBS, Source(), name="mine")
    assert column(table, "donor_id") == ["one:d", "one:e", "two:d", "unknown", "two:d"]


def test_donors_of_one_name_are_one_person_within_a_study() -> None:
    table = tabulate(OBS, Source(study="atlas"), name="mine")
    assert column(table, "donor_id") == ["atlas:d", "atlas:e", "atlas:d", "unknown", "atlas:d"]
    studies = pd.Categorical(["s", "s", "s", "s", "t"])
    assert column(tabulate(OBS, Source(), name="mine", studies=studies), "donor_id")[2:] == ["s:d", "unknown", "t:d"]


def test_filters_keep_and_leave_out_by_any_column() -> None:
    table = tabulate(OBS, Source(where={"disease": "normal", "dataset_id": ["two", "one"]}), name="mine")
    assert table.keep_n.tolist() == [True, False, False, True, False]
    table = tabulate(OBS, Source(where_not={"donor_id": "d"}), name="mine")
    assert table.keep_n.tolist() == [False, True, False, True, False]


def test_a_cell_that_says_nothing_is_not_among_what_is_wanted_nor_among_what_is_not() -> None:
    assert tabulate(OBS, Source(where={"who": ["x", "y"]}), name="mine").keep_n.tolist()[3] is False
    assert tabulate(OBS, Source(where_not={"who": ["x", "y"]}), name="mine").keep_n.tolist()[3] is True


def test_only_wanted_types_are_kept() -> None:
    table = tabulate(OBS, Source(types=["B cell"]), name="mine")
    assert table.keep_n.tolist() == [False, True, False, False, False]
    assert table.left_out == {"no label": 1, "label not in the Cell Ontology": 1, "type not wanted": 2}


def test_labels_outside_the_filters_are_nobodys_concern() -> None:
    table = tabulate(OBS, Source(where={"dataset_id": "one"}), name="mine")
    assert table.unresolved == {}
    assert table.left_out == {"dataset_id not wanted": 3}


def test_a_table_of_meanings_goes_before_the_ontology() -> None:
    table = tabulate(OBS, Source(labels={"clump": "CL:0000236", "T cell": "unknown"}), name="mine")
    assert table.keep_n.tolist() == [False, True, True, False, False]
    assert (table.left_out, table.unresolved) == ({"no label": 3}, {})


def test_one_label_may_hold_for_all_cells() -> None:
    table = tabulate(pd.DataFrame(index=range(3)), Source(label={"value": "T cell"}), name="sorted")
    assert column(table, "cell_type_ontology_term_id") == ["CL:0000084"] * 3
    assert table.keep_n.all()


@pytest.mark.parametrize(
    "asked", [{"donor": "nope"}, {"where": {"nope": "x"}}, {"where_not": {"nope": "x"}}, {"label": "nope"}]
)
def test_a_column_that_is_not_there_is_refused_with_those_that_are(asked: dict) -> None:
    with pytest.raises(FileFormatError, match=r"mine has no column 'nope' .* it has 'cell_type', 'who'"):
        tabulate(OBS, Source(**asked), name="mine")


CELLS = st.lists(
    st.tuples(
        st.sampled_from(["T cell", "B cell", "clump", "unknown", "blob"]),
        st.sampled_from(["normal", "lupus"]),
        st.sampled_from(["d", "e", "unknown"]),
    ),
    min_size=1,
)


@given(CELLS, st.booleans(), st.booleans())
def test_every_cell_is_kept_or_left_out_for_one_reason(cells: list[tuple], filtered: bool, some: bool) -> None:
    obs = pd.DataFrame(cells, columns=["cell_type", "disease", "donor_id"])
    asked = Source(where={"disease": "normal"} if filtered else {}, types=["T cell"] if some else ())
    table = tabulate(obs, asked, name="mine")
    assert int(table.keep_n.sum()) + sum(table.left_out.values()) == len(obs)
    assert table.cells["cell_type_ontology_term_id"][table.keep_n].notna().all()
