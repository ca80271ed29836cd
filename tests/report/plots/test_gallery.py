"""The page of plots shows all of them."""

from __future__ import annotations

import re
from pathlib import Path

from spoticell.report import plots as pl

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "plots.md").read_text(encoding="utf-8")


def test_each_plot_stands_on_the_page():
    assert [name for name in pl.__all__ if not re.search(rf"\b{name}\b", PAGE)] == []
    assert set(re.findall(r"spoticell\.pl\.(\w+)", PAGE)) <= set(pl.__all__)


def test_each_picture_is_shown_and_small():
    pictures = {path.name: path.stat().st_size for path in (DOCS / "images").glob("pl-*.png")}
    assert set(re.findall(r"images/(pl-\w+\.png)", PAGE)) == set(pictures)
    assert max(pictures.values()) < 60_000
