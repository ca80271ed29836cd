"""Asking which genes speak for answers: of types, groups and cells."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import spoticell
from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.model.reasons import Occlusion

pytestmark = pytest.mark.filterwarnings("ignore::spoticell.errors.SpoticellWarning")
B_CELL = ["CD19", "CD79A", "CD79B", "MS4A1"]


def unsure(cells: anndata.AnnData) -> anndata.AnnData:
    """Give cells some of every gene, so that no single marker is one too many."""
    seen = cells.X.toarray() > 20
    others_v = np.where(np.arange(cells.n_vars) % 2, 1, 3)
    counts = np.random.default_rng(0).poisson(np.where(seen, 14, others_v)).astype(np.float32)
    counts[-1] = 0
    cells.X = sparse.csr_matrix(counts)
    return cells


@pytest.fixture(scope="module")
def tiny_explained(tiny_bundle, make_tiny_cells):
    """Six types, each explained by the genes that the tiny network reads."""

    def explained(**asked):
        cells = unsure(make_tiny_cells(per_type=6))
        before = cells.copy()
        found = spoticell.explain(cells, model=tiny_bundle, on_progress=False, **asked)
        pd.testing.assert_frame_equal(cells.obs, before.obs)
        return found

    return explained


@pytest.fixture(scope="module")
def types(tiny_explained):
    return tiny_explained()


def for_it(table, column, value):
    return table[(table[column] == value) & (table["contribution"] > 0)]["gene"].tolist()


def test_each_type_is_explained_by_the_genes_that_the_network_reads(types):
    assert (types.of, types.method, len(types.explained)) == ("types", "occlusion", 6)
    assert sorted(for_it(types.table, "cell_type", "B cell")[:4]) == B_CELL
    assert set(types.table["cells"]) == {6}
    assert {one.asked for one in types.explained} == {Occlusion.most}


def test_an_explanation_prints_as_a_line(types, tiny_explained):
    assert repr(types).startswith("Explanation of types by ")
    assert repr(types).endswith(" and 1 more; .table has the genes")
    assert repr(tiny_explained(groups="batch")).endswith(": a, b; .table has the genes")


def test_genes_for_come_loudest_first_and_those_against_after_them(types):
    for _, rows in types.table.groupby("cell_type"):
        ahead = rows[rows["contribution"] > 0]["contribution"].tolist()
        behind = rows[rows["contribution"] < 0]["contribution"].tolist()
        assert rows["contribution"].tolist() == sorted(ahead, reverse=True) + sorted(behind)
        assert len(ahead) <= types.n_genes >= len(behind)


def test_as_many_genes_are_given_as_are_asked_for(tiny_explained):
    assert tiny_explained(genes=2).table.groupby("cell_type").size().max() == 4
    with pytest.raises(ConfigError, match="genes is 0; at least 1"):
        tiny_explained(genes=0)


def test_known_markers_are_told_where_there_is_a_table_of_them(tiny_explained, tmp_path):
    path = tmp_path / "markers.csv"
    path.write_text("cell_type,gene\nB cell,MS4A1\n")
    found = tiny_explained(markers=path)
    known = found.table[found.table["known_marker"]]
    assert set(zip(known["cell_type"], known["gene"], strict=True)) == {("B cell", "MS4A1")}
    b_cell = next(one for one in found.record()["explained"] if one["name"] == "B cell")
    assert [gene["gene"] for gene in b_cell["genes_for"] if gene["known_marker"]] == ["MS4A1"]


def test_cells_are_explained_by_name(tiny_explained):
    found = tiny_explained(cell_names=["cell-7", "cell-0"])
    assert found.table["cell"].unique().tolist() == ["cell-7", "cell-0"]
    assert sorted(for_it(found.table, "cell", "cell-0")[:4]) == B_CELL


def test_another_type_than_the_answer_can_be_asked_about(tiny_explained):
    found = tiny_explained(cell_names="cell-0", cell_type="NK cell")
    assert found.explained[0].term == "CL:0000623"
    assert found.explained[0].probability < 0.1
    against = found.table[found.table["contribution"] < 0]["gene"].tolist()
    assert set(B_CELL) & set(against)


def test_a_type_alone_is_explained_in_the_cells_that_are_it_or_a_subtype(tiny_explained):
    found = tiny_explained(cell_type="T cell")
    assert [(one.name, one.cells) for one in found.explained] == [("T cell", 12)]
    assert "T cell" in found.table["cell_type"].tolist()


def test_a_type_that_no_cell_is_called_needs_cells(tiny_bundle, make_tiny_cells):
    cells = make_tiny_cells()[:5]
    with pytest.raises(ConfigError, match="no cell is called 'fibroblast'"):
        spoticell.explain(cells, model=tiny_bundle, cell_type="fibroblast", on_progress=False)


def test_groups_are_explained_by_their_answers(tiny_explained):
    found = tiny_explained(groups="batch")
    assert found.of == "groups"
    assert found.table["group"].unique().tolist() == ["a", "b"]
    about_b = tiny_explained(groups="batch", cell_type="B cell")
    assert {one.term for one in about_b.explained} == {"CL:0000236"}


def test_groups_and_cells_are_not_explained_at_once(tiny_explained):
    with pytest.raises(ConfigError, match="can't be explained at once"):
        tiny_explained(groups="batch", cell_names=["cell-0"])


def test_cells_that_are_not_there_are_named(tiny_explained):
    with pytest.raises(ConfigError, match="there is no cell 'nobody' among the 37 cells"):
        tiny_explained(cell_names=["cell-0", "nobody"])


def test_an_unknown_cell_is_asked_about_a_type(tiny_explained):
    with pytest.raises(ConfigError, match="'cell-36' is unknown, so there is no answer to explain"):
        tiny_explained(cell_names=["cell-36"])
    assert tiny_explained(cell_names=["cell-36"], cell_type="B cell").table.empty


@pytest.mark.filterwarnings("default::spoticell.errors.SpoticellWarning")
def test_of_an_unknown_cell_what_comes_nearest_is_explained_beside_the_others(tiny_bundle, tiny_cells):
    names = ["cell-0", "cell-1", "cell-30"]
    with pytest.warns(SpoticellWarning) as told:
        found = spoticell.explain(
            tiny_cells, model=tiny_bundle, cell_names=names, threshold=0.9999999, on_progress=False
        )
    said = [str(one.message) for one in told]
    assert "'cell-0', 'cell-1' are unknown: what is explained is the types that come nearest." in said
    assert "'cell-30' is left out: unknown, and nothing speaks for any type. Give a type to ask about." in said
    assert [(one.name, one.term) for one in found.explained] == [("cell-0", "CL:0000236"), ("cell-1", "CL:0000236")]


def test_where_no_cell_has_a_type_there_is_nothing_to_explain(tiny_bundle, vague_cells):
    with pytest.raises(ConfigError, match="no cell has a type"):
        spoticell.explain(vague_cells, model=tiny_bundle, threshold=1.0, on_progress=False)


def test_a_model_without_weights_is_asked_more_slowly_and_says_so(tiny_bundle, tiny_cells):
    with pytest.warns(SpoticellWarning, match="each gene is taken out in turn"):
        spoticell.explain(tiny_cells, model=tiny_bundle, on_progress=False)


def test_the_work_says_how_far_it_is(tiny_bundle, tiny_cells):
    steps = []
    spoticell.explain(tiny_cells, model=tiny_bundle, on_progress=lambda done, total: steps.append(done / total))
    assert steps[-1] == 1
    assert steps == sorted(steps)


def test_cells_that_their_neighbours_named_are_counted(tiny_bundle, make_tiny_cells):
    alone = spoticell.explain(make_tiny_cells(), model=tiny_bundle, each_cell_alone=True, on_progress=False)
    assert [one.changed for one in alone.explained] == [0] * 6


def test_the_mean_expression_is_that_of_the_cells_that_were_asked(tiny_bundle, tiny_cells):
    found = spoticell.explain(tiny_cells, model=tiny_bundle, cell_names=["cell-0"], on_progress=False)
    row = found.table.set_index("gene").loc["MS4A1"]
    counts = tiny_cells[0].X.toarray()[0]
    own = counts[tiny_cells.var_names == "MS4A1"][0]
    assert row["mean_expression"] == pytest.approx(np.log1p(1e4 * own / counts.sum()), abs=1e-3)


def test_the_table_is_written_once(types, tmp_path):
    path = types.write(tmp_path / "why.csv")
    assert pd.read_csv(path)["gene"].tolist() == types.table["gene"].tolist()
    with pytest.raises(OSError, match="stays as it is"):
        types.write(path)
    types.write(path, overwrite=True)
