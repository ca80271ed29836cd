"""The figure of several panels."""

from __future__ import annotations

import numpy as np
import pytest

from spoticell.report import plots as pl


def letters(figure) -> list[str]:
    found = [part for row in figure.subfigs for part in (row.subfigs or [row])]
    return [part.get_suptitle() for part in found]


@pytest.fixture
def placed(cells):
    """Cells with places, so that no map has to be laid out."""
    cells.obsm["X_umap"] = np.asarray(cells.obsm["X_spoticell"])[:, :2]
    return cells


def test_an_overview_is_as_wide_as_a_page_and_its_panels_do_not_touch(placed, tiny_bundle):
    with pl.style("paper"):
        figure = pl.overview(
            placed, by="batch", label_column="cell_type_ontology_term_id", basis="X_umap", model=tiny_bundle
        )
        figure.draw_without_rendering()
        drawn = figure.get_tightbbox()
    assert figure.get_figwidth() * 25.4 == pytest.approx(178)
    assert letters(figure) == ["a", "b", "c", "d"]
    assert drawn.x0 >= -0.03
    assert drawn.x1 <= figure.get_figwidth() + 0.03
    boxes = [part.get_tightbbox() for part in figure.subfigs[1:]]
    assert boxes[0].y0 >= boxes[1].y1 - 0.03


def test_without_samples_and_labels_there_are_three_panels(placed, tiny_bundle):
    figure = pl.overview(placed, types=["B cell", "NK"], level="fine", basis="X_umap", model=tiny_bundle)
    assert letters(figure) == ["a", "b", "c"]


def test_few_types_leave_room_for_the_keys_beside_the_dots(placed, tiny_bundle):
    with pl.style("paper"):
        figure = pl.overview(placed, types=["B cell", "NK"], basis="X_umap", model=tiny_bundle)
        figure.draw_without_rendering()
    dots = figure.subfigs[1].axes[0]
    key, bar = dots.get_legend().get_window_extent(), dots.child_axes[0].get_tightbbox()
    assert key.y0 >= bar.y1
