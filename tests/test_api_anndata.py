import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import spoticell
from spoticell.api import annotate
from spoticell.errors import ConfigError, CountsError, GeneMatchError

OBS = [
    "spoticell_cell_type",
    "spoticell_cell_type_short",
    "spoticell_cell_type_ontology_term_id",
    "spoticell_score",
    "spoticell_second_cell_type",
    "spoticell_second_cell_type_ontology_term_id",
    "spoticell_second_probability",
    "spoticell_level_broad",
    "spoticell_n_counts_used",
    "spoticell_n_genes_used",
    "spoticell_reason",
    "spoticell_single_cell_type",
    "spoticell_single_cell_type_ontology_term_id",
    "spoticell_single_score",
    "spoticell_mixed",
    "spoticell_mixed_score",
]
COLORS = [
    f"spoticell_{column}_colors"
    for column in ("cell_type", "cell_type_short", "second_cell_type", "single_cell_type", "level_broad")
]


def test_annotate_writes_its_keys_and_nothing_else(tiny_cells, tiny_bundle, tiny_answers):
    before = tiny_cells.copy()
    assert annotate(tiny_cells, model=tiny_bundle, threads=1).adata is tiny_cells
    assert list(tiny_cells.obs) == [*before.obs, *OBS]
    assert tiny_cells.obs[OBS[2]].tolist() == tiny_answers
    assert set(tiny_cells.obsm) == {"X_spoticell", "spoticell_probabilities"}
    assert set(tiny_cells.uns) == {"spoticell", *COLORS}
    assert (tiny_cells.X != before.X).nnz == 0
    pd.testing.assert_frame_equal(tiny_cells.obs[list(before.obs)], before.obs)
    pd.testing.assert_frame_equal(tiny_cells.var, before.var)


def test_what_is_written_has_the_kinds_that_tools_expect(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle)
    kinds = tiny_cells.obs[OBS].dtypes
    answer = ["category", "category", "float32"]
    expected = ["category", *answer * 2, "category", "float32", "int32", "category", *answer, "category", "float32"]
    assert [str(kinds[name]) for name in OBS] == expected
    colors, types = tiny_cells.uns["spoticell_cell_type_colors"], tiny_cells.obs[OBS[0]].cat.categories
    assert len(set(colors)) == len(colors) == len(types)
    assert all(len(color) == 7 and color.startswith("#") for color in colors)
    classes = tiny_cells.uns["spoticell"]["classes"]
    probabilities = tiny_cells.obsm["spoticell_probabilities"]
    assert probabilities.shape == (31, len(classes))
    for row in range(30):
        term, score = tiny_cells.obs[OBS[2]].iloc[row], tiny_cells.obs[OBS[3]].iloc[row]
        assert probabilities[row, list(classes).index(term)] == score
    assert np.isfinite(tiny_cells.obsm["X_spoticell"]).all()


def test_an_annotated_object_survives_a_file(tiny_cells, tiny_bundle, tmp_path):
    annotate(tiny_cells, model=tiny_bundle)
    tiny_cells.write_h5ad(tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    pd.testing.assert_frame_equal(back.obs, tiny_cells.obs)
    assert back.uns["spoticell"]["bundle_sha256"] == tiny_bundle.sha256
    assert back.uns["spoticell"]["input"]["matrix"] == "X"


def test_colours_of_columns_that_an_earlier_run_left_are_gone(tiny_cells, tiny_bundle):
    tiny_cells.obs["kind"] = "a"
    annotate(tiny_cells, model=tiny_bundle, groups="kind")
    assert tiny_cells.uns["spoticell_group_cell_type_colors"]
    annotate(tiny_cells, model=tiny_bundle, each_cell_alone=True)
    left = {"spoticell_group_cell_type_colors", "spoticell_single_cell_type_colors"}
    assert not left & set(tiny_cells.uns)


def test_a_copy_is_annotated_and_the_original_left_alone(tiny_cells, tiny_bundle):
    copy = annotate(tiny_cells, model=tiny_bundle, copy=True).adata
    assert OBS[0] in copy.obs
    assert OBS[0] not in tiny_cells.obs
    assert not tiny_cells.obsm


@pytest.mark.rows(44)
def test_a_second_run_replaces_the_first_and_another_key_stands_beside_it(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle, threshold=1.0)
    annotate(tiny_cells, model=tiny_bundle)
    annotate(tiny_cells, model=tiny_bundle, key_added="mine")
    assert tiny_cells.obs["mine_cell_type"].tolist() == tiny_cells.obs[OBS[0]].tolist()
    assert len(tiny_cells.obs.columns) == 2 + 2 * len(OBS)


@pytest.mark.parametrize("key", ["", "a/b", "_hidden"])
def test_keys_that_files_can_not_hold_are_refused(tiny_cells, tiny_bundle, key):
    with pytest.raises(ConfigError, match="key_added"):
        annotate(tiny_cells, model=tiny_bundle, key_added=key)


@pytest.mark.rows(33)
def test_a_view_becomes_an_object_and_its_parent_stays_as_it_was(tiny_cells, tiny_bundle, tiny_answers):
    view = tiny_cells[5:20, ::-1]
    annotate(view, model=tiny_bundle)
    assert view.obs[OBS[2]].tolist() == tiny_answers[5:20]
    assert OBS[0] not in tiny_cells.obs


@pytest.mark.rows(33)
def test_a_backed_object_is_annotated_and_its_file_is_not_touched(tiny_h5ad, tiny_bundle, tiny_answers):
    before = tiny_h5ad.read_bytes()
    adata = anndata.read_h5ad(tiny_h5ad, backed="r")
    annotate(adata, model=tiny_bundle)
    copy = annotate(adata, model=tiny_bundle, copy=True).adata
    assert adata.obs[OBS[2]].tolist() == copy.obs[OBS[2]].tolist() == tiny_answers
    assert not copy.isbacked
    adata.file.close()
    assert tiny_h5ad.read_bytes() == before


def test_answers_are_kept_to_some_types_in_every_array(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle, deny=["T cell"], tissue="PBMC")
    table = pd.DataFrame(tiny_cells.obsm["spoticell_probabilities"], columns=tiny_bundle.nodes)
    assert not table[["CL:0000084", "CL:0000624", "CL:0000625", "CL:0000057"]].any(axis=None)
    assert tiny_cells.uns["spoticell"]["allowed"]["tissue"] == "blood"
    kinds = {"B cell", "natural killer cell", "CD14-positive monocyte", "unknown"}
    assert set(tiny_cells.obs["spoticell_cell_type"]) == kinds


def test_the_layer_that_is_named_is_the_one_used(tiny_cells, tiny_bundle, tiny_answers):
    tiny_cells.layers["other"] = sparse.csr_matrix(tiny_cells.X[::-1].copy())
    annotate(tiny_cells, model=tiny_bundle, layer="other")
    assert tiny_cells.obs[OBS[2]].tolist() == tiny_answers[::-1]
    tiny_cells.raw = tiny_cells
    annotate(tiny_cells, model=tiny_bundle, layer="raw")
    assert tiny_cells.uns["spoticell"]["input"]["matrix"] == "raw/X"
    annotate(tiny_cells, model=tiny_bundle, layer="X")
    assert tiny_cells.obs[OBS[2]].tolist() == tiny_answers


def test_a_layer_that_is_not_there_is_refused_with_those_that_are(tiny_cells, tiny_bundle):
    with pytest.raises(ConfigError, match=r"no layer 'counts'; it has X"):
        annotate(tiny_cells, model=tiny_bundle, layer="counts")


def test_an_object_without_a_matrix_is_refused(tiny_cells, tiny_bundle):
    with pytest.raises(ConfigError, match="holds no matrix"):
        annotate(anndata.AnnData(obs=tiny_cells.obs), model=tiny_bundle)


def test_a_failure_leaves_the_object_as_it_was(tiny_cells, tiny_bundle):
    scaled = tiny_cells.copy()
    values = scaled.X.toarray()
    scaled.X = sparse.csr_matrix(values - values.mean(axis=0))
    with pytest.raises(CountsError):
        annotate(scaled, model=tiny_bundle)
    foreign = tiny_cells.copy()
    foreign.var_names = [f"gene {i}" for i in range(200)]
    del foreign.var["gene_id"]
    with pytest.raises(GeneMatchError):
        annotate(foreign, model=tiny_bundle)
    for adata in (scaled, foreign):
        assert list(adata.obs) == list(tiny_cells.obs)
        assert not adata.obsm
        assert not adata.uns


@pytest.mark.rows(37)
def test_ids_in_a_column_serve_where_the_index_says_nothing(tiny_cells, tiny_bundle, tiny_answers):
    tiny_cells.var_names = [f"gene {i}" for i in range(200)]
    tiny_cells.var["gene_id"] = tiny_cells.var["gene_id"].astype("category")
    annotate(tiny_cells, model=tiny_bundle)
    assert tiny_cells.obs[OBS[2]].tolist() == tiny_answers
    assert tiny_cells.uns["spoticell"]["input"]["gene_match"]["column"] == "gene_id"


@pytest.mark.rows(43)
def test_repeated_cell_names_and_numbers_for_names_are_kept_in_order(tiny_cells, tiny_bundle, tiny_answers):
    tiny_cells.obs_names = ["same"] * 31
    annotate(tiny_cells, model=tiny_bundle)
    assert tiny_cells.obs[OBS[2]].tolist() == tiny_answers


def test_the_package_gives_the_same_function():
    assert spoticell.annotate is annotate
