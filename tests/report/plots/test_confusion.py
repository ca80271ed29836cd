"""Answers against labels."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.report import plots as pl


def shares(ax) -> dict[tuple[str, str], float]:
    rows = [label.get_text().split(" · ")[0] for label in ax.get_yticklabels()]
    columns = [label.get_text() for label in ax.get_xticklabels()]
    table = np.asarray(ax.images[0].get_array())
    return {(row, column): table[i, j] for i, row in enumerate(rows) for j, column in enumerate(columns) if table[i, j]}


def frames(ax) -> dict[tuple[int, int], str]:
    """Row and column of each frame, with its line."""
    found = [patch for patch in ax.patches if isinstance(patch, mpl.patches.Rectangle)]
    return {(round(one.get_y() + 0.44), round(one.get_x() + 0.46)): one.get_linestyle() for one in found}


def test_numbers_are_shares_of_the_cells_of_a_label(cells):
    labels = cells.obs["spoticell_cell_type_ontology_term_id"].astype(str).to_numpy().copy()
    labels[0] = "CL:0000057"  # one of five B cells is said to be a fibroblast, beside five fibroblasts
    cells.obs["mine"] = labels
    ax = pl.confusion(cells, label_column="mine")
    found = shares(ax)
    assert found["B cell", "B cell"] == 1
    assert found["Fibroblast", "B cell"] == pytest.approx(1 / 6)
    assert found["Fibroblast", "Fibroblast"] == pytest.approx(5 / 6)
    assert "Fibroblast · 6" in [label.get_text() for label in ax.get_yticklabels()]
    assert "17" in [text.get_text() for text in ax.texts]


def test_what_is_right_lies_along_the_diagonal(cells):
    ax = pl.confusion(cells, label_column="cell_type_ontology_term_id")
    table = np.asarray(ax.images[0].get_array())
    np.testing.assert_array_equal(table, np.eye(6))
    assert set(frames(ax)) == {(place, place) for place in range(6)}


def test_right_and_coarser_answers_have_frames_of_their_own(cells):
    cells.obs["mine"] = ["T cell"] * 15 + ["CD4 Tcm"] * 15 + [None]
    cells.obs["spoticell_cell_type_ontology_term_id"] = ["CL:0000624"] * 30 + ["unknown"]  # CD4 T cells
    ax = pl.confusion(cells, label_column="mine")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert frames(ax) == {(rows.index("T cell · 15"), 0): "-", (rows.index("CD4 Tcm · 15"), 0): ":"}


def test_rare_answers_are_summed_up_and_unknown_comes_last(cells):
    cells.obs["mine"] = "T cell"
    terms = ["CL:0000084"] * 28 + ["CL:0000236", "CL:0000057", "unknown"]
    cells.obs["spoticell_cell_type_ontology_term_id"] = terms
    ax = pl.confusion(cells, label_column="mine")
    assert shares(ax) == {
        ("T cell", "T cell"): pytest.approx(28 / 31),
        ("T cell", "rarer answers"): pytest.approx(2 / 31),
        ("T cell", "unknown"): pytest.approx(1 / 31),
    }


def test_meanings_of_labels_may_be_told(cells):
    cells.obs["mine"] = ["cluster 1"] * 31
    ax = pl.confusion(cells, label_column="mine", meanings={"cluster 1": "B cell"})
    assert ax.get_yticklabels()[0].get_text() == "cluster 1 · 31"
    ax = pl.confusion(cells, label_column="mine", meanings={"cluster 1": "B cell"}, merge=True)
    assert ax.get_yticklabels()[0].get_text() == "B cell · 31"
    with pytest.raises(ConfigError, match="not understood"):
        pl.confusion(cells, label_column="mine")


def test_labels_are_kept_and_those_of_a_lineage_stand_together(cells):
    cells.obs["mine"] = ["B"] * 10 + ["fibroblasts"] * 5 + ["B cells"] * 7 + ["T"] * 8 + ["fibroblast"]
    rows = [label.get_text() for label in pl.confusion(cells, label_column="mine").get_yticklabels()]
    assert rows == ["B · 10", "B cells · 7", "T · 8", "fibroblasts · 5", "fibroblast · 1"]
    merged = pl.confusion(cells, label_column="mine", merge=True).get_yticklabels()
    assert [label.get_text() for label in merged] == ["B cell · 17", "T cell · 8", "Fibroblast · 6"]


def test_a_label_that_is_too_long_is_cut(cells):
    label = "these cells are B cells, and they have been so for quite a while"
    cells.obs["mine"] = label
    [row] = pl.confusion(cells, label_column="mine", meanings={label: "B cell"}).get_yticklabels()
    assert row.get_text() == "these cells are B cells, and t… · 31"


def test_where_fields_are_small_there_are_fewer_columns_and_no_numbers(cells):
    _, axes = plt.subplots(1, 2, figsize=(4.6, 3), layout="constrained")
    small = pl.confusion(cells, label_column="cell_type_ontology_term_id", ax=axes[0])
    assert len(small.get_xticklabels()) < 6
    assert "rarer answers" in [label.get_text() for label in small.get_xticklabels()]
    assert not small.texts
    assert pl.confusion(cells, label_column="cell_type_ontology_term_id").texts


@pytest.mark.parametrize("plot", [pl.confusion, pl.reliability])
def test_labels_that_are_left_out_are_told(cells, plot):
    cells.obs["mine"] = cells.obs["spoticell_cell_type"].astype(str).where(np.arange(cells.n_obs) != 0, "clump 7x")
    with pytest.warns(SpoticellWarning, match=r"1 labelled cell is not in the plot\. 1 label in 'mine'"):
        plot(cells, label_column="mine")
