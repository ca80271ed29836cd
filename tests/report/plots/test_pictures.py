"""Pictures of cells and types on the gene grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spoticell.api import annotate
from spoticell.errors import ConfigError
from spoticell.report import plots as pl


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_cell_is_drawn_with_the_genes_that_make_it_stand_out(cells, tiny_bundle):
    ax = pl.cell_picture(cells, cell="cell-0", model=tiny_bundle, n_named=4)
    assert set(texts(ax)) == {"MS4A1", "CD79A", "CD79B", "CD19"}
    assert ax.get_title() == "B cell · cell-0"
    assert ax.images[0].get_array().shape == (155, 155)


def test_a_cell_may_be_given_by_position_or_as_counts(cells, tiny_bundle):
    by_position = pl.cell_picture(cells, cell=0, model=tiny_bundle)
    as_counts = pl.cell_picture(cells.X[[0]].toarray()[0], model=tiny_bundle)
    np.testing.assert_array_equal(by_position.images[0].get_array(), as_counts.images[0].get_array())


@pytest.mark.parametrize("where", ["X", "layer", "raw"])
def test_the_picture_shows_the_matrix_that_was_annotated(tiny_cells, tiny_bundle, where):
    expected = pl.cell_picture(tiny_cells.X[[3]].toarray()[0], model=tiny_bundle).images[0].get_array()
    if where == "layer":
        tiny_cells.layers["counts"] = tiny_cells.X
    if where == "raw":
        tiny_cells.raw = tiny_cells
    if where != "X":
        tiny_cells.X = sparse.csr_matrix(tiny_cells.X.toarray() - 1)
    annotate(tiny_cells, model=tiny_bundle, threads=1)
    drawn = pl.cell_picture(tiny_cells, cell=3, model=tiny_bundle).images[0].get_array()
    np.testing.assert_array_equal(drawn, expected)


def test_an_empty_cell_is_dark_and_has_no_names(cells, tiny_bundle):
    assert texts(pl.cell_picture(cells, cell="cell-30", model=tiny_bundle)) == []


@pytest.mark.parametrize("cell", ["no such cell", 31, -1])
def test_a_cell_that_is_not_there_is_an_error(cells, tiny_bundle, cell):
    with pytest.raises(ConfigError, match="there is no cell"):
        pl.cell_picture(cells, cell=cell, model=tiny_bundle)


def test_another_bundle_than_that_of_the_answers_is_an_error(cells, tiny_bundle):
    cells.uns["spoticell"]["bundle_sha256"] = "0" * 64
    with pytest.raises(ConfigError, match="another model"):
        pl.cell_picture(cells, model=tiny_bundle)


def test_a_type_is_drawn_as_the_mean_of_its_cells_with_the_genes_that_set_it_apart(make_tiny_cells, tiny_bundle):
    cells = make_tiny_cells(per_type=20)
    annotate(cells, model=tiny_bundle, threads=1)
    ax = pl.type_picture(cells, "B cells", model=tiny_bundle, n_named=4)
    assert set(texts(ax)) == {"MS4A1", "CD79A", "CD79B", "CD19"}
    assert ax.get_title() == "B cell · 20 cells"
    levels = ax.images[0].get_array().ravel()
    brightest = tiny_bundle.pixel_g[[tiny_bundle.vocabulary.by_symbol[gene] for gene in texts(ax)]]
    assert set(np.argsort(-levels.astype(int))[:4]) == set(brightest)


def test_the_cells_of_subtypes_are_those_of_a_type(cells, tiny_bundle):
    assert pl.type_picture(cells, "T cell", model=tiny_bundle).get_title() == "T cell · 10 cells"


def test_deep_cells_count_as_much_as_shallow_ones(cells, tiny_bundle):
    before = pl.type_picture(cells, "B cell", model=tiny_bundle).images[0].get_array()
    cells.X = sparse.csr_matrix(cells.X.toarray() * np.where(np.arange(31) == 1, 50, 1)[:, None])
    after = pl.type_picture(cells, "B cell", model=tiny_bundle).images[0].get_array()
    assert np.abs(before.astype(int) - after.astype(int)).max() <= 1


def test_a_gene_that_few_cells_have_stays_dark(cells, tiny_bundle):
    counts = sparse.csr_matrix(np.repeat(np.eye(1, 200, 7), 31, axis=0)).toarray()
    counts[:3, 9] = 5  # 3 of 30: not more than a tenth would be 3.1 of 31
    cells.X = sparse.csr_matrix(counts.astype(np.float32))
    cells.obs["spoticell_cell_type_ontology_term_id"] = "CL:0000236"
    picture = pl.type_picture(cells, "B cell", model=tiny_bundle).images[0].get_array().ravel()
    assert picture[tiny_bundle.pixel_g[7]] > picture[tiny_bundle.pixel_g[9]] == picture[tiny_bundle.pixel_g[10]]


def test_types_stand_side_by_side_three_in_a_row(cells, tiny_bundle):
    figure = pl.type_pictures(cells, model=tiny_bundle, most=4)
    assert figure.axes[0].get_title() == "T cell · 10 cells"
    assert len(figure.axes) == 4
    named = pl.type_pictures(cells, types=["NK", "CL:0000057"], model=tiny_bundle)
    assert [ax.get_title() for ax in named.axes] == ["NK · 5 cells", "Fibroblast · 5 cells"]


def test_types_without_cells_or_of_no_meaning_are_refused(cells, tiny_bundle):
    with pytest.raises(ConfigError, match="no cell is called 'Hepatocyte'"):
        pl.type_picture(cells, "hepatocyte", model=tiny_bundle)
    with pytest.raises(ConfigError, match="names no type of cell"):
        pl.type_picture(cells, "nonsense", model=tiny_bundle)
    with pytest.raises(ConfigError, match="no type to draw"):
        pl.type_pictures(cells, types=[], model=tiny_bundle)


def test_a_type_that_all_cells_are_of_is_named_by_its_strongest_genes(cells, tiny_bundle):
    fibroblasts = cells[cells.obs["spoticell_cell_type"] == "fibroblast"].copy()
    ax = pl.type_picture(fibroblasts, "fibroblast", model=tiny_bundle, n_named=4)
    assert set(texts(ax)) == {"COL1A1", "COL1A2", "DCN", "LUM"}
