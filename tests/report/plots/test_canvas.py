"""Sizes, styles, and what all plots have in common."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from spoticell.errors import ConfigError
from spoticell.report import plots as pl
from spoticell.report.plots.canvas import legend_beside, room

DRAWN = {
    "cell_picture": lambda cells, model, ax: pl.cell_picture(cells, model=model, ax=ax),
    "type_picture": lambda cells, model, ax: pl.type_picture(cells, "B cell", model=model, ax=ax),
    "layout_map": lambda cells, model, ax: pl.layout_map(model, ax=ax),
    "fingerprint_map": lambda cells, model, ax: pl.fingerprint_map(cells, ax=ax),
    "composition": lambda cells, model, ax: pl.composition(cells, ax=ax),
    "sample_composition": lambda cells, model, ax: pl.sample_composition(cells, by="batch", ax=ax),
    "type_share": lambda cells, model, ax: pl.type_share(cells, "B cell", by="batch", ax=ax),
    "score_histogram": lambda cells, model, ax: pl.score_histogram(cells, ax=ax),
    "reliability": lambda cells, model, ax: pl.reliability(cells, ax=ax),
    "confusion": lambda cells, model, ax: pl.confusion(cells, ax=ax),
    "type_tree": lambda cells, model, ax: pl.type_tree(cells, ax=ax),
    "marker_dots": lambda cells, model, ax: pl.marker_dots(cells, ["CD4", "GNLY"], model=model, ax=ax),
    "panel_curve": lambda cells, model, ax: pl.panel_curve(
        pd.DataFrame({"genes": [50, 5000], "hierarchical_f1": [0.2, 0.9], "row": ["a", "b"]}), ax=ax
    ),
    "sankey": lambda cells, model, ax: pl.sankey(cells, "batch", ax=ax),
}
"""How each plot is drawn."""
OTHERS = {"overview", "reasons", "style", "type_pictures", "umap"}


def test_no_plot_is_forgotten_here():
    assert set(DRAWN) | OTHERS == set(pl.__all__)


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_goes_where_it_is_told_to(cells, tiny_bundle, name):
    _, ax = plt.subplots()
    assert DRAWN[name](cells, tiny_bundle, ax) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off_on_a_figure_of_a_paper(cells, tiny_bundle, name):
    with pl.style("paper"):
        ax = DRAWN[name](cells, tiny_bundle, None)
        figure = ax.figure
        figure.draw_without_rendering()
        drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert width <= 178.1 / 25.4
    assert drawn.x0 >= -0.03
    assert drawn.y0 >= -0.03
    assert drawn.x1 <= width + 0.03
    assert drawn.y1 <= height + 0.03


@pytest.mark.parametrize(("kind", "text"), [("paper", 7), ("slide", 14)])
def test_sizes_go_with_the_text(kind, text):
    plain = pl.composition(["B cell"]).figure.get_size_inches()
    with pl.style(kind):
        np.testing.assert_allclose(pl.composition(["B cell"]).figure.get_size_inches(), plain * text / 10)
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["font.sans-serif"][:2] == ["Arial", "Helvetica"]
    assert mpl.rcParams["font.size"] == 10


def test_a_style_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="'paper' and 'slide'"), pl.style("poster"):
        pass


def test_a_legend_that_does_not_fit_has_more_columns():
    figure = plt.figure(figsize=(5, 1))
    ax = figure.add_subplot()
    for n in range(12):
        ax.plot([], label=str(n))
    legend = legend_beside(ax)
    figure.draw_without_rendering()
    assert len({round(text.get_window_extent().x0) for text in legend.get_texts()}) > 1


@pytest.mark.parametrize("name", ["fingerprint_map", "sample_composition", "marker_dots", "confusion"])
def test_a_panel_stays_in_its_part_of_a_figure_of_four(cells, tiny_bundle, name):
    with pl.style("paper"):
        figure, axes = plt.subplots(2, 2, figsize=(7, 4), layout="constrained")
        ax = DRAWN[name](cells, tiny_bundle, axes[1, 0])
        figure.draw_without_rendering()
        drawn = ax.get_tightbbox()
    assert drawn.x1 <= axes[1, 1].get_tightbbox().x0 + 1
    assert drawn.y1 <= axes[0, 0].get_tightbbox().y0 + 1


@pytest.mark.parametrize("name", ["fingerprint_map", "sample_composition", "marker_dots", "confusion"])
def test_a_panel_may_be_tiny(cells, tiny_bundle, name):
    ax = plt.figure(figsize=(1, 0.6)).add_axes((0, 0, 1, 1))
    DRAWN[name](cells, tiny_bundle, ax).figure.canvas.draw()
    assert all(label.get_fontsize() >= 4 for label in ax.get_yticklabels())


def test_the_room_of_nested_and_of_plain_axes_is_known():
    figure = plt.figure(figsize=(8, 4), layout="constrained")
    outer = figure.add_gridspec(1, 2, width_ratios=[3, 1])
    inner = outer[0].subgridspec(2, 1, height_ratios=[1, 3])
    assert room(figure.add_subplot(inner[1])) == (6, 3)
    plain = plt.figure(figsize=(8, 4), dpi=100)
    assert room(plain.add_axes((0, 0, 0.5, 1))) == (4, 4)


def test_long_names_of_a_legend_are_wrapped():
    ax = plt.subplots(layout="constrained", figsize=(3, 3))[1]
    ax.plot([], label="a name that is much too long for so small a legend")
    assert "\n" in legend_beside(ax).get_texts()[0].get_text()


@pytest.mark.parametrize(
    "draw", [pl.fingerprint_map, pl.composition, pl.score_histogram, pl.type_tree, pl.type_pictures, pl.marker_dots]
)
def test_cells_without_answers_are_refused_with_a_hint(tiny_cells, draw):
    with pytest.raises(ConfigError, match=r"run spoticell\.annotate"):
        draw(tiny_cells)
