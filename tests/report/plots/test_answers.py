"""What plots read of cells, whatever these are."""

from __future__ import annotations

import pytest

from spoticell.api import annotate
from spoticell.errors import ConfigError
from spoticell.report import plots as pl
from spoticell.report.plots.shades import value_colors


def test_what_annotate_gave_may_stand_in_place_of_the_cells(tiny_cells, tiny_bundle):
    result = annotate(tiny_cells, model=tiny_bundle, threads=1)
    tiny_cells.obsm["X_umap"] = tiny_cells.obsm["X_spoticell"][:, :2]
    assert pl.marker_dots(result, ["CD4"], model=tiny_bundle).get_yticklabels()[-1].get_text() == "Monocyte"
    assert pl.type_picture(result, "NK", model=tiny_bundle).get_title() == "NK · 5 cells"
    assert pl.cell_picture(result, cell="cell-0", model=tiny_bundle).get_title() == "B cell · cell-0"
    assert pl.umap(result, "type").axes[0].get_xlabel() == "UMAP"
    assert "a · 16" in [text.get_text() for text in pl.sankey(result, "batch").texts]


def test_plots_of_genes_need_cells_in_memory(tiny_h5ad, tiny_bundle):
    result = annotate(tiny_h5ad, model=tiny_bundle, threads=1)
    with pytest.raises(ConfigError, match=r"read what annotate wrote with anndata\.read_h5ad"):
        pl.marker_dots(result, ["CD4"], model=tiny_bundle)


def test_cells_that_lost_a_column_have_other_colours_for_it(cells):
    del cells.obs["spoticell_level_broad"]
    assert len(pl.composition(cells, level="broad").patches) == 6


def test_more_values_than_colours_all_have_one():
    names = [f"value {n}" for n in range(100)]
    assert set(value_colors(names, {})) == set(names)
