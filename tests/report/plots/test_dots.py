"""Markers of types as dots."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from spoticell.api import annotate
from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.report import plots as pl


@pytest.fixture(scope="module")
def deep(make_tiny_cells, tiny_bundle):
    """Cells of which there are enough for a test."""
    return annotate(make_tiny_cells(per_type=20), model=tiny_bundle, threads=1).adata


def labels(ax) -> tuple[list[str], list[str]]:
    return [one.get_text() for one in ax.get_yticklabels()], [one.get_text() for one in ax.get_xticklabels()]


def dots(ax) -> dict[tuple[str, str], tuple[float, float]]:
    """Size and value of the dot of each type and gene."""
    rows, columns = labels(ax)
    drawn = ax.collections[0]
    places = [(rows[int(y)], columns[int(x)]) for x, y in drawn.get_offsets()]
    return dict(zip(places, zip(drawn.get_sizes(), drawn.get_array(), strict=True), strict=True))


def test_size_is_the_share_of_cells_and_colour_the_mean(deep, tiny_bundle):
    ax = pl.marker_dots(deep, ["CD79A", "GNLY"], types=["B cell", "NK"], model=tiny_bundle)
    own = deep[deep.obs["spoticell_cell_type"] == "B cell"]
    counts = own.X.toarray()
    gene = list(deep.var_names).index("GNLY")
    expected = np.log1p(1e4 * counts[:, gene] / counts.sum(axis=1)).mean()
    size, mean = dots(ax)["B cell", "GNLY"]
    assert mean == pytest.approx(expected, rel=1e-5)
    assert size / dots(ax)["B cell", "CD79A"][0] == pytest.approx((counts[:, gene] > 0).mean())


def test_genes_that_set_types_apart_are_found(deep, tiny_bundle, tiny_markers):
    rows, columns = labels(pl.marker_dots(deep, level="fine", n_genes=2, model=tiny_bundle))
    assert set(columns) <= tiny_markers
    assert len(columns) == 12
    assert len(rows) == 6
    broad, _ = labels(pl.marker_dots(deep, model=tiny_bundle))
    assert "T cell" in broad
    assert "CD4 T" not in broad


def test_a_type_that_is_asked_for_has_the_cells_of_its_subtypes(deep, tiny_bundle):
    rows, _ = labels(pl.marker_dots(deep, ["CD4"], types=["T cell", "B cell"], model=tiny_bundle))
    assert rows == ["T cell", "B cell"]
    finer = dots(pl.marker_dots(deep, ["CD8A"], types=["T cell", "CD8 T"], model=tiny_bundle))
    assert finer["CD8 T", "CD8A"][0] > finer["T cell", "CD8A"][0]


def test_genes_may_stand_under_titles(deep, tiny_bundle):
    genes = {"B": ["CD79A", "MS4A1"], "none": [], "NK": ["GNLY"]}
    ax = pl.marker_dots(deep, genes, types=["B cell"], model=tiny_bundle)
    assert [text.get_text() for text in ax.texts] == ["B", "NK"]
    assert labels(ax)[1] == ["CD79A", "MS4A1", "GNLY"]


def test_types_may_be_split_by_a_column(deep, tiny_bundle):
    deep.obs["condition"] = np.where(np.arange(deep.n_obs) % 2, "ill", "well")
    b_cell = deep.obs["spoticell_cell_type"] == "B cell"
    deep.obs.loc[b_cell, "condition"] = "ill"
    rows, _ = labels(pl.marker_dots(deep, ["CD79A"], types=["NK", "B cell"], by="condition", model=tiny_bundle))
    assert rows == ["NK · ill", "NK · well", "B cell · ill"]
    deep.obs.loc[b_cell, "condition"] = None
    with pytest.raises(ConfigError, match="no cell of these types has a value in 'condition'"):
        pl.marker_dots(deep, ["CD79A"], types=["B cell"], by="condition", model=tiny_bundle)


def test_well_known_markers_come_first(deep, tiny_bundle):
    _, columns = labels(pl.marker_dots(deep, types=["B cell"], n_genes=2, model=tiny_bundle))
    assert set(columns) == {"MS4A1", "CD79A"}


def test_where_there_is_little_room_there_are_fewer_genes_and_types_but_none_that_was_asked_for_is_left_out(
    deep, tiny_bundle
):
    _, axes = plt.subplots(1, 2, figsize=(7.2, 2), layout="constrained")
    rows, columns = labels(pl.marker_dots(deep, level="fine", model=tiny_bundle, ax=axes[0]))
    assert (len(rows), len(columns)) == (5, 7)
    genes = ["CD79A", "MS4A1", "GNLY", "CD4", "CD8A"] * 2
    assert labels(pl.marker_dots(deep, genes, level="fine", model=tiny_bundle, ax=axes[1]))[1] == genes


def test_what_can_not_be_shown_is_refused(deep, tiny_bundle):
    with pytest.raises(ConfigError, match="doesn't know 'NONSENSE'"):
        pl.marker_dots(deep, ["NONSENSE"], model=tiny_bundle)
    with pytest.raises(ConfigError, match="no gene is named"):
        pl.marker_dots(deep, [], model=tiny_bundle)
    with pytest.raises(ConfigError, match="no cell is called 'Hepatocyte'"):
        pl.marker_dots(deep, ["CD4"], types=["hepatocyte"], model=tiny_bundle)
    with pytest.raises(ConfigError, match="no gene sets"):
        pl.marker_dots(deep[deep.obs["spoticell_cell_type"] == "B cell"].copy(), model=tiny_bundle)
    with pytest.raises(ConfigError, match="no type to draw"):
        pl.marker_dots(deep[-1:].copy(), ["CD4"], model=tiny_bundle)


def test_one_gene_may_be_given_as_a_word(deep, tiny_bundle):
    assert labels(pl.marker_dots(deep, "CD79A", model=tiny_bundle))[1] == ["CD79A"]


def test_a_row_without_cells_is_told_of(deep, tiny_bundle):
    cells = deep.copy()
    cells.obs["side"] = np.where(cells.obs["spoticell_cell_type"] == "B cell", "left", "right")
    with pytest.warns(SpoticellWarning, match="without a row: B cell · right, NK · left"):
        pl.marker_dots(cells, ["CD79A"], types=["B cell", "NK"], by="side", model=tiny_bundle)
