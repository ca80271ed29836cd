"""Cells as points on a plane."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from spoticell.api import annotate
from spoticell.errors import ConfigError
from spoticell.report import plots as pl
from spoticell.report.map import MAPPED


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


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
    ax = pl.fingerprint_map(np.eye(3), color="score", scores=np.array([0.1, 0.9, 0.5]))
    assert sorted(ax.collections[0].get_array()) == [0.1, 0.5, 0.9]


def test_the_map_shows_broad_types(cells):
    assert legend(pl.fingerprint_map(cells, color="broad"))[0] == "T cell"


def test_the_map_of_an_annotation_is_that_of_its_cells(tiny_cells, tiny_bundle):
    result = annotate(tiny_cells, model=tiny_bundle, threads=1)
    of_result, of_cells = pl.fingerprint_map(result), pl.fingerprint_map(tiny_cells)
    assert legend(of_result) == legend(of_cells)
    for one, other in zip(of_result.collections, of_cells.collections, strict=True):
        np.testing.assert_allclose(one.get_facecolor(), other.get_facecolor())


def test_cells_are_drawn_where_they_are(cells):
    cells.obsm["X_umap"] = np.arange(62, dtype=float).reshape(31, 2)
    ax = pl.fingerprint_map(cells, basis="X_umap", color="score")
    assert sorted(map(tuple, ax.collections[0].get_offsets())) == [(n, n + 1) for n in range(0, 62, 2)]
    assert ax.get_xlabel() == "UMAP"


def test_places_that_are_not_there_are_refused_with_a_hint(cells):
    with pytest.raises(ConfigError, match=r"no obsm\['X_umap'\].*there are: 'X_spoticell'.*sc\.tl\.umap"):
        pl.fingerprint_map(cells, basis="X_umap")


def test_colours_show_a_column_of_words_and_cells_without_one_lie_below_in_grey(cells):
    cells.obs["site"] = ["left"] * 20 + ["right"] * 10 + [None]
    ax = pl.fingerprint_map(cells, color="site")
    assert legend(ax) == ["left", "right", "no value"]
    assert [len(points.get_offsets()) for points in ax.collections] == [1, 20, 10]


def test_a_column_has_the_colours_that_scanpy_gave_it(cells):
    cells.obs["batch"] = cells.obs["batch"].astype("category")
    cells.uns["batch_colors"] = ["#112233", "#445566"]
    ax = pl.fingerprint_map(cells, color="batch")
    found = dict(zip(legend(ax), (tuple(points.get_facecolor()[0]) for points in ax.collections), strict=True))
    assert found["a"] == pytest.approx((0x11 / 255, 0x22 / 255, 0x33 / 255, 1))


def test_colours_show_a_column_of_numbers(cells):
    cells.obs["age"] = np.arange(31.0)
    ax = pl.fingerprint_map(cells, color="age")
    assert sorted(ax.collections[0].get_array()) == list(range(31))
    with pytest.raises(ConfigError, match="column"):
        pl.fingerprint_map(cells, color="nonsense")
    with pytest.raises(ConfigError, match="plain fingerprints"):
        pl.fingerprint_map(np.eye(3), color="age")


def test_a_long_legend_names_the_commonest(cells):
    cells.obs["many"] = [f"value {n}" for n in range(31)]
    ax = pl.fingerprint_map(cells, color="many")
    assert len(legend(ax)) == 24
    assert legend(ax)[-1] == "8 others"
    assert len(ax.collections[0].get_offsets()) == 8


def test_a_small_map_names_fewer_and_always_what_is_unknown(cells):
    ax = plt.subplots(figsize=(2, 0.6), layout="constrained")[1]
    found = legend(pl.fingerprint_map(cells, ax=ax))
    assert found[1:] == ["unknown", "5 others"]


def test_all_cells_are_drawn_of_more_than_are_laid_out():
    fingerprint_nd = np.ones((MAPPED + 7, 2), dtype=np.float32)  # alike, so that nothing has to be laid out
    ax = pl.fingerprint_map(fingerprint_nd, types=["B cell"] * len(fingerprint_nd))
    assert len(ax.collections[0].get_offsets()) == MAPPED + 7


def test_no_legend_of_a_umap_covers_the_next_panel(cells):
    cells.obsm["X_umap"] = cells.obsm["X_spoticell"][:, :2]
    cells.obs["long"] = [f"a type with a name of quite some length {n % 12}" for n in range(31)]
    figure = pl.umap(cells, ["long", "batch", "type"])
    figure.draw_without_rendering()
    left, right, below = figure.axes
    assert left.get_legend().get_window_extent().x1 <= right.get_window_extent().x0
    assert right.get_legend().get_window_extent().x1 <= figure.bbox.width
    assert below.get_title() == "type"
    assert len(pl.umap(cells, "score").axes) == 2  # the panel and its bar of colours
    with pytest.raises(ConfigError, match="no panel to draw"):
        pl.umap(cells, [])
