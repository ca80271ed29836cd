"""Two labellings of the same cells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch, Rectangle

from spoticell.errors import ConfigError
from spoticell.report import plots as pl


def bands(ax) -> list[PathPatch]:
    return [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def bars(ax) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_bars_and_bands_are_as_high_as_their_cells():
    table = pd.DataFrame({"mine": list("aaab"), "theirs": list("xxyy")})
    ax = pl.sankey(table, "mine", "theirs")
    heights = [bar.get_height() for bar in bars(ax)]
    assert heights[0] == pytest.approx(3 * heights[1])
    assert heights[2] == pytest.approx(heights[3])
    assert len(bands(ax)) == 3
    thick = [np.ptp(band.get_path().vertices[[0, -2], 1]) for band in bands(ax)]
    assert sum(thick) == pytest.approx(heights[0] + heights[1])


def test_answers_keep_their_colours(cells):
    ax = pl.sankey(cells, "batch")
    names = cells.obs["spoticell_cell_type_short"].cat.categories
    color_of = dict(zip(names, cells.uns["spoticell_cell_type_short_colors"], strict=True))
    right = [text.get_text().split(" · ")[0] for text in ax.texts if text.get_ha() == "left"][:-1]
    assert [to_hex(bar.get_facecolor()) for bar in bars(ax)[2:]] == [color_of[name] for name in right]


def test_names_do_not_cover_each_other():
    table = pd.DataFrame({"mine": ["large"] * 990 + list("abcdefghij"), "theirs": ["all"] * 1000})
    ax = pl.sankey(table, "mine", "theirs")
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_ha() == "right"][:-1]
    boxes.sort(key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_rare_values_are_summed_up_and_cells_without_a_value_are_left_out():
    table = pd.DataFrame({"mine": ["a", "a", "b", "c", "unknown", None], "theirs": ["x"] * 6})
    ax = pl.sankey(table, "mine", "theirs", most=1)
    told = {text.get_text() for text in ax.texts}
    assert told == {"a · 2", "others · 2", "unknown · 1", "x · 5", "mine", "theirs"}


def test_few_bands_cross():
    rng = np.random.default_rng(0)
    mine = rng.integers(0, 6, 300)
    table = pd.DataFrame({"mine": mine.astype(str), "theirs": [f"t{5 - n}" for n in mine]})
    ax = pl.sankey(table, "mine", "theirs")
    sides = [
        [text.get_text().split(" · ")[0] for text in ax.texts if text.get_ha() == side] for side in ("right", "left")
    ]
    assert [f"t{5 - int(name)}" for name in sides[0][:-1]] == sides[1][:-1]


def test_missing_and_empty_columns_are_refused(cells):
    with pytest.raises(ConfigError, match="nonsense"):
        pl.sankey(cells, "nonsense")
    cells.obs["empty"] = pd.Series([None] * 31, index=cells.obs_names, dtype=object)
    with pytest.raises(ConfigError, match="nothing flows"):
        pl.sankey(cells, "empty")
