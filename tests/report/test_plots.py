"""Pictures with matplotlib, from annotated cells and from plain arrays."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from scipy import sparse

from spoticell.api import annotate
from spoticell.errors import ConfigError
from spoticell.report import plots as pl


@pytest.fixture(autouse=True)
def _no_window(monkeypatch):
    plt = mpl.pyplot
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def cells(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle, threads=1)
    return tiny_cells


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


def test_the_map_names_the_types_and_puts_unknown_last(cells):
    legend = [text.get_text() for text in pl.fingerprint_map(cells).get_legend().get_texts()]
    assert len(legend) == 7
    assert legend[-1] == "unknown"


def test_the_map_shows_scores(cells):
    ax = pl.fingerprint_map(cells, color="score")
    assert len(ax.collections[0].get_offsets()) == 31


def test_the_map_takes_plain_arrays(cells):
    ax = pl.fingerprint_map(cells.obsm["X_spoticell"], types=["B cell"] * 30 + ["?"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["B cell", "unknown"]
    with pytest.raises(ConfigError, match="types must be given"):
        pl.fingerprint_map(np.eye(3))


@pytest.mark.parametrize(("level", "bars"), [("fine", 7), ("broad", 6)])
def test_the_composition_has_a_bar_for_each_type(cells, level, bars):
    ax = pl.composition(cells, level=level)
    assert len(ax.patches) == bars
    assert sum(bar.get_width() for bar in ax.patches) == 31
    assert ax.get_yticklabels()[-1].get_text() == "unknown"


def test_the_histogram_marks_the_least_score_that_was_used(cells):
    ax = pl.score_histogram(cells)
    assert ax.get_title() == "1 of 31 cells unknown"
    assert ax.get_legend().get_texts()[0].get_text() == "unknown below 0.50"
    assert sum(bar.get_height() for bar in ax.patches) == 30


@pytest.mark.parametrize("draw", [pl.fingerprint_map, pl.composition, pl.score_histogram])
def test_cells_without_answers_are_refused_with_a_hint(tiny_cells, draw):
    with pytest.raises(ConfigError, match=r"run spoticell\.annotate"):
        draw(tiny_cells)


def test_a_picture_goes_where_it_is_told_to(cells, tiny_bundle):
    _, axes = mpl.pyplot.subplots(1, 4)
    drawn = [
        pl.cell_picture(cells, model=tiny_bundle, ax=axes[0]),
        pl.fingerprint_map(cells, ax=axes[1]),
        pl.composition(cells, ax=axes[2]),
        pl.score_histogram(cells, ax=axes[3]),
    ]
    assert drawn == list(axes)


def test_another_key_is_read(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle, key_added="mine", threads=1)
    assert len(pl.composition(tiny_cells, key_added="mine").patches) == 7


def test_plots_have_the_colours_of_the_annotated_cells_and_short_names(cells):
    column = cells.obs["spoticell_cell_type_short"]
    color_of = dict(zip(column.cat.categories, cells.uns["spoticell_cell_type_short_colors"], strict=True))
    ax = pl.composition(cells)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert set(labels) == set(column)
    assert [mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches] == [color_of[label] for label in labels]
    broad = dict(
        zip(cells.obs["spoticell_level_broad"].cat.categories, cells.uns["spoticell_level_broad_colors"], strict=True)
    )
    bars = pl.composition(cells, level="broad").patches
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in bars} == set(broad.values())


def test_cells_that_lost_their_colours_are_given_some(cells):
    del cells.uns["spoticell_cell_type_colors"], cells.uns["spoticell_level_broad_colors"]
    bars = pl.composition(cells).patches
    assert len({mpl.colors.to_hex(bar.get_facecolor()) for bar in bars}) == len(bars)
