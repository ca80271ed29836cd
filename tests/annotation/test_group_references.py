"""What reference cells say of groups of cells."""

from __future__ import annotations

import numpy as np
import pytest
from tests.conftest import tiny_adata

import spoticell
from spoticell.annotation.group_references import GroupReferences, agreeing, references_of

T_CELL, CD4, B_CELL = "CL:0000084", "CL:0000624", "CL:0000236"


class Near:
    """Matches of five cells."""

    nearest_study_n = np.array(["b", "a", "a", "", "c"], dtype=object)
    nearest_tissue_n = np.array(["", "blood", "lung", "blood", ""], dtype=object)


def test_nearest_studies_and_tissues_are_counted_by_group_and_unknown_ones_left_out():
    code_n = np.array([0, 0, 0, 0, -1])
    assert references_of(code_n, 2, Near()) == [
        GroupReferences((("a", 2), ("b", 1)), (("blood", 2), ("lung", 1))),
        GroupReferences(),
    ]


def test_three_are_named():
    class Many:
        nearest_study_n = np.array(list("dcba"), dtype=object)
        nearest_tissue_n = np.array(list("dcba"), dtype=object)

    (found,) = references_of(np.zeros(4, dtype=int), 1, Many())
    assert [study for study, _ in found.studies] == [tissue for tissue, _ in found.tissues] == ["a", "b", "c"]


def test_without_an_index_nothing_is_said():
    assert references_of(np.zeros(2, dtype=int), 2, None) == [GroupReferences(), GroupReferences()]
    assert agreeing([T_CELL], np.zeros(2, dtype=int), None) == [None]


@pytest.mark.parametrize(("term", "share"), [(T_CELL, 0.75), (CD4, 0.75), (B_CELL, 0.0), ("unknown", 0.0)])
def test_a_coarser_or_finer_type_agrees_and_an_unknown_one_never(term, share):
    theirs_n = np.array([T_CELL, CD4, CD4, "unknown", B_CELL], dtype=object)
    assert agreeing([term], np.array([0, 0, 0, 0, -1]), theirs_n) == [share]


def test_a_group_without_cells_that_have_a_say_has_none_that_agree():
    assert agreeing([T_CELL, B_CELL], np.array([0, -1]), np.array([T_CELL, B_CELL], dtype=object)) == [1.0, 0.0]


def test_the_table_of_groups_says_it_with_an_index_only(tiny_bundle, tmp_path):
    cells, references = tiny_adata(per_type=10), [tiny_adata(per_type=20, seed=seed) for seed in (1, 2)]
    for number, study in enumerate(references):
        study.obs["study"], study.obs["tissue"] = f"study_{number}", "lung"
    index = tmp_path / "index"
    spoticell.build_index(references, index, model=tiny_bundle)
    label = "cell_type_ontology_term_id"
    table = spoticell.annotate(cells, model=tiny_bundle, index=index, groups=label, copy=True).groups.table
    assert set(table["references_agree"]) <= {0.0, 1.0} | {share / 10 for share in range(10)}
    assert (table["references_agree"] > 0.5).any()
    assert table["nearest_tissues"].str.contains(r"\(\d+\)").any()
    plain = spoticell.annotate(cells, model=tiny_bundle, groups=label, copy=True)
    assert plain.groups.table["references_agree"].isna().all()
    assert "references_agree" not in plain.groups.record()
    assert set(plain.groups.table["nearest_tissues"]) == {""}
