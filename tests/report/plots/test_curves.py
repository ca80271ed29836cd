"""Accuracy against the number of genes."""

from __future__ import annotations

import pandas as pd
import pytest

from spoticell.errors import ConfigError
from spoticell.report import plots as pl


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "row": ["ours", "ours", "ours", "other"],
            "genes": [100, 100, 1000, 1000],
            "hierarchical_f1": [0.5, 0.7, 0.9, 0.8],
        }
    )


def test_lines_are_means_and_bands_reach_from_lowest_to_highest(table):
    ax = pl.panel_curve(table)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ours", "other"]
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.6, 0.9])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.5, 0.9)
    assert ax.get_ylabel() == "hierarchical F1"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["100", "300", "1,000"]


@pytest.mark.parametrize("by", [None, "set"])
def test_without_a_column_to_compare_there_is_one_line(table, by):
    ax = pl.panel_curve(table, by=by)
    assert len(ax.lines) == 1
    assert ax.get_legend() is None


def test_missing_columns_and_empty_tables_are_refused(table):
    with pytest.raises(ConfigError, match="macro_f1"):
        pl.panel_curve(table, value="macro_f1")
    with pytest.raises(ConfigError, match="nothing to draw"):
        pl.panel_curve(table[:0])
