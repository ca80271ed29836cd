"""The cells of each type in each sample, and how sure their shares are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from spoticell.annotation.composition import count_types, together
from spoticell.annotation.samples import Samples
from spoticell.api import annotate

NODES, NAMES = ("CL:0000084", "CL:0000236", "CL:0000623"), ("T cell", "B cell", "NK cell")


def composed(sample_n, answer_n, names=("a", "b", "c"), conditions=("", "", "")):
    samples = Samples("by", None, names, np.array(sample_n), conditions)
    return count_types(samples, np.array(answer_n), nodes=NODES, names=NAMES)


@given(
    arrays(np.intp, 40, elements=st.integers(0, 2)).filter(lambda sample_n: len(np.unique(sample_n)) == 3),
    arrays(np.intp, 40, elements=st.integers(-1, 2)),
)
def test_cells_are_those_that_pandas_counts_and_shares_add_up(sample_n, answer_n):
    table = composed(sample_n, answer_n).table()
    words = np.array([*NAMES, "unknown"])[answer_n]
    counts = pd.crosstab(np.array(list("abc"))[sample_n], words)
    for row in table.itertuples():
        assert row.cells == (counts.loc[row.sample, row.cell_type] if row.cell_type in counts else 0)
        assert row.low - 1e-12 <= row.share <= row.high + 1e-12
    np.testing.assert_allclose(table.groupby("sample")["share"].sum(), 1)


def test_the_bounds_are_wilsons():
    table = composed([0] * 30 + [1] * 7 + [2], [1] * 11 + [0] * 19 + [1] * 7 + [-1]).table()
    first = table.iloc[0]
    bounds = binomtest(int(first["cells"]), 30).proportion_ci(0.95, method="wilson")
    assert (first["low"], first["high"]) == pytest.approx((bounds.low, bounds.high))


def test_a_type_that_no_sample_has_is_left_out_and_unknown_is_last():
    found = composed([0, 1, 2, 2], [1, 1, 0, 0])
    assert found.names == ("B cell", "T cell", "unknown")
    assert found.cells_st[:, -1].tolist() == [0, 0, 0]


def test_the_condition_stands_beside_the_sample_if_there_is_one():
    assert "condition" not in composed([0, 1, 2], [0, 0, 0]).table()
    with_condition = composed([0, 1, 2], [0, 0, 0], conditions=("ill", "well", "well")).table()
    assert with_condition.groupby("sample")["condition"].first().to_dict() == {"a": "ill", "b": "well", "c": "well"}


def test_several_files_make_one_composition_with_the_types_of_all():
    first = composed([0, 0], [0, 0], names=("x",), conditions=("well",)).of_file("one", alone=True)
    second = composed([0, 1], [1, -1], names=("x", "y"), conditions=("ill", "well")).of_file("two", alone=False)
    whole = together([first, second])
    assert whole.samples == ("one", "two: y", "two: x")
    assert whole.conditions == ("well", "well", "ill")
    assert whole.names == ("T cell", "B cell", "unknown")
    assert whole.cells_st.tolist() == [[2, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_an_annotation_gives_its_composition_by_sample_or_as_a_whole(tiny_cells, tiny_bundle):
    tiny_cells.obs["donor"] = ["d10", "d2"] * 15 + ["d2"]
    result = annotate(tiny_cells, model=tiny_bundle, by="donor")
    table = result.composition()
    assert table["sample"].unique().tolist() == ["d2", "d10"]
    assert table["cells"].sum() == 31
    whole = annotate(tiny_cells, model=tiny_bundle).composition()
    assert whole["sample"].unique().tolist() == ["AnnData"]
    assert whole.set_index("cell_type")["cells"].to_dict() == result.summary().set_index("cell_type")["cells"].to_dict()


def test_the_composition_is_written_into_the_object_and_its_file(tiny_cells, tiny_bundle, tmp_path):
    import anndata  # noqa: PLC0415

    tiny_cells.obs["condition"] = ["x"] * 15 + ["y"] * 16
    tiny_cells.obs["donor"] = [f"{condition}{row % 3}" for row, condition in enumerate(tiny_cells.obs["condition"])]
    result = annotate(tiny_cells, model=tiny_bundle, by="donor", condition="condition")
    result.write(tmp_path / "named.h5ad")
    kept = anndata.read_h5ad(tmp_path / "named.h5ad").uns["spoticell"]["samples"]
    assert (kept["by"], kept["condition"], list(kept["conditions"])) == ("donor", "condition", ["x", "y"])
    table = pd.DataFrame(kept["composition"])[result.composition().columns]
    pd.testing.assert_frame_equal(table, result.composition())
    assert list(kept["n_samples"]) == [3, 3]
    assert "Welch" in kept["method"]


def test_a_column_that_is_not_there_is_refused_before_any_cell_is_read(tiny_cells, tiny_bundle, monkeypatch):
    monkeypatch.setattr("spoticell.annotation.pipeline.inspect", lambda *args, **how: pytest.fail("cells were read"))
    with pytest.raises(ValueError, match="no column 'donor' about its cells; it has 'cell_type_ontology_term_id'"):
        annotate(tiny_cells, model=tiny_bundle, by="donor")
